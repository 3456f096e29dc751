package devices

import (
	"slices"
	"strconv"

	"solarhub/devices/poll"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// A derived value follows from the last readings of other points, its operands. It is there once all of them are, and
// has no value while one of them has none. Its operands are polled as often as it is, also those that are not enabled;
// these are not passed on.

// enabled returns the points that are polled, and tells the reporter what follows from them; the caller holds mu.
func (d *Device) enabled() []profile.Point {
	on := slices.DeleteFunc(slices.Clone(d.points), func(p profile.Point) bool {
		if d.wanted == nil {
			return !p.Entity.Enabled
		}
		return !d.wanted(p.Key)
	})
	s := selectionOf(d.points, on)
	d.out.derive(s.derived, s.quiet)
	return s.polled
}

// Polled returns the points of a device that are polled so that those in on have a value.
func Polled(points, on []profile.Point) []profile.Point { return selectionOf(points, on).polled }

func selectionOf(points, on []profile.Point) selection {
	s := selection{points: points, polled: poll.Readable(on), quiet: map[string]bool{}}
	for _, p := range on {
		if p.Formula != nil {
			s.add(p, p.Interval)
		}
	}
	return s
}

// selection is what is polled of a device so that all that is enabled has a value.
type selection struct {
	points  []profile.Point // of the device
	polled  []profile.Point
	quiet   map[string]bool // keys of these that are only operands
	derived []profile.Point // in an order in which each follows from those before it
}

// add adds a derived point with what it follows from, which is to be read at least as often.
func (s *selection) add(p profile.Point, every profile.Interval) {
	for _, key := range p.Formula.Keys() {
		if i := slices.IndexFunc(s.polled, func(p profile.Point) bool { return p.Key == key }); i >= 0 {
			s.polled[i].Interval = min(s.polled[i].Interval, every)
			continue
		}
		i := slices.IndexFunc(s.points, func(p profile.Point) bool { return p.Key == key })
		switch {
		case i < 0: // this device lacks it, so the value has none
		case s.points[i].Formula != nil:
			s.add(s.points[i], every)
		default:
			operand := s.points[i]
			operand.Interval = every
			s.polled, s.quiet[key] = append(s.polled, operand), true
		}
	}
	if !slices.ContainsFunc(s.derived, func(known profile.Point) bool { return known.Key == p.Key }) {
		s.derived = append(s.derived, p)
	}
}

// derive says which points are derived from now on, and which are read only for them; its caller may hold the device.
func (r *reporter) derive(derived []profile.Point, quiet map[string]bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.derived, r.quiet = derived, quiet
}

// follow returns the readings of the derived points that follow from new readings; the caller holds mu.
func (r *reporter) follow(readings []Reading) (all []Reading) {
	for _, p := range r.derived {
		keys := p.Formula.Keys()
		touched := func(of []Reading) bool {
			return slices.ContainsFunc(of, func(o Reading) bool { return slices.Contains(keys, o.Key) })
		}
		if !touched(readings) && !touched(all) {
			continue
		}
		if derived, complete := derivedOf(p, r.last, r.device.operand); complete {
			believed, _ := r.believe([]Reading{derived})
			for _, one := range believed {
				r.last[p.Key] = one
			}
			all = append(all, believed...)
		}
	}
	return all
}

// derivedOf computes a derived point from the last readings; complete says whether all of its operands were read. It is
// as old as the oldest of them.
func derivedOf(p profile.Point, last map[string]Reading, number func(Reading) codec.Value) (r Reading, complete bool) {
	r.Key = p.Key
	for _, key := range p.Formula.Keys() {
		operand, known := last[key]
		if !known {
			return r, false
		}
		if r.ReadAt.IsZero() || operand.ReadAt.Before(r.ReadAt) {
			r.ReadAt = operand.ReadAt
		}
	}
	r.Value = p.Formula.Of(func(key string) codec.Value { return number(last[key]) })
	if digits := p.Entity.Precision; r.Value.Kind == codec.KindNumber && digits >= 0 {
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(r.Value.Num, 'f', digits, 64), 64)
		r.Value = codec.Number(rounded)
	}
	return r, true
}
