package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// shownDigits is how much of a serial number is left: enough to tell two devices apart, too little to ask a maker's
// cloud for the device.
const shownDigits = 3

// redacted returns v as JSON in which every serial number is cut down to its end, also inside of ids, names and errors.
func redacted(v any, serials []string) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("diagnostics: %w", err)
	}
	serials = slices.Clone(serials)
	slices.SortFunc(serials, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	out := string(text)
	for _, serial := range serials {
		if quoted := inJSON(serial); len(serial) > shownDigits {
			out = strings.ReplaceAll(out, quoted, "..."+inJSON(serial[len(serial)-shownDigits:]))
		}
	}
	return json.RawMessage(out), nil
}

// inJSON returns how a text stands inside the quotes of a JSON string.
func inJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return string(quoted[1 : len(quoted)-1])
}
