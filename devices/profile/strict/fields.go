package strict

import (
	"slices"
	"strings"
	"time"
)

// Fields are the entries of a map with known keys. The zero value, which stands for a missing map, has none and adds no
// findings. The getters return the fallback where the key is missing or its value is a finding.
type Fields struct {
	node *Node
}

// Fields returns the entries of a map that may have the allowed keys; every other key is a finding.
func (n *Node) Fields(allowed ...string) Fields {
	entries, ok := n.Entries()
	if !ok {
		return Fields{}
	}
	for _, e := range entries {
		if !slices.Contains(allowed, e.Name()) {
			e.Key.Finding("unknown key %s%s; allowed: %s", quote(e.Name()), didYouMean(e.Name(), allowed), strings.Join(allowed, ", "))
		}
	}
	return Fields{n}
}

// Exists reports whether there is such a map.
func (f Fields) Exists() bool { return f.node != nil }

// Node returns the node of the map, nil where there is none.
func (f Fields) Node() *Node { return f.node }

// Entry returns the key and its value; both are nil where the key is missing.
func (f Fields) Entry(key string) Entry {
	if f.node != nil {
		for _, e := range f.node.entries {
			if e.Name() == key {
				return e
			}
		}
	}
	return Entry{}
}

// Get returns the value of the key, nil where the key is missing.
func (f Fields) Get(key string) *Node { return f.Entry(key).Value }

// Has reports whether the key is there, whatever its value.
func (f Fields) Has(key string) bool { return f.Get(key) != nil }

// Need adds a finding at the map for each key that is missing.
func (f Fields) Need(keys ...string) {
	for _, key := range keys {
		if !f.Has(key) {
			f.node.Finding("key %s is missing", quote(key))
		}
	}
}

// Finding adds a finding at the value of the key, or at the map where the key is missing.
func (f Fields) Finding(key, format string, args ...any) {
	if n := f.Get(key); n != nil {
		n.Finding(format, args...)
		return
	}
	f.node.Finding(format, args...)
}

// Fields returns the map behind the key, the zero Fields where it is missing.
func (f Fields) Fields(key string, allowed ...string) Fields { return f.Get(key).Fields(allowed...) }

// Entries returns the entries of the map behind the key, whatever their keys, in the order of the file.
func (f Fields) Entries(key string) []Entry {
	entries, _ := f.Get(key).Entries()
	return entries
}

// List returns the items of the list behind the key.
func (f Fields) List(key string) []*Node {
	items, _ := f.Get(key).List()
	return items
}

// Text returns the text behind the key.
func (f Fields) Text(key, fallback string) string { return or(fallback)(f.Get(key).Text()) }

// Int returns the whole number behind the key, low..high in plain decimals.
func (f Fields) Int(key string, low, high, fallback int64) int64 {
	return or(fallback)(f.Get(key).Int(low, high))
}

// Natural returns the whole number behind the key, 0..high in decimals or behind 0x.
func (f Fields) Natural(key string, high, fallback uint64) uint64 {
	return or(fallback)(f.Get(key).Natural(high))
}

// Float returns the number behind the key.
func (f Fields) Float(key string, fallback float64) float64 { return or(fallback)(f.Get(key).Float()) }

// Bool returns the switch behind the key.
func (f Fields) Bool(key string, fallback bool) bool { return or(fallback)(f.Get(key).Bool()) }

// Duration returns the time span behind the key, low..high.
func (f Fields) Duration(key string, low, high, fallback time.Duration) time.Duration {
	return or(fallback)(f.Get(key).Duration(low, high))
}

// OneOf returns the word behind the key, one of the allowed ones.
func (f Fields) OneOf(key, fallback string, allowed ...string) string {
	return or(fallback)(f.Get(key).OneOf(allowed...))
}

// or turns what a getter returns into its value or the fallback.
func or[T any](fallback T) func(T, bool) T {
	return func(value T, ok bool) T {
		if ok {
			return value
		}
		return fallback
	}
}
