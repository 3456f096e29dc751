package strict

import (
	"maps"
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

// Renamed returns the fields with one value under another key, for a mapping that has two names for it.
func Renamed(f Fields, from, to string) Fields {
	values := maps.Clone(f.values)
	values[to] = values[from]
	return Fields{At: f.At, values: values}
}

// Merged returns a mapping with the entries of both; where both have a key, with that of over. Its place is that of
// over.
func Merged(base, over *Node) *Node {
	switch {
	case !base.IsMap():
		return over
	case over == nil:
		return base
	case !over.IsMap():
		return over
	}
	merged := *over
	merged.entries = slices.Clone(base.entries)
	for _, e := range over.entries {
		i := slices.IndexFunc(merged.entries, func(b Entry) bool { return b.Key.text == e.Key.text })
		if i >= 0 {
			merged.entries[i] = e
		} else {
			merged.entries = append(merged.entries, e)
		}
	}
	return &merged
}

// At returns the value of a key of a mapping, or nil.
func (n *Node) At(key string) *Node {
	if !n.IsMap() {
		return nil
	}
	for _, e := range n.entries {
		if e.Key.text == key {
			return e.Value
		}
	}
	return nil
}

// With returns a copy of a mapping that has another value for a key it has, and is unchanged if that is nil.
func (n *Node) With(key string, value *Node) *Node {
	own := *n
	own.entries = slices.Clone(n.entries)
	for i, e := range own.entries {
		if e.Key.text == key && value != nil {
			own.entries[i].Value = value
		}
	}
	return &own
}

// With returns the fields with a value for a key.
func (f Fields) With(key string, value *Node) Fields {
	f.values[key] = value
	return f
}

// Place returns the values of a mapping as Fields, without a look at its keys.
func (n *Node) Place() Fields {
	f := Fields{At: n, values: map[string]*Node{}}
	if n.IsMap() {
		for _, e := range n.entries {
			f.values[e.Key.text] = e.Value
		}
	}
	return f
}
