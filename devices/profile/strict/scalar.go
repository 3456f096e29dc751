package strict

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The spellings of numbers. There is no octal, no underscore and no plus sign.
var (
	wholeForm    = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)
	floatForm    = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	hexForm      = regexp.MustCompile(`^0x[0-9A-Fa-f]+$`)
	durationForm = regexp.MustCompile(`^(0|(([0-9]+)(\.[0-9]+)?(us|ms|s|m|h))+)$`)
)

// plain reports whether the node is a scalar without quotes and of the form.
func (n *Node) plain(form *regexp.Regexp) bool {
	return n.IsScalar() && !n.quoted && form.MatchString(n.text)
}

// Bool returns true or false. Other spellings (yes, no, on, off) are findings.
func (n *Node) Bool() (value, ok bool) {
	if n.IsScalar() && !n.quoted && (n.text == "true" || n.text == "false") {
		return n.text == "true", true
	}
	hint := ""
	switch strings.ToLower(n.Raw()) {
	case "true", "yes", "y", "on", "1":
		hint = "; write true"
	case "false", "no", "n", "off", "0":
		hint = "; write false"
	}
	n.wanted("true or false", hint)
	return false, false
}

// Int returns a whole number from low to high, both included, in decimal.
func (n *Node) Int(low, high int64) (int64, bool) {
	if n.plain(wholeForm) {
		if value, err := strconv.ParseInt(n.text, 10, 64); err == nil && low <= value && value <= high {
			return value, true
		}
	}
	n.wanted(fmt.Sprintf("a whole number from %d to %d", low, high), n.rewrite(false))
	return 0, false
}

// Uint returns a whole number from 0 to high, decimal or 0x hexadecimal.
func (n *Node) Uint(high uint64) (uint64, bool) {
	var value uint64
	err := strconv.ErrSyntax
	switch {
	case n.plain(hexForm):
		value, err = strconv.ParseUint(n.text[2:], 16, 64)
	case n.plain(wholeForm):
		value, err = strconv.ParseUint(n.text, 10, 64)
	}
	if err == nil && value <= high {
		return value, true
	}
	n.wanted(fmt.Sprintf("a whole number from 0 to %d (decimal or 0x...)", high), n.rewrite(true))
	return 0, false
}

// Float returns a finite number.
func (n *Node) Float() (float64, bool) {
	if n.plain(floatForm) {
		if value, err := strconv.ParseFloat(n.text, 64); err == nil {
			return value + 0, true // -0 + 0 is 0
		}
	}
	n.wanted("a number", n.rewrite(false))
	return 0, false
}

// Duration returns a time like 50ms, 2s or 5m from low to high, both included.
func (n *Node) Duration(low, high time.Duration) (time.Duration, bool) {
	if n.IsScalar() && durationForm.MatchString(n.text) {
		if value, err := time.ParseDuration(n.text); err == nil && low <= value && value <= high {
			return value, true
		}
	}
	hint := ""
	if n.IsScalar() && n.text != "0" && floatForm.MatchString(n.text) {
		hint = "; say the unit"
	}
	n.wanted(fmt.Sprintf("a duration from %s to %s, like 50ms, 2s or 5m", Span(low), Span(high)), hint)
	return 0, false
}

// Span returns the text of a duration without zeros at its end: 5m, not 5m0s.
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// rewrite suggests the right spelling of a number that readers of YAML would disagree about.
func (n *Node) rewrite(hex bool) string {
	text := n.Raw()
	cleaned := strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	pointed := strings.Replace(text, ",", ".", 1)
	switch {
	case n.IsScalar() && n.quoted && floatForm.MatchString(text):
		return "; leave the quotes away"
	case cleaned != text && floatForm.MatchString(cleaned):
		return "; write " + cleaned
	case pointed != text && floatForm.MatchString(pointed):
		return "; write " + pointed
	case hexForm.MatchString(text) && !hex:
		if value, err := strconv.ParseUint(text[2:], 16, 64); err == nil && value <= math.MaxInt64 {
			return fmt.Sprintf("; write %d", value)
		}
	case len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9':
		return "; leave the leading 0 away"
	}
	return ""
}
