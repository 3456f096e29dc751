package profile

import (
	"strings"
	"time"

	"solarhub/devices/profile/strict"
)

// reader reads the values of one case of a point. A profile can give a value for each word of a trait; the reader picks
// the right one.
type reader struct {
	words  map[string]string // the trait of each word, known once the traits have been read
	chosen map[string]string // the word of each trait by which the point that is read is split
}

// byWord returns the trait by whose words n gives values, empty if it does not.
func (r *reader) byWord(n *strict.Node) (trait string) {
	if n == nil || !n.IsMap() {
		return ""
	}
	for _, e := range n.Entries() {
		if t, ok := r.words[e.Key.Raw()]; ok {
			return t
		}
	}
	return ""
}

// pick returns n itself, or the value for the word that was chosen if n is a mapping by the words of a trait. A word
// that is missing there is a finding, and its value is nil.
func (r *reader) pick(key string, n *strict.Node) *strict.Node {
	trait := r.byWord(n)
	if trait == "" {
		return n
	}
	var chosen, otherwise *strict.Node
	for _, e := range n.Entries() {
		switch word := e.Key.Raw(); {
		case word == "else":
			otherwise = e.Value
		case r.words[word] != trait:
			e.Key.Fail("%s: %q is no word of %s", key, word, trait)
		case word == r.chosen[trait]:
			chosen = e.Value
		}
	}
	if chosen == nil && otherwise == nil && r.chosen[trait] != "" {
		n.Fail("%s: %s is missing", key, r.chosen[trait])
	}
	if chosen == nil {
		return otherwise
	}
	return chosen
}

// fields is a mapping of the format. The zero value has no keys and reports nothing.
type fields struct {
	*reader
	strict.Fields
}

// fields reads a mapping. The keys that it can have are listed in keys.go.
func (r *reader) fields(n *strict.Node, mapping string) fields {
	if !n.IsMap() {
		n.Entries() // reports it
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

// get returns the value of a key for the case being read, or nil.
func (f fields) get(key string) *strict.Node { return f.pick(key, f.Get(key)) }
func (f fields) has(key string) bool         { return f.Get(key) != nil }

// fail adds a finding at the value of a key, or at the mapping if the key is missing.
func (f fields) fail(key, format string, args ...any) {
	n := f.At
	if v := f.get(key); v != nil {
		n = v
	}
	if n != nil {
		n.Fail(format, args...)
	}
}

// need adds a finding for each key that is missing.
func (f fields) need(keys ...string) {
	for _, key := range keys {
		if f.exists() {
			f.Need(key)
		}
	}
}

// refuse adds a finding for each of the keys that is given, and says why it has no place here.
func (f fields) refuse(why string, keys ...string) {
	for _, key := range keys {
		if f.has(key) {
			f.fail(key, "%s has no place here: %s", key, why)
		}
	}
}

// entries returns the keys and values of the mapping behind a key, in order.
func (f fields) entries(key string) []strict.Entry { return f.get(key).Entries() }

// list returns the items behind a key; a single value is a list of one.
func (f fields) list(key string) []*strict.Node { return items(f.get(key)) }

// items returns the items of a list; a single value or mapping is a list of one.
func items(n *strict.Node) []*strict.Node {
	if n.IsScalar() || n.IsMap() {
		return []*strict.Node{n}
	}
	return n.Items()
}

func (f fields) text(key string) string { return textOf(f.get(key)) }

func textOf(n *strict.Node) string {
	text, _ := n.Text()
	return strings.TrimSpace(text)
}

func (f fields) boolean(key string) bool {
	v, _ := f.get(key).Bool()
	return v
}

func (f fields) duration(key string, low, high time.Duration) time.Duration {
	d, _ := f.get(key).Duration(low, high)
	return d
}

func (f fields) number(key string, fallback float64) float64 {
	if v, ok := f.get(key).Float(); ok {
		return v
	}
	return fallback
}

func (f fields) natural(key string, low, high, fallback uint64) uint64 {
	v, ok := f.get(key).Uint(high)
	switch {
	case !ok:
		return fallback
	case v < low:
		f.fail(key, "%d is below %d", v, low)
		return fallback
	}
	return v
}

// choice returns the index of the word behind a key.
func (f fields) choice(key string, words []string, fallback int) int {
	if i, ok := f.get(key).OneOf(words...); ok {
		return i
	}
	return fallback
}
