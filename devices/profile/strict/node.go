package strict

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// IsMap reports whether the node is a mapping.
func (n *Node) IsMap() bool { return n.kind == mapping }

// IsList reports whether the node is a list.
func (n *Node) IsList() bool { return n.kind == list }

// IsScalar reports whether the node is one word or text.
func (n *Node) IsScalar() bool { return n.kind == scalar }

// IsEmpty reports whether nothing stands there, or null.
func (n *Node) IsEmpty() bool { return n.kind == empty }

// Fail notes what is wrong at the node.
func (n *Node) Fail(format string, args ...any) { n.report.Add(n, format, args...) }

// Entries returns the keys and values of a mapping in the order of the file, each key once. Anything else is a finding.
func (n *Node) Entries() []Entry {
	if n.kind != mapping {
		n.wanted("a mapping (key: value)")
	}
	return n.entries
}

// Items returns the items of a list. Anything else is a finding.
func (n *Node) Items() []*Node {
	if n.kind != list {
		n.wanted("a list (- item, or [a, b])")
	}
	return n.items
}

// Text returns a scalar as it is written, without quotes. Anything else, and an empty text, is a finding.
func (n *Node) Text() (string, bool) {
	if n.kind != scalar || strings.TrimSpace(n.text) == "" {
		n.wanted("a text")
		return "", false
	}
	return n.text, true
}

// OneOf returns which of the words stands there. Anything else is a finding that names them.
func (n *Node) OneOf(words ...string) (int, bool) {
	for i, w := range words {
		if n.kind == scalar && n.text == w {
			return i, true
		}
	}
	n.Fail("%s is not allowed here; allowed: %s%s", n.show(), strings.Join(words, ", "), meant(n.text, words))
	return 0, false
}

// Bool returns true or false; yes, no, on and off are findings.
func (n *Node) Bool() (value, ok bool) {
	if n.kind == scalar && !n.quoted && (n.text == "true" || n.text == "false") {
		return n.text == "true", true
	}
	n.wanted("true or false")
	return false, false
}

// Plain decimal numbers only: no octal, no underscores, no sign but minus.
var (
	wholeForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	floatForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)
	hexForm   = regexp.MustCompile(`^0x[0-9A-Fa-f]+$`)
)

// Int returns a whole number from low to high, both included.
func (n *Node) Int(low, high int64) (int64, bool) {
	value, err := strconv.ParseInt(n.text, 10, 64)
	if n.kind != scalar || n.quoted || err != nil || !wholeForm.MatchString(n.text) || value < low || value > high {
		n.Fail("%s is not a whole number from %d to %d%s", n.show(), low, high, n.octal())
		return 0, false
	}
	return value, true
}

// Uint returns a whole number from 0 to high, decimal or 0x hexadecimal.
func (n *Node) Uint(high uint64) (uint64, bool) {
	text, base := n.text, 10
	if hexForm.MatchString(text) {
		text, base = text[2:], 16
	} else if !wholeForm.MatchString(text) {
		text = ""
	}
	value, err := strconv.ParseUint(text, base, 64)
	if n.kind != scalar || n.quoted || err != nil || value > high {
		n.Fail("%s is not a whole number from 0 to %d (decimal or 0x...)%s", n.show(), high, n.octal())
		return 0, false
	}
	return value, true
}

// Float returns a finite number.
func (n *Node) Float() (float64, bool) {
	value, err := strconv.ParseFloat(n.text, 64)
	if n.kind != scalar || n.quoted || err != nil || !floatForm.MatchString(n.text) || math.IsInf(value, 0) {
		n.Fail("%s is not a number%s", n.show(), n.octal())
		return 0, false
	}
	return value, true
}

// Duration returns a time like 50ms, 2s or 5m from low to high, both included.
func (n *Node) Duration(low, high time.Duration) (time.Duration, bool) {
	value, err := time.ParseDuration(n.text)
	if n.kind != scalar || err != nil || value < low || value > high {
		n.Fail("%s is not a duration from %v to %v, like 50ms, 2s or 5m", n.show(), low, high)
		return 0, false
	}
	return value, true
}

func (n *Node) wanted(what string) { n.Fail("%s is not %s", n.show(), what) }

// show returns what stands there as a finding names it.
func (n *Node) show() string {
	switch n.kind {
	case mapping:
		return "a mapping"
	case list:
		return "a list"
	case empty:
		return "nothing"
	}
	if len(n.text) > 60 {
		return strconv.Quote(n.text[:60]) + "..."
	}
	return strconv.Quote(n.text)
}

// octal explains the commonest trap.
func (n *Node) octal() string {
	if n.kind == scalar && len(n.text) > 1 && n.text[0] == '0' && n.text[1] >= '0' && n.text[1] <= '9' {
		return "; leave the leading 0 away"
	}
	if n.kind == scalar && n.quoted {
		return "; leave the quotes away"
	}
	return ""
}

// Raw returns a scalar as it is written, without quotes and without judging it; "" for anything else. It may be empty.
func (n *Node) Raw() string {
	if n == nil || n.kind != scalar {
		return ""
	}
	return n.text
}
