package profile

import (
	"slices"
	"strconv"
)

// Condition says which devices have a point, by their traits. The zero Condition always holds.
type Condition struct {
	any [][]term // one of these must hold, with all its terms; none: always
}

// term is one comparison of a condition: the trait has one of the words, or lies in one of the spans.
type term struct {
	trait string
	words []string // of a trait with words
	spans []Span   // of a number
}

// Holds reports whether the condition holds of traits that are complete.
func (c Condition) Holds(t Traits) bool {
	return len(c.any) == 0 || slices.ContainsFunc(c.any, func(all []term) bool {
		return !slices.ContainsFunc(all, func(one term) bool { return !one.holds(t[one.trait]) })
	})
}

func (t term) holds(word string) bool {
	if t.spans == nil {
		return slices.Contains(t.words, word)
	}
	n, err := strconv.ParseFloat(word, 64)
	return err == nil && inSpans(t.spans, n)
}
