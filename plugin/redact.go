package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// shownDigits is how much of a serial number is left: enough to tell two devices apart, too little to ask a maker's
// cloud for the device.
const shownDigits = 3

// redacted returns v as JSON in which every serial number is cut down to its end, also inside of ids, names and errors.
// Only whole words are serial numbers: the id 1234 is not in 12345.
func redacted(v any, serials []string) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("diagnostics: %w", err)
	}
	serials = slices.Clone(serials)
	slices.SortFunc(serials, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	out := string(text)
	for _, serial := range serials {
		if len(serial) > shownDigits {
			out = replaceWord(out, inJSON(serial), "..."+inJSON(serial[len(serial)-shownDigits:]))
		}
	}
	return json.RawMessage(out), nil
}

// replaceWord replaces a word where neither a letter nor a digit stands beside it.
func replaceWord(text, word, by string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, word)
		if !found {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(before)
		last, _ := utf8.DecodeLastRuneInString(before)
		next, _ := utf8.DecodeRuneInString(after)
		if isWordRune(last) || isWordRune(next) {
			_, size := utf8.DecodeRuneInString(word)
			out.WriteString(word[:size])
			text = word[size:] + after
			continue
		}
		out.WriteString(by)
		text = after
	}
}

func isWordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// inJSON returns how a text stands inside the quotes of a JSON string.
func inJSON(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return text
	}
	return string(quoted[1 : len(quoted)-1])
}
