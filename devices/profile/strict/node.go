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

// Fail adds a finding at the node.
func (n *Node) Fail(format string, args ...any) {
	if n != nil {
		n.report.Add(n, format, args...)
	}
}

// Entries returns the keys and values of a mapping in the order of the file, each key once. Any other node is a
// finding.
func (n *Node) Entries() []Entry {
	if !n.IsMap() {
		n.wanted("a mapping (key: value)", "")
		return nil
	}
	return n.entries
}

// Items returns the items of a list. Any other node is a finding.
func (n *Node) Items() []*Node {
	if !n.IsList() {
		n.wanted("a list (- item, or [a, b])", "")
		return nil
	}
	return n.items
}

// Raw returns the text of a scalar without its quotes, whatever it is. It returns "" for any other node.
func (n *Node) Raw() string {
	if !n.IsScalar() {
		return ""
	}
	return n.text
}

// Text returns the text of a scalar without its quotes: 0012 is "0012". Any other node, or an empty text, is a finding.
// The finding does not repeat the text, which may be a secret.
func (n *Node) Text() (string, bool) {
	if !n.IsScalar() || strings.TrimSpace(n.text) == "" {
		n.wanted("a text", "")
		return "", false
	}
	return n.text, true
}

// OneOf returns which of the words the node is. If it is none of them, a finding lists them.
func (n *Node) OneOf(words ...string) (int, bool) {
	if n.IsScalar() {
		if i := slices.Index(words, n.text); i >= 0 {
			return i, true
		}
	}
	if n != nil && n.kind != refused {
		n.Fail("%s is not allowed here; allowed: %s%s", n.show(), strings.Join(words, ", "), Meant(n.text, words))
	}
	return 0, false
}

// wanted adds a finding that the node is not what a getter needs.
func (n *Node) wanted(what, hint string) {
	if n != nil && n.kind != refused {
		n.Fail("%s is not %s%s", n.show(), what, hint)
	}
}

// show describes the node for a finding.
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

// quote returns a text in quotes, cut to fit a line of a terminal.
func quote(s string) string { return quoteUpTo(60, s) }

// quoteKey does the same for a key. What is longer than any key is, may be a token that stands in the wrong place.
func quoteKey(s string) string { return quoteUpTo(32, s) }

func quoteUpTo(most int, s string) string {
	if utf8.RuneCountInString(s) > most {
		return strconv.Quote(string([]rune(s)[:most])) + "..."
	}
	return strconv.Quote(s)
}
