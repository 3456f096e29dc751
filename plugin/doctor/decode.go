package doctor

import (
	"fmt"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Shown is a point with what a dump holds of it.
type Shown struct {
	Point profile.Point
	Raw   []uint16    // nil: the dump lacks some of it
	Value codec.Value // as it is decoded
	Odd   string      // why it cannot be right, in a few words; empty if it can
}

// Points returns all points of a device with what the dump holds of them, buttons and what follows from other points
// left out.
func (d Dump) Points() ([]Shown, error) {
	points, err := d.Profile.Resolve(d.Traits)
	if err != nil {
		return nil, err
	}
	var all []Shown
	for _, p := range points {
		if p.HasValue() && p.Formula == nil {
			all = append(all, d.show(p))
		}
	}
	return all, nil
}

func (d Dump) show(p profile.Point) Shown {
	words, ok := d.words(p.Ranges)
	if !ok {
		return Shown{Point: p, Value: codec.None("not given"), Odd: "not given"}
	}
	s := Shown{Point: p, Raw: words, Value: p.Spec.Decode(words)}
	switch {
	case s.Value.Kind == codec.KindNone:
		s.Odd = s.Value.Str
	case s.Value.Kind == codec.KindUnlisted:
		s.Odd = "none of its options"
	case s.Value.Kind == codec.KindNumber && !p.Plausible(s.Value.Num):
		s.Odd = fmt.Sprintf("beyond the plausible %s", p.Range)
	}
	return s
}
