package profile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// keyForm is the form of a point's key, which becomes part of the host's unique_id and so stays for ever.
var keyForm = regexp.MustCompile(`^[a-z][a-z0-9_]{1,62}$`)

// wordForm is the form of the ids of profiles, parts, variants and sources.
var (
	wordForm   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	sourceForm = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,31}$`)
)

// maxName keeps a name on one line of a card next to its value.
const maxName = 40

// jargon are vendors' abbreviations with the plain words for them.
var jargon = map[string]string{
	"bat": "battery", "batt": "battery", "cap": "capacity", "chg": "charge", "curr": "current", "dischg": "discharge",
	"dod": "depth of discharge", "eod": "end of discharge", "eps": "backup output", "freq": "frequency", "gen": "generator",
	"inv": "inverter", "max": "maximum", "min": "minimum", "num": "number", "pct": "percent", "pwr": "power", "soc": "state of charge",
	"soh": "state of health", "temp": "temperature", "tou": "time of use", "ups": "backup output", "volt": "voltage", "watt": "power",
}

// proper are the words that keep their capital within a name.
var proper = wordSet("Monday Tuesday Wednesday Thursday Friday Saturday Sunday Modbus Bluetooth Ethernet Internet Celsius")

func wordSet(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// checkName returns what is wrong with a name that people will read, one sentence each.
func checkName(name string) []string {
	var wrong []string
	if n := len([]rune(name)); n > maxName {
		wrong = append(wrong, fmt.Sprintf("name %q has %d characters, more than %d", name, n, maxName))
	}
	if name != strings.Join(strings.Fields(name), " ") || name == "" {
		return append(wrong, fmt.Sprintf("name %q is empty or has blanks too many", name))
	}
	for i, word := range strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
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

// titled reports a capital followed by small letters, unless the word always has it. Abbreviations (AC, L1) pass.
func titled(word string) bool {
	runes := []rune(word)
	return len(runes) > 1 && unicode.IsUpper(runes[0]) && unicode.IsLower(runes[1]) && !proper[word] && !proper[strings.TrimSuffix(word, "s")]
}
