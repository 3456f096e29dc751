package strict

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

type kind uint8

const (
	null     kind = iota // nothing stands there
	scalar               // a text, number or switch
	mapping              // key: value
	sequence             // a list
	broken               // reported when the file was parsed
)

// Node is one value of a file, or one key. The getters add a finding and return false where the value is not what they
// want; on a nil Node, which stands for a missing value, they return false and are silent.
type Node struct {
	doc          *Document
	kind         kind
	name         string // the key it stands behind; items of a list have the list's
	text         string // of a scalar, as written, without quotes
	quoted       bool
	line, column int
	entries      []Entry
	items        []*Node
}

// Entry is one key of a map and its value.
type Entry struct{ Key, Value *Node }

// Name returns the key as it is written, without quotes.
func (e Entry) Name() string { return e.Key.text }

// Line returns the line in which the node begins, from 1; 0 for a nil Node.
func (n *Node) Line() int {
	if n == nil {
		return 0
	}
	return n.line
}

// Column returns the column in which the node begins, in characters from 1; 0 for a nil Node.
func (n *Node) Column() int {
	if n == nil {
		return 0
	}
	return n.column
}

// IsMap reports whether the node is a map; it adds no finding.
func (n *Node) IsMap() bool { return n != nil && n.kind == mapping }

// IsList reports whether the node is a list; it adds no finding.
func (n *Node) IsList() bool { return n != nil && n.kind == sequence }

// IsScalar reports whether the node is a text, a number or a switch; it adds no finding.
func (n *Node) IsScalar() bool { return n != nil && n.kind == scalar }

// Finding adds a finding at the place of the node.
func (n *Node) Finding(format string, args ...any) {
	if n != nil {
		n.doc.add(n.line, n.column, format, args...)
	}
}

// Entries returns the entries of a map with any keys, in the order of the file, each key once.
func (n *Node) Entries() ([]Entry, bool) {
	if !n.is(mapping, `"key: value" entries`) {
		return nil, false
	}
	return n.entries, true
}

// List returns the items of a list in the order of the file.
func (n *Node) List() ([]*Node, bool) {
	if !n.is(sequence, "a list") {
		return nil, false
	}
	return n.items, true
}

// is checks the kind and says what was wanted.
func (n *Node) is(k kind, wanted string) bool {
	if n == nil || n.kind == broken {
		return false
	}
	if n.kind != k {
		n.wanted(wanted, "")
		return false
	}
	return true
}

// wanted adds the finding of all getters: what was wanted, what was found, and what to write instead.
func (n *Node) wanted(what, hint string) {
	subject := ""
	if n.name != "" {
		subject = shorten(n.name) + ": "
	}
	n.Finding("%swanted %s, found %s%s", subject, what, n.found(), hint)
}

// found names what stands there. It is never asked of texts that are right, so that a secret does not get into a message.
func (n *Node) found() string {
	switch n.kind {
	case null:
		return "nothing"
	case mapping:
		return `"key: value" entries`
	case sequence:
		return "a list"
	}
	if n.quoted {
		return "the text " + quote(n.text)
	}
	return shorten(n.text)
}

func quote(s string) string { return strconv.Quote(shorten(s)) }

// shorten keeps a finding on one line of a terminal.
func shorten(s string) string {
	const most = 60
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return fmt.Sprintf("%s...", string([]rune(s)[:most]))
}
