package strict

import "strings"

// Fields are the keys of a mapping that may stand there. A key that is not allowed is a finding with the nearest word
// that is.
type Fields struct {
	At     *Node // the mapping, for findings about what is missing
	values map[string]*Node
}

// Fields checks the keys of a mapping against those allowed.
func (n *Node) Fields(allowed ...string) Fields {
	f := Fields{At: n, values: map[string]*Node{}}
	for _, e := range n.Entries() {
		known := false
		for _, a := range allowed {
			known = known || a == e.Key.text
		}
		if !known {
			e.Key.Fail("unknown key %q%s; allowed: %s", e.Key.text, meant(e.Key.text, allowed), strings.Join(allowed, ", "))
			continue
		}
		f.values[e.Key.text] = e.Value
	}
	return f
}

// Get returns the value of a key, nil where it is not there.
func (f Fields) Get(key string) *Node { return f.values[key] }

// Need returns the value of a key; its absence is a finding.
func (f Fields) Need(key string) *Node {
	if f.values[key] == nil {
		f.At.Fail("%s is missing", key)
	}
	return f.values[key]
}

// meant guesses what a misspelt word was to be: at most a third of its letters may differ.
func meant(word string, allowed []string) string {
	best, least := "", len(word)/3+1
	for _, a := range allowed {
		if d := distance(strings.ToLower(word), a); d < least {
			best, least = a, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// distance counts the letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
