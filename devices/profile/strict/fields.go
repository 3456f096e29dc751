package strict

import (
	"slices"
	"strings"
)

// Fields are the keys of a mapping that are allowed there. Any other key is a finding, which names the nearest allowed
// word. The zero Fields has no keys and reports nothing.
type Fields struct {
	At     *Node // the mapping, for findings about missing keys
	values map[string]*Node
}

// Fields returns the allowed keys of a mapping. A node that is not a mapping is a finding and has none.
func (n *Node) Fields(allowed ...string) Fields { return n.FieldsBut(nil, allowed...) }

// FieldsBut is Fields for a mapping whose readers may expect keys that belong elsewhere: elsewhere says where for each.
func (n *Node) FieldsBut(elsewhere map[string]string, allowed ...string) Fields {
	entries := n.Entries()
	if !n.IsMap() {
		return Fields{}
	}
	f := Fields{At: n, values: make(map[string]*Node, len(entries))}
	for _, e := range entries {
		if place := elsewhere[e.Key.text]; place != "" {
			e.Key.Fail("key %s has no place here: %s", quoteKey(e.Key.text), place)
			continue
		}
		if !slices.Contains(allowed, e.Key.text) {
			if n.report.Full() {
				continue
			}
			e.Key.Fail("unknown key %s%s; allowed: %s", quoteKey(e.Key.text), Meant(e.Key.text, allowed),
				strings.Join(allowed, ", "))
			continue
		}
		f.values[e.Key.text] = e.Value
	}
	return f
}

// Get returns the value of a key, or nil if the key is missing.
func (f Fields) Get(key string) *Node { return f.values[key] }

// Need returns the value of a key. A missing key is a finding.
func (f Fields) Need(key string) *Node {
	if f.values[key] == nil {
		f.At.Fail("%s is missing", key)
	}
	return f.values[key]
}
