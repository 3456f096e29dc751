package profile

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol/codec"
)

// Override is what an owner knows better of a point of his device. A nil field is as the profile says.
type Override struct {
	Order           *codec.Order
	Scale, Min, Max *float64
}

// Overrides are what an owner knows better of his device.
type Overrides struct {
	Order  *codec.Order        // of everything that has the order that the profile gives for all its points
	Points map[string]Override // by key
}

// With returns the family as it is for a device of which an owner knows better.
func (p *Profile) With(o Overrides) *Profile {
	if o.Order == nil && len(o.Points) == 0 {
		return p
	}
	own := *p
	own.overrides = o
	own.Identify.Serials = slices.Clone(p.Identify.Serials)
	for i := range own.Identify.Serials {
		own.reorder(&own.Identify.Serials[i].Spec)
	}
	own.reorder(&own.Identify.Model.Spec)
	own.reorder(&own.Identify.Version.Spec)
	own.Identify.Expect = slices.Clone(p.Identify.Expect)
	for i := range own.Identify.Expect {
		own.reorder(&own.Identify.Expect[i].Field.Spec)
	}
	own.Traits = slices.Clone(p.Traits)
	for i := range own.Traits {
		own.reorder(&own.Traits[i].Field.Spec)
	}
	return &own
}

// reorder gives a spec the order that the owner says for all.
func (p *Profile) reorder(s *codec.Spec) {
	if p.overrides.Order != nil && s.Order == p.Order {
		s.Order = *p.overrides.Order
	}
}

// override returns the point as the owner knows it.
func (p *Profile) override(point Point) Point {
	p.reorder(&point.Spec)
	own := p.overrides.Points[point.Key]
	if point.Write != nil {
		w := *point.Write
		point.Write = &w
		if w.Spec != nil {
			spec := *w.Spec
			p.reorder(&spec)
			w.Spec = &spec
		}
		own.limit(&point)
	}
	if own.Order != nil {
		point.Spec.Order = *own.Order
	}
	if own.Scale != nil {
		own.rescale(&point)
	}
	return point
}

func (o Override) limit(p *Point) {
	if o.Min != nil {
		p.Write.Min = *o.Min
	}
	if o.Max != nil {
		p.Write.Max = *o.Max
	}
}

// rescale changes the scale, with what followed from it: the step, the decimals, and the scale by which it is written.
func (o Override) rescale(p *Point) {
	before := p.Spec
	p.Spec.Scale = *o.Scale
	if p.Entity.Precision == before.Decimals() {
		p.Entity.Precision = p.Spec.Decimals()
	}
	w := p.Write
	if w == nil {
		return
	}
	if w.Spec != nil && w.Spec.Scale == before.Scale {
		w.Spec.Scale = *o.Scale
	}
	if w.Step == before.Grid() {
		w.Step = p.Spec.Grid()
	}
}

// CheckOverride returns what is wrong with an override of a point, for each device of the family with the traits that
// the owner settled. A Problem without a key is about the point.
func (p *Profile) CheckOverride(key string, o Override, settled Traits) (problems []Problem) {
	tried := *p
	tried.overrides = Overrides{Order: p.overrides.Order, Points: map[string]Override{key: o}}
	found := false
	for _, traits := range p.casesWith(settled) {
		points, _ := p.Resolve(traits)
		i := slices.IndexFunc(points, func(one Point) bool { return one.Key == key })
		if i < 0 {
			continue
		}
		found = true
		for _, wrong := range o.problems(points[i], tried.override(points[i])) {
			if !slices.ContainsFunc(problems, func(one Problem) bool { return one.Key == wrong.Key }) {
				problems = append(problems, wrong)
			}
		}
	}
	if !found {
		known := map[string]bool{}
		for _, point := range p.All() {
			known[point.Key] = true
		}
		problems = append(problems, Problem{"", fmt.Sprintf("%s has no point %q%s", p.ID, key,
			strict.Meant(key, slices.Sorted(maps.Keys(known))))})
	}
	return problems
}

// casesWith returns the cases that a device with the traits can be, and the traits with all else typical if none is.
func (p *Profile) casesWith(settled Traits) []Traits {
	cases := p.Cases()
	for _, c := range cases {
		maps.Copy(c, settled)
	}
	return cases
}

// problems returns what is wrong with an override of one point.
func (o Override) problems(before, after Point) (problems []Problem) {
	refuse := func(key string, wrong bool, why string) {
		if wrong {
			problems = append(problems, Problem{key, before.Key + " " + why})
		}
	}
	if before.Formula != nil {
		refuse("", true, "follows from others, so it has no register of its own")
		return problems
	}
	bit := before.Ranges[0].Table.Bits()
	number := before.Spec.IsNumber() && !before.Button()
	limited := number && before.Write != nil
	refuse("order", o.Order != nil && bit, "is one bit, which has no order")
	refuse("scale", o.Scale != nil && (*o.Scale == 0 || math.Abs(*o.Scale) > 1e9 || math.Abs(*o.Scale) < 1e-9),
		"cannot have a scale that is 0 or beyond all reason")
	refuse("scale", o.Scale != nil && !number, "is no number, so it has no scale")
	refuse("min", o.Min != nil && !limited, "is no number that can be written, so it has no limits")
	refuse("max", o.Max != nil && !limited, "is no number that can be written, so it has no limits")
	if len(problems) > 0 || !limited || o.Scale == nil && o.Min == nil && o.Max == nil {
		return problems
	}
	_, spec := after.WriteTo()
	for _, wrong := range append(checkLimits(spec, *after.Write), after.beyond(*after.Write)...) {
		if o.says(wrong.Key) {
			problems = append(problems, wrong)
		} else {
			problems = append(problems, Problem{"", fmt.Sprintf("%s: %s; say min and max too", before.Key, wrong.Text)})
		}
	}
	return problems
}

func (o Override) says(key string) bool {
	return key == "min" && o.Min != nil || key == "max" && o.Max != nil
}

// Overridden says in a sentence for each point what the owner knows better than the profile.
func (p *Profile) Overridden(settled Traits) (sentences []string) {
	if o := p.overrides.Order; o != nil {
		sentences = append(sentences, fmt.Sprintf("The order of its bytes is yours, %s; the profile says %s.",
			*o, p.Order))
	}
	shipped := *p
	shipped.overrides = Overrides{}
	for _, key := range slices.Sorted(maps.Keys(p.overrides.Points)) {
		var before, after []Point
		for _, traits := range p.casesWith(settled) {
			if points, err := shipped.Resolve(traits); err == nil {
				if i := slices.IndexFunc(points, func(one Point) bool { return one.Key == key }); i >= 0 {
					before, after = append(before, points[i]), append(after, p.override(points[i]))
				}
			}
		}
		if len(before) > 0 {
			sentences = append(sentences, p.overrides.Points[key].sentences(p.FullName(before[0]), before, after)...)
		}
	}
	return sentences
}

func (o Override) sentences(name string, before, after []Point) (all []string) {
	say := func(what string, text func(Point) string) {
		all = append(all, fmt.Sprintf("The %s of %s is yours, %s; the profile says %s.", what, name, each(after, text),
			each(before, text)))
	}
	if o.Order != nil {
		say("order of bytes", func(p Point) string { return p.Spec.Order.String() })
	}
	if o.Scale != nil {
		say("scale", func(p Point) string { return number(p.Spec.Scale) })
	}
	if o.Min != nil || o.Max != nil {
		say("limit", func(p Point) string {
			if p.Write == nil {
				return "read only"
			}
			return strings.TrimSpace(fmt.Sprintf("%s to %s %s", number(p.Write.Min), number(p.Write.Max), p.Unit))
		})
	}
	return all
}

// each lists what differs between the points of several cases.
func each(points []Point, text func(Point) string) string {
	var all []string
	for _, p := range points {
		if one := text(p); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return strings.Join(all, " or ")
}
