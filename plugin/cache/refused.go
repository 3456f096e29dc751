package cache

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// What a key and a value may be. A value may have 15 % of memTable at most.
const (
	maxKey   = 1 << 10
	maxValue = 64 << 10
)

// RefusedError: keys of a batch that can never be written, because the key or its value is too long.
type RefusedError struct {
	reasons map[string]string // by key
}

func (e *RefusedError) Error() string {
	var texts []string
	for _, key := range e.Keys() {
		texts = append(texts, fmt.Sprintf("%.100q %s", key, e.reasons[key]))
	}
	return "cache: " + strings.Join(texts, "; ")
}

// Keys returns what was left out, in order.
func (e *RefusedError) Keys() []string { return slices.Sorted(maps.Keys(e.reasons)) }

// sift parts a batch into what can be written and what cannot. refused is nil if all can.
func sift(batch map[string][]byte) (good map[string][]byte, refused *RefusedError) {
	good = map[string][]byte{}
	for key, value := range batch {
		reason := reasonAgainst(key, value)
		if reason == "" {
			good[key] = value
			continue
		}
		if refused == nil {
			refused = &RefusedError{reasons: map[string]string{}}
		}
		refused.reasons[key] = reason
	}
	return good, refused
}

func reasonAgainst(key string, value []byte) string {
	switch {
	case key == "":
		return "is no key"
	case strings.HasPrefix(key, "!badger!"):
		return "is a key that Badger keeps for itself"
	case len(key) > maxKey:
		return fmt.Sprintf("has %d bytes; a key may have %d", len(key), maxKey)
	case len(value) > maxValue:
		return fmt.Sprintf("has a value of %d bytes; it may have %d", len(value), maxValue)
	}
	return ""
}
