package strict

import (
	"slices"
	"strings"
)

// Fields are the keys of a mapping that may stand there. A key that is not allowed is a finding with the nearest word
// that is. The zero Fields has no keys and reports nothing.
type Fields struct {
	At     *Node // the mapping, for findings about what is missing
	values map[string]*Node
}

// Fields checks the keys of a mapping against those allowed. Anything but a mapping is a finding and has no fields.
func (n *Node) Fields(allowed ...string) Fields { return n.FieldsBut(nil, allowed...) }

// FieldsBut is Fields where some keys that are not allowed have a place elsewhere: elsewhere says for each which.
func (n *Node) FieldsBut(elsewhere map[string]string, allowed ...string) Fields {
	entries := n.Entries()
	if !n.IsMap() {
		return Fields{}
	}
	f := Fields{At: n, values: make(map[string]*Node, len(entries))}
	for _, e := range entries {
		if place := elsewhere[e.Key.text]; place != "" {
			e.Key.Fail("key %s has no place here: %s", quote(e.Key.text), place)
			continue
		}
		if !slices.Contains(allowed, e.Key.text) {
			e.Key.Fail("unknown key %s%s; allowed: %s", quote(e.Key.text), meant(e.Key.text, allowed), strings.Join(allowed, ", "))
			continue
		}
		f.values[e.Key.text] = e.Value
	}
	return f
}

// Get returns the value of a key, nil where it is not there.
func (f Fields) Get(key string) *Node { return f.values[key] }

// Need returns the value of a key; its absence is a finding.
func (f Fields) Need(key string) *Node {
	if f.values[key] == nil {
		f.At.Fail("%s is missing", key)
	}
	return f.values[key]
}
