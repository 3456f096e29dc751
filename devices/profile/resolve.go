package profile

import (
	"math"
	"slices"
)

// entry is a point with what decides whether a device has it, and what of it follows from the traits.
type entry struct {
	when    Condition
	point   Point
	place   *Place       // its addresses are offsets in a model of SunSpec
	shift   expression   // added to its addresses
	numbers []numberFrom // that follow from traits
	formula expression   // of a derived value
	turn    []Turn
}

// numberFrom is a number of a point that follows from traits.
type numberFrom struct {
	key  string // scale, offset, min, max or step
	from expression
}

// Resolve returns the points of a device with the traits, in the order of the profile. A trait that is missing is as
// its Otherwise says. The slice belongs to the caller; the points refer to shared data, which must not be changed.
func (p *Profile) Resolve(traits Traits) ([]Point, error) {
	full, err := p.complete(traits)
	if err != nil {
		return nil, err
	}
	var chain Chain
	if p.SunSpec != nil {
		if chain, err = ParseChain(full[ChainTrait]); err != nil {
			return nil, err
		}
		full.withModels(chain, p.models)
	}
	points := make([]Point, 0, len(p.entries))
	derived := map[int]entry{}
	for _, e := range p.entries {
		if !e.when.Holds(full) {
			continue
		}
		point, ok := e.in(full, chain)
		if !ok {
			continue
		}
		if e.formula != nil {
			derived[len(points)] = e
		}
		points = append(points, point)
	}
	if len(derived) > 0 {
		points = derive(points, derived)
	}
	if p.overrides.Order != nil || len(p.overrides.Points) > 0 {
		for i := range points {
			points[i] = p.override(points[i])
		}
	}
	return slices.Clone(p.grouped(enableSpare(points))), nil // a device has few of the points of a large family
}

// enoughOn is how many points an owner finds on at first, if the device has them.
const enoughOn = 25

// enableSpare turns on more of a device that has few points on at first: those of the vocabulary that come next.
func enableSpare(points []Point) []Point {
	on := 0
	var spare []*Point
	for i := range points {
		if h := points[i].Entity; h.Enabled {
			on++
		} else if h.Spare > 0 {
			spare = append(spare, &points[i])
		}
	}
	slices.SortStableFunc(spare, func(a, b *Point) int { return a.Entity.Spare - b.Entity.Spare })
	for _, p := range spare[:min(len(spare), max(enoughOn-on, 0))] {
		p.Entity.Enabled = true
	}
	return points
}

// in returns the point of a device with the traits. It is not there if the device lacks its model.
func (e entry) in(t Traits, chain Chain) (Point, bool) {
	p := e.point
	if e.place == nil && e.numbers == nil && e.shift == nil {
		return p, true
	}
	if by := e.shift.at(t); by != 0 {
		p.Ranges = slices.Clone(p.Ranges)
		moving := p.Ranges
		if p.Spec.ScaleWord {
			moving = moving[:len(moving)-1] // the power of ten stays where it is
		}
		for i := range moving {
			if at := float64(p.Ranges[i].Addr) + by; at < 0 || at > 65535 {
				return p, false
			}
			p.Ranges[i].Addr += uint16(by)
		}
	}
	if e.place != nil {
		var ok bool
		if p.Ranges, ok = chain.move(*e.place, p.Ranges); !ok {
			return p, false
		}
		if p.Write != nil && p.Write.Ranges != nil {
			w := *p.Write
			if w.Ranges, ok = chain.move(*e.place, w.Ranges); !ok {
				return p, false
			}
			p.Write = &w
		}
	}
	return e.count(p, t)
}

// count fills in the numbers that follow from traits. Limits that are none make the point read only.
func (e entry) count(p Point, t Traits) (Point, bool) {
	if e.numbers == nil {
		return p, true
	}
	var w Write
	if p.Write != nil {
		w = *p.Write
	}
	for _, n := range e.numbers {
		v := n.from.at(t)
		switch n.key {
		case "scale":
			p.Spec.Scale = v
		case "offset":
			p.Spec.Offset = v
		case "min":
			w.Min = v
		case "max":
			w.Max = v
		case "step":
			w.Step = v
		}
	}
	if p.Spec.Scale == 0 || math.Abs(p.Spec.Scale) > 1e9 {
		return p, false
	}
	if p.Write == nil {
		return p, true
	}
	if p.Write = &w; p.Spec.IsNumber() && !w.fit(p) {
		p.Write = nil
		p.Entity.Platform, p.Entity.Mode = platform(p, false), ""
		if p.Entity.Category == "config" {
			p.Entity.Category = "diagnostic"
		}
	}
	return p, true
}

// fit rounds limits inwards to the grid of the register, and reports whether they are limits then.
func (w *Write) fit(p Point) bool {
	grid := p.Spec.Grid()
	if grid > 0 {
		if w.Step == 0 {
			w.Step = grid
		}
		w.Step = max(math.Round(w.Step/grid), 1) * grid
		w.Min = math.Ceil((w.Min-p.Spec.Offset)/grid-1e-6)*grid + p.Spec.Offset
	}
	if w.Step > 0 {
		w.Max = w.Min + math.Floor((w.Max-w.Min)/w.Step+1e-6)*w.Step
	}
	w.Min, w.Max, w.Step = tidy(w.Min), tidy(w.Max), tidy(w.Step)
	w.Single = w.Single && p.Spec.Words() == 1
	_, spec := Point{Spec: p.Spec, Write: w}.WriteTo()
	return len(checkLimits(spec, *w)) == 0
}

// tidy removes the noise of binary fractions.
func tidy(v float64) float64 { return math.Round(v*1e9) / 1e9 }

// derive fills in the formulas, and leaves out what follows from points that the device does not have. One of those can
// follow from another.
func derive(points []Point, derived map[int]entry) []Point {
	has := map[string]bool{}
	for _, p := range points {
		has[p.Key] = true
	}
	missing := map[int]bool{}
	for changed := true; changed; {
		changed = false
		for i, e := range derived {
			if missing[i] {
				continue
			}
			formula, ok := e.formulaOf(points, has)
			if points[i].Formula = formula; !ok {
				missing[i], has[points[i].Key], changed = true, false, true
			}
		}
	}
	kept := points[:0]
	for i, p := range points {
		if !missing[i] {
			kept = append(kept, p)
		}
	}
	return kept
}

// formulaOf returns the formula over the points that there are. It is not ok if one is missing, or if a sum is of none.
func (e entry) formulaOf(points []Point, has map[string]bool) (*Formula, bool) {
	f := &Formula{Turn: e.turn}
	for _, p := range e.formula {
		if !p.sum {
			f.Terms = append(f.Terms, Term{p.factor, p.names})
			continue
		}
		before := len(f.Terms)
		for _, point := range points {
			if point.Key != e.point.Key && has[point.Key] && matches(p.names[0], point.Key) {
				f.Terms = append(f.Terms, Term{p.factor, []string{point.Key}})
			}
		}
		if len(f.Terms) == before {
			return f, false
		}
	}
	f.keys = f.Keys()
	return f, !slices.ContainsFunc(f.keys, func(key string) bool { return !has[key] })
}

// matches reports whether a key is of a pattern: pv_2_power is of pv_{n}_power.
func matches(pattern, key string) bool {
	_, ok := numbersOf(pattern, key)
	return ok
}

// models returns the models in which the addresses of an entry count; 0 stands for the whole address space.
func (e entry) models() []int {
	if e.place == nil {
		return []int{0}
	}
	return e.place.Models
}

// All returns every point that a device of the family can have, each once in each of its forms. Addresses in models of
// SunSpec are offsets.
func (p *Profile) All() []Point {
	all := make([]Point, len(p.entries))
	for i, e := range p.entries {
		all[i] = e.point
	}
	return all
}
