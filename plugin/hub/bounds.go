package hub

import (
	"fmt"
	"unicode/utf8"

	"solarhub/plugin/host"
)

// Everything that a host sends has a bound before it is kept, logged or sent back.
const (
	maxText     = 255       // characters of a value: what a state of Home Assistant holds
	maxID       = 255       // bytes of an id
	maxDisabled = 512 << 10 // bytes of the list of disabled ids in the cache, which takes 1 MiB for a value
)

// withinBounds refuses a call that no honest host sends. What is too long is not repeated in the error.
func withinBounds(call host.Call) *host.CallError {
	for what, text := range map[string]string{"id of the call": call.CallID, "action": call.Action, "id": call.ID,
		"device": call.Device} {
		if len(text) > maxID {
			return host.NewCallError(host.CodeFailed,
				fmt.Sprintf("the %s has %d bytes, at most %d are allowed", what, len(text), maxID), nil)
		}
	}
	const expected = "a number, a text or on/off"
	switch v := call.Value.(type) {
	case nil, bool, float64, int, int64:
	case string:
		if n := utf8.RuneCountInString(v); n > maxText {
			return wrongType(fmt.Sprintf("a text of %d characters", n), fmt.Sprintf("at most %d characters", maxText))
		}
	default:
		return wrongType("a list or a mapping", expected)
	}
	return nil
}

func wrongType(value, expected string) *host.CallError {
	return host.NewCallError(host.CodeWrongType, fmt.Sprintf("the value is %s, expected is %s", value, expected),
		map[string]string{"value": value, "expected": expected})
}

// firstIDs returns as many of the sorted ids as fit into the cache.
func firstIDs(ids []string) []string {
	size := 0
	for i, id := range ids {
		if size += len(id) + len(`"",`); size > maxDisabled {
			return ids[:i]
		}
	}
	return ids
}
