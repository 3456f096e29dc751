package profile

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

// Condition says which devices have a point, by their traits. The zero Condition always holds. A device either has a
// trait's word or has not, so a conjunction can hold if for each trait one word is left that all of its terms allow.
type Condition struct {
	any [][]term // one of these must hold, with all its terms; none: always
}

// term is one comparison of a condition: the trait has one of the words, or lies in one of the spans.
type term struct {
	trait string
	words []string // of a trait with words
	spans []Span   // of a number
}

// maxClauses is how many alternatives a condition can have, with those of the groups around it.
const maxClauses = 256

// Always reports whether the condition holds of all devices.
func (c Condition) Always() bool { return len(c.any) == 0 }

// Holds reports whether the condition holds of traits that are complete.
func (c Condition) Holds(t Traits) bool {
	return len(c.any) == 0 || slices.ContainsFunc(c.any, func(all []term) bool {
		return !slices.ContainsFunc(all, func(one term) bool { return !one.holds(t[one.trait]) })
	})
}

func (t term) holds(word string) bool {
	if t.words != nil {
		return slices.Contains(t.words, word)
	}
	n, err := strconv.ParseFloat(word, 64)
	return err == nil && inSpans(t.spans, n)
}

// and returns the condition that both hold. It is not ok if that can never be.
func (c Condition) and(d Condition) (both Condition, ok bool) {
	switch {
	case len(c.any) == 0:
		return d, true
	case len(d.any) == 0:
		return c, true
	}
	for _, a := range c.any {
		for _, b := range d.any {
			if clause, ok := meet(a, b); ok && len(both.any) < maxClauses {
				both.any = append(both.any, clause)
			}
		}
	}
	return both, len(both.any) > 0
}

// canMeet reports whether one device can have both.
func (c Condition) canMeet(d Condition) bool {
	if len(c.any) == 0 || len(d.any) == 0 {
		return true
	}
	return slices.ContainsFunc(c.any, func(a []term) bool {
		return slices.ContainsFunc(d.any, func(b []term) bool {
			for _, x := range a {
				for _, y := range b {
					if _, ok := x.meet(y); x.trait == y.trait && !ok {
						return false
					}
				}
			}
			return true
		})
	})
}

// meet returns the conjunction of two, with one term for each trait.
func meet(a, b []term) (both []term, ok bool) {
	both = slices.Clone(a)
	for _, t := range b {
		i := slices.IndexFunc(both, func(o term) bool { return o.trait == t.trait })
		if i < 0 {
			both = append(both, t)
		} else if both[i], ok = both[i].meet(t); !ok {
			return nil, false
		}
	}
	return both, true
}

// meet returns what two terms of one trait both allow.
func (t term) meet(o term) (term, bool) {
	both := term{trait: t.trait}
	if t.words != nil {
		both.words = []string{}
		for _, w := range t.words {
			if slices.Contains(o.words, w) {
				both.words = append(both.words, w)
			}
		}
		return both, len(both.words) > 0
	}
	for _, a := range t.spans {
		for _, b := range o.spans {
			if s := (Span{max(a.Low, b.Low), min(a.High, b.High)}); s.Low <= s.High {
				both.spans = append(both.spans, s)
			}
		}
	}
	return both, len(both.spans) > 0
}

// is returns the condition that a trait has one of the words.
func is(trait string, words ...string) Condition {
	return Condition{any: [][]term{{{trait: trait, words: words}}}}
}

// compared returns the whole numbers from low to high that compare so with n.
func compared(how string, n, low, high float64) []Span {
	var spans []Span
	switch how {
	case "=":
		spans = []Span{{n, n}}
	case "!=":
		spans = []Span{{low, n - 1}, {n + 1, high}}
	case ">=":
		spans = []Span{{n, high}}
	case ">":
		spans = []Span{{n + 1, high}}
	case "<=":
		spans = []Span{{low, n}}
	case "<":
		spans = []Span{{low, n - 1}}
	}
	var within []Span
	for _, s := range spans {
		if s = (Span{max(s.Low, low), min(s.High, high)}); s.Low <= s.High {
			within = append(within, s)
		}
	}
	slices.SortFunc(within, func(a, b Span) int { return cmp.Compare(a.Low, b.Low) })
	return within
}

// from returns the condition that a number is at least n.
func from(trait string, n int) Condition {
	return Condition{any: [][]term{{{trait: trait, spans: []Span{{float64(n), math.MaxInt64}}}}}}
}

// opposite returns the condition that a term does not hold; none at all if it always does.
func (l *loader) opposite(one term) Condition {
	t, ok := l.p.Trait(one.trait)
	switch {
	case !ok: // a model of SunSpec
		return is(one.trait, yesOrNo(!slices.Contains(one.words, "yes")))
	case one.words != nil:
		rest := slices.DeleteFunc(slices.Clone(t.Words), func(w string) bool { return slices.Contains(one.words, w) })
		if len(rest) == 0 {
			return Condition{}
		}
		return is(one.trait, rest...)
	}
	rest := term{trait: one.trait}
	next := float64(t.Low)
	for _, s := range one.spans {
		if next < s.Low {
			rest.spans = append(rest.spans, Span{next, s.Low - 1})
		}
		next = s.High + 1
	}
	if next <= float64(t.High) {
		rest.spans = append(rest.spans, Span{next, float64(t.High)})
	}
	if rest.spans == nil {
		return Condition{}
	}
	return Condition{any: [][]term{{rest}}}
}
