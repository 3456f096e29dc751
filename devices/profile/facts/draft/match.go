package main

import (
	"cmp"
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/facts"
)

// spellingsFile holds the words that sources use, and the words of the vocabulary for them: longest first where one is
// part of another.
//
//go:embed spellings.csv
var spellingsFile string

var spellings = readSpellings()

// spelling is a word or a phrase of a source, as _state_of_charge_, and the word for it.
type spelling struct{ from, to string }

func readSpellings() []spelling {
	var all []spelling
	for l := range strings.Lines(strings.TrimSpace(spellingsFile)) {
		from, to, _ := strings.Cut(strings.TrimSpace(l), ",")
		all = append(all, spelling{"_" + from + "_", "_" + strings.ReplaceAll(to, " ", "_") + "_"})
	}
	slices.SortStableFunc(all, func(a, b spelling) int { return -cmp.Compare(len(a.from), len(b.from)) })
	return all
}

var (
	lineToLine = regexp.MustCompile(`_(l1_?l2|l2_?l3|l3_?l1|ab|bc|ca|rs|st|tr)_`)
	phase      = regexp.MustCompile(`_(?:phase_?)?([abc]|[rst])_`)
	number     = regexp.MustCompile(`[0-9]+`)
	glued      = regexp.MustCompile(`([a-z])([0-9])|([0-9])([a-z])`)
)

// words returns the words of a key in the spelling of the vocabulary, and the first number in it.
func words(key, unit string) (map[string]bool, string) {
	k := "_" + strings.ToLower(key) + "_"
	k = lineToLine.ReplaceAllString(k, "_line_")
	k = phase.ReplaceAllStringFunc(k, func(m string) string {
		letter := strings.Trim(strings.TrimPrefix(m, "_phase"), "_")
		return "_l" + string("123123"[strings.Index("abcrst", letter)]) + "_"
	})
	n := number.FindString(k)
	k = glued.ReplaceAllString(k, "${1}${3}_${2}${4}")
	for _, sp := range slices.Concat(spellings, spellings) { // twice: a word has two neighbours, or leads to another
		k = strings.ReplaceAll(k, sp.from, sp.to)
	}
	set := map[string]bool{}
	for _, w := range strings.FieldsFunc(k, func(r rune) bool { return r == '_' }) {
		if number.MatchString(w) || w == "{n}" {
			w = "{n}"
		}
		set[w] = true
	}
	implied(set, unit)
	return set, n
}

// implied adds what the unit says, and takes away what goes without saying.
func implied(set map[string]bool, unit string) {
	if base, _ := facts.Base(unit); base != "" && unitWords[base] != "" {
		set[unitWords[base]] = true
	}
	if set["import"] || set["export"] {
		set["grid"] = true
	}
	if set["energy"] {
		delete(set, "total")
	}
	if set["soc"] || set["soh"] || set["charge"] || set["discharge"] {
		set["battery"] = true
	}
	delete(set, "phase")
}

var unitWords = map[string]string{"W": "power", "Wh": "energy", "V": "voltage", "A": "current", "Hz": "frequency",
	"°C": "temperature", "var": "reactive", "VA": "apparent"}

// guess is a quantity that a row may be.
type guess struct {
	quantity profile.Quantity
	n        string
	score    float64 // 1: the same words
}

// least is the score below which a guess is none.
const least = 0.75

// quantityOf returns the best guess for a row, and false if there is none.
func quantityOf(row facts.Row, meter bool) (guess, bool) {
	set, n := words(row.Key, row.Unit)
	var best guess
	for _, q := range vocabulary() {
		if !unitsAgree(q, row) || q.Part != "" && meter && !strings.HasPrefix(q.Part, "l{") || q.ofMeter && !meter {
			continue
		}
		g := guess{quantity: q.Quantity, score: alike(set, q.words)}
		if q.Numbered() {
			g.n = n
		} else if n != "" {
			g.score -= 0.1
		}
		if q.Category == "config" != row.Write {
			g.score -= 0.1
		}
		if q.Numbered() && n == "" {
			continue
		}
		if g.score > best.score {
			best = g
		}
	}
	return best, best.score >= least
}

type spelled struct {
	profile.Quantity
	words   map[string]bool
	ofMeter bool // an inverter has the same of its grid
}

var spelledOnce []spelled

func vocabulary() []spelled {
	if spelledOnce == nil {
		for _, q := range profile.Quantities() {
			set, _ := words(strings.ReplaceAll(q.Key, "l{n}", "l_{n}"), q.Unit)
			_, _, grid := profile.QuantityOf("grid_" + q.Key)
			spelledOnce = append(spelledOnce, spelled{q, set, grid})
		}
	}
	return spelledOnce
}

func unitsAgree(q spelled, row facts.Row) bool {
	a, _ := facts.Base(q.Unit)
	b, _ := facts.Base(row.Unit)
	if q.Form != "number" && q.Form != "any" {
		return row.Unit == ""
	}
	return a == b || row.Unit == "" && row.Marked("unit_not_stated")
}

// alike is the share of the words that both have.
func alike(a, b map[string]bool) float64 {
	both := 0
	for w := range a {
		if b[w] {
			both++
		}
	}
	return 2 * float64(both) / float64(len(a)+len(b))
}

// isMeter reports whether the tables are those of an energy meter: none knows a battery or solar inputs.
func isMeter(tables []facts.Table) bool {
	for _, t := range tables {
		for _, r := range t.Rows {
			if set, _ := words(r.Key, ""); set["battery"] || set["pv"] && !set["energy"] {
				return false
			}
		}
	}
	return true
}
