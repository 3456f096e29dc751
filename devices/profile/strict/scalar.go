package strict

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	wholeForm    = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	hexForm      = regexp.MustCompile(`^0x[0-9A-Fa-f]+$`)
	numberForm   = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$`)
	durationForm = regexp.MustCompile(`^(0|([0-9]+(\.[0-9]+)?(us|ms|s|m|h))+)$`)
)

// Text returns a text as it is written: 0012 without quotes is "0012". It may be empty only in quotes.
func (n *Node) Text() (string, bool) {
	if !n.is(scalar, "a text") {
		return "", false
	}
	return n.text, true
}

// Int returns a whole number from low to high in plain decimals.
func (n *Node) Int(low, high int64) (int64, bool) {
	wanted := fmt.Sprintf("a whole number from %d to %d", low, high)
	if !n.is(scalar, wanted) {
		return 0, false
	}
	if !n.quoted && wholeForm.MatchString(n.text) {
		if v, err := strconv.ParseInt(n.text, 10, 64); err == nil && low <= v && v <= high {
			return v, true
		}
	}
	n.wanted(wanted, n.numberHint(false))
	return 0, false
}

// Natural returns a whole number from 0 to high in plain decimals, or in hexadecimals behind 0x.
func (n *Node) Natural(high uint64) (uint64, bool) {
	wanted := fmt.Sprintf("a whole number from 0 to %d, or hexadecimal to 0x%X", high, high)
	if !n.is(scalar, wanted) {
		return 0, false
	}
	digits, base := n.text, 10
	if hexForm.MatchString(n.text) {
		digits, base = n.text[2:], 16
	}
	if !n.quoted && (base == 16 || wholeForm.MatchString(n.text)) {
		if v, err := strconv.ParseUint(digits, base, 64); err == nil && v <= high {
			return v, true
		}
	}
	n.wanted(wanted, n.numberHint(true))
	return 0, false
}

// Float returns a finite number in decimals: 5, -0.1, 1e-3.
func (n *Node) Float() (float64, bool) {
	if !n.is(scalar, "a number") {
		return 0, false
	}
	if !n.quoted && numberForm.MatchString(n.text) {
		if v, err := strconv.ParseFloat(n.text, 64); err == nil {
			return v + 0, true // -0 + 0 is 0
		}
	}
	n.wanted("a number", n.numberHint(false))
	return 0, false
}

// Bool returns true or false; yes, on and 1 are findings.
func (n *Node) Bool() (on, ok bool) {
	if !n.is(scalar, "true or false") {
		return false, false
	}
	if !n.quoted && (n.text == "true" || n.text == "false") {
		return n.text == "true", true
	}
	hint := ""
	switch strings.ToLower(n.text) {
	case "true", "yes", "y", "on", "1":
		hint = "; write true"
	case "false", "no", "n", "off", "0":
		hint = "; write false"
	}
	n.wanted("true or false", hint)
	return false, false
}

// Duration returns a time span from low to high with its unit: 50ms, 2s, 5m, 1h30m.
func (n *Node) Duration(low, high time.Duration) (time.Duration, bool) {
	wanted := fmt.Sprintf("a time from %s to %s", span(low), span(high))
	if !n.is(scalar, wanted) {
		return 0, false
	}
	if durationForm.MatchString(n.text) {
		if v, err := time.ParseDuration(n.text); err == nil && low <= v && v <= high {
			return v, true
		}
	}
	hint := ""
	if numberForm.MatchString(n.text) && n.text != "0" {
		hint = "; write the unit, such as " + n.text + "s or " + n.text + "ms"
	}
	n.wanted(wanted, hint)
	return 0, false
}

// OneOf returns a text that is one of the allowed words.
func (n *Node) OneOf(allowed ...string) (string, bool) {
	wanted := "one of " + strings.Join(allowed, ", ")
	if !n.is(scalar, wanted) {
		return "", false
	}
	if slices.Contains(allowed, n.text) {
		return n.text, true
	}
	n.wanted(wanted, didYouMean(n.text, allowed))
	return "", false
}

// numberHint says what to write where a number is meant but spelled in a way that readers of YAML disagree about.
func (n *Node) numberHint(hex bool) string {
	switch plain := strings.TrimPrefix(strings.ReplaceAll(n.text, "_", ""), "+"); {
	case n.quoted && numberForm.MatchString(n.text):
		return "; leave the quotes out"
	case plain != n.text && (numberForm.MatchString(plain) || hexForm.MatchString(plain)):
		return "; write " + plain
	case hexForm.MatchString(n.text) && !hex:
		if v, err := strconv.ParseUint(n.text[2:], 16, 64); err == nil && v <= math.MaxInt64 {
			return fmt.Sprintf("; write %d", v)
		}
	case len(n.text) > 1 && n.text[0] == '0' && numberForm.MatchString(strings.TrimLeft(n.text, "0")):
		return "; leading zeros mean octal to some, leave them out"
	case strings.Count(n.text, ",") == 1 && numberForm.MatchString(strings.Replace(n.text, ",", ".", 1)):
		return "; write " + strings.Replace(n.text, ",", ".", 1)
	}
	return ""
}

// span is a duration without its empty ends: 5m and not 5m0s.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
