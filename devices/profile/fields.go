package profile

import (
	"slices"
	"strings"
	"time"

	"solarhub/devices/profile/strict"
)

// reader reads values that may be given once for each variant: it takes that of the variant being read.
type reader struct {
	variants []string // known once identify has been read
	variant  string   // the one being read
}

// pick returns the value of the variant being read where n is a mapping by variant, and n itself otherwise; nil where
// the variant has none, which is a finding.
func (r *reader) pick(key string, n *strict.Node) *strict.Node {
	if n == nil || !n.IsMap() || !slices.ContainsFunc(n.Entries(), func(e strict.Entry) bool { return r.known(e.Key) }) {
		return n
	}
	given := map[string]*strict.Node{}
	for _, e := range n.Entries() {
		given[e.Key.Raw()] = e.Value
		if !r.known(e.Key) {
			e.Key.Fail("%s: variant %q is not one of %s", key, e.Key.Raw(), joinWords(r.variants))
		}
	}
	for _, v := range r.variants {
		if given[v] == nil {
			n.Fail("%s: variant %s is missing", key, v)
		}
	}
	return given[r.variant]
}

func (r *reader) known(n *strict.Node) bool { return slices.Contains(r.variants, n.Raw()) }

// fields is a mapping with known keys. The zero strict.Fields has none and causes no findings.
type fields struct {
	*reader
	strict.Fields
}

// fields reads a mapping with the keys that are listed for it.
func (r *reader) fields(n *strict.Node, mapping string) fields {
	if !n.IsMap() {
		n.Entries() // says so
		return fields{reader: r}
	}
	f := fields{r, n.Fields(formatKeys[mapping].allowed...)}
	f.need(formatKeys[mapping].needed...)
	return f
}

// group reads the mapping behind a key.
func (f fields) group(key, mapping string) fields {
	n := f.get(key)
	if n == nil {
		return fields{reader: f.reader}
	}
	return f.fields(n, mapping)
}

func (f fields) exists() bool { return f.At != nil }

// get returns the value of a key for the variant being read, or nil.
func (f fields) get(key string) *strict.Node { return f.pick(key, f.Get(key)) }

// has reports whether the key is there, be it with a value for this variant or not.
func (f fields) has(key string) bool { return f.Get(key) != nil }

// fail reports at the key's value, or at the mapping where it has none.
func (f fields) fail(key, format string, args ...any) {
	n := f.At
	if v := f.get(key); v != nil {
		n = v
	}
	if n != nil {
		n.Fail(format, args...)
	}
}

// need reports the keys that are missing.
func (f fields) need(keys ...string) {
	for _, key := range keys {
		if f.exists() {
			f.Need(key)
		}
	}
}

// refuse reports the keys that have no place here.
func (f fields) refuse(why string, keys ...string) {
	for _, key := range keys {
		if f.has(key) {
			f.fail(key, "%s has no place here: %s", key, why)
		}
	}
}

// entries returns the keys and values of the mapping behind a key, in order.
func (f fields) entries(key string) []strict.Entry {
	if n := f.get(key); n != nil {
		return n.Entries()
	}
	return nil
}

// list returns the items behind a key; a single value is a list of one.
func (f fields) list(key string) []*strict.Node {
	if n := f.get(key); n != nil {
		return items(n)
	}
	return nil
}

// items returns the items of a list; a single value is a list of one.
func items(n *strict.Node) []*strict.Node {
	if n.IsScalar() {
		return []*strict.Node{n}
	}
	return n.Items()
}

func (f fields) text(key string) string {
	n := f.get(key)
	if n == nil {
		return ""
	}
	return textOf(n)
}

func textOf(n *strict.Node) string {
	text, _ := n.Text()
	return strings.TrimSpace(text)
}

func (f fields) number(key string, fallback float64) float64 {
	if n := f.get(key); n != nil {
		if v, ok := n.Float(); ok {
			return v
		}
	}
	return fallback
}

func (f fields) natural(key string, low, high, fallback uint64) uint64 {
	n := f.get(key)
	if n == nil {
		return fallback
	}
	v, ok := n.Uint(high)
	if ok && v < low {
		n.Fail("%d is below %d", v, low)
		return fallback
	}
	if !ok {
		return fallback
	}
	return v
}

func (f fields) boolean(key string) bool {
	if n := f.get(key); n != nil {
		v, _ := n.Bool()
		return v
	}
	return false
}

func (f fields) duration(key string, low, high time.Duration) time.Duration {
	if n := f.get(key); n != nil {
		d, _ := n.Duration(low, high)
		return d
	}
	return 0
}

// choice returns the index of the word behind a key.
func (f fields) choice(key string, words []string, fallback int) int {
	if n := f.get(key); n != nil {
		if i, ok := n.OneOf(words...); ok {
			return i
		}
	}
	return fallback
}
