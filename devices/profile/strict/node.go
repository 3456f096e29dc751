package strict

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (n *Node) is(k kind) bool { return n != nil && n.kind == k }

// IsMap reports whether the node is a mapping.
func (n *Node) IsMap() bool { return n.is(mapping) }

// IsList reports whether the node is a list.
func (n *Node) IsList() bool { return n.is(list) }

// IsScalar reports whether the node is one word or text.
func (n *Node) IsScalar() bool { return n.is(scalar) }

// IsEmpty reports whether nothing stands there, or null.
func (n *Node) IsEmpty() bool { return n.is(empty) }

// Fail notes what is wrong at the node.
func (n *Node) Fail(format string, args ...any) {
	if n != nil {
		n.report.Add(n, format, args...)
	}
}

// Entries returns the keys and values of a mapping in the order of the file, each key once. Anything else is a finding.
func (n *Node) Entries() []Entry {
	if !n.IsMap() {
		n.wanted("a mapping (key: value)", "")
		return nil
	}
	return n.entries
}

// Items returns the items of a list. Anything else is a finding.
func (n *Node) Items() []*Node {
	if !n.IsList() {
		n.wanted("a list (- item, or [a, b])", "")
		return nil
	}
	return n.items
}

// Raw returns a scalar as it is written, without quotes and without judging it; "" for anything else. It may be empty.
func (n *Node) Raw() string {
	if !n.IsScalar() {
		return ""
	}
	return n.text
}

// Text returns a scalar as it is written, without quotes: 0012 is "0012". Anything else, and an empty text, is a finding,
// which does not repeat the text: it may be a secret.
func (n *Node) Text() (string, bool) {
	if !n.IsScalar() || strings.TrimSpace(n.text) == "" {
		n.wanted("a text", "")
		return "", false
	}
	return n.text, true
}

// OneOf returns which of the words stands there. Anything else is a finding that names them.
func (n *Node) OneOf(words ...string) (int, bool) {
	if n.IsScalar() {
		if i := slices.Index(words, n.text); i >= 0 {
			return i, true
		}
	}
	if n != nil && n.kind != refused {
		n.Fail("%s is not allowed here; allowed: %s%s", n.show(), strings.Join(words, ", "), meant(n.text, words))
	}
	return 0, false
}

// wanted reports what a getter did not find.
func (n *Node) wanted(what, hint string) {
	if n != nil && n.kind != refused {
		n.Fail("%s is not %s%s", n.show(), what, hint)
	}
}

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
	return quote(n.text)
}

// quote returns a text in quotes, short enough for one line of a terminal.
func quote(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) > most {
		return strconv.Quote(string([]rune(s)[:most])) + "..."
	}
	return strconv.Quote(s)
}
