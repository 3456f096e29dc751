package profile

import "fmt"

// Plausible reports whether a value lies in the range of the point. Every value does if the range is not known.
func (p Point) Plausible(v float64) bool {
	return p.Range == (Span{}) || p.Range.Low <= v && v <= p.Range.High
}

// wide are the ranges of floats that name themselves, by their unit: wide enough for a large site, and too narrow for
// most of what words in the wrong order make.
var wide = map[string]Span{
	"W": {-1e7, 1e7}, "VA": {-1e7, 1e7}, "var": {-1e7, 1e7}, "kW": {-1e4, 1e4}, "A": {-1e4, 1e4}, "Hz": {0, 1000},
}

// plausible reads which values the point can have: those of its quantity, unless it says its own.
func (l *loader) plausible(f fields, t *template) {
	p := &t.point
	if !p.Spec.IsNumber() || isButton(f) {
		f.refuse("only a number has it", "range")
		return
	}
	switch p.Range = t.quantity.Range; {
	case f.has("range"):
		p.Range = f.span("range")
	case !f.has("is"):
		if p.Spec.Type.Float() {
			p.Range = wide[p.Unit]
		}
		return
	}
	if p.Range == (Span{}) || p.Formula != nil || p.Spec.ScaleWord || t.scaled() {
		return
	}
	if low, high := p.Spec.Bounds(); low > p.Range.High || high < p.Range.Low {
		held := Span{low, high}
		f.fail("range", "range %s: the register holds %s, so no value would ever be plausible", p.Range, held)
	}
}

// beyond returns which limits of a writable number lie outside of its plausible values.
func (p Point) beyond(w Write) (problems []Problem) {
	for _, limit := range []struct {
		key   string
		value float64
	}{{"min", w.Min}, {"max", w.Max}} {
		if !p.Plausible(limit.value) {
			problems = append(problems, Problem{limit.key,
				fmt.Sprintf("%s %s is beyond the plausible %s", limit.key, number(limit.value), p.Range)})
		}
	}
	return problems
}
