package profile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"solarhub/devices/profile/strict"
)

// form is how a word must be spelt, and how a finding says that.
type form struct {
	*regexp.Regexp
	words string
}

func (f form) String() string { return f.words }

// keyForm is the form of a point's key. The key becomes part of the unique_id in the host, so it can never change.
var keyForm = form{regexp.MustCompile(`^[a-z][a-z0-9_]{1,62}$`),
	"2 to 63 lower-case letters, digits and _, a letter first"}

// wordForm is the form of the ids of profiles, parts, variants and sources.
var (
	wordForm = form{regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`),
		"1 to 32 lower-case letters, digits and _, a letter first"}
	sourceForm = form{regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`),
		"1 to 32 lower-case letters, digits, - and _, a letter first"}
)

// maxName is the longest name, in characters: it must fit on one line of a card, next to the value.
const maxName = 40

// jargon are the abbreviations of makers, and the plain words for them.
var jargon = map[string]string{
	"bat": "battery", "batt": "battery", "cap": "capacity", "chg": "charge", "curr": "current", "dischg": "discharge",
	"dod": "depth of discharge", "eod": "end of discharge", "eps": "backup output", "freq": "frequency",
	"gen": "generator",
	"inv": "inverter", "max": "maximum", "min": "minimum", "num": "number", "pct": "percent", "pwr": "power",
	"soc": "state of charge",
	"soh": "state of health", "temp": "temperature", "tou": "time of use", "ups": "backup output", "volt": "voltage",
	"watt": "power",
}

// proper are the words that have a capital anywhere in a name.
var proper = wordSet("Monday Tuesday Wednesday Thursday Friday Saturday Sunday Modbus Bluetooth Ethernet Internet " +
	"Celsius")

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// checkName returns what is wrong with a name that people read, one sentence for each fault.
func checkName(name string) []string {
	var wrong []string
	if n := len([]rune(name)); n > maxName {
		wrong = append(wrong, fmt.Sprintf("name %q has %d characters, more than %d", name, n, maxName))
	}
	if name != strings.Join(strings.Fields(name), " ") || name == "" {
		return append(wrong, fmt.Sprintf("name %q is empty or has too many blanks", name))
	}
	for i, word := range strings.FieldsFunc(name,
		func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		if plain, ok := jargon[strings.ToLower(word)]; ok {
			wrong = append(wrong, fmt.Sprintf("name %q: say %q for %q", name, plain, word))
		} else if i > 0 && titled(word) {
			wrong = append(wrong, fmt.Sprintf("name %q: sentence case has no capital in %q", name, word))
		}
	}
	if first := []rune(name)[0]; unicode.IsLower(first) {
		wrong = append(wrong, fmt.Sprintf("name %q: sentence case begins with a capital", name))
	}
	return wrong
}

// titled reports whether a word has a capital and small letters, and no right to the capital. Abbreviations (AC, L1)
// have.
func titled(word string) bool {
	runes := []rune(word)
	return len(runes) > 1 && unicode.IsUpper(runes[0]) && unicode.IsLower(runes[1]) && !proper[word] &&
		!proper[strings.TrimSuffix(word, "s")]
}

// letterForm is the place of a number in the key of a repeated point: {n}.
var letterForm = regexp.MustCompile(`\{[a-z]\}`)

// Nearest returns the name among several that somebody most likely meant; "" if there are none.
func Nearest(name string, among []string) string { return strict.Nearest(name, among) }
