package demo

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// refresh is how old what a register shows may be.
const refresh = 100 * time.Millisecond

// setters are how a number or switch of a point becomes a setting. volts is that of the battery, for points in A.
var setters = map[string]func(s *Settings, v, watts float64){
	"charge_limit":      func(s *Settings, _, watts float64) { s.Charge = watts },
	"discharge_limit":   func(s *Settings, _, watts float64) { s.Discharge = watts },
	"low_soc":           func(s *Settings, v, _ float64) { s.LowSoC = v },
	"high_soc":          func(s *Settings, v, _ float64) { s.HighSoC = v },
	"grid_charge":       func(s *Settings, v, _ float64) { s.FromGrid = v != 0 },
	"grid_charge_limit": func(s *Settings, _, watts float64) { s.GridCharge = watts },
	"grid_charge_soc":   func(s *Settings, v, _ float64) { s.GridSoC = v },
	"export_limit":      func(s *Settings, _, watts float64) { s.Export = watts },
	"export":            func(s *Settings, v, _ float64) { s.ExportDenied = v == 0 },
}

// Bind connects a simulated unit to a system of the house, or to the whole house: its registers show the house, and
// what is written to them sets the house. This happens whenever the unit is asked. The error lists what in the binding
// does not fit the device family.
func (h *House) Bind(u *sim.Unit, points []profile.Point, b Binding, i int) error {
	bound := &bound{house: h, system: i, unit: u}
	err := bound.join(points, b)
	if err != nil {
		return err
	}
	if err := bound.show(); err != nil {
		return err
	}
	u.Live(refresh, func(now time.Time) {
		h.Advance(now)
		bound.take()
		_ = bound.show() // a number beyond its register leaves the last one there, as a device's would
	})
	return nil
}

// bound is a unit that shows a system.
type bound struct {
	house  *House
	system int
	unit   *sim.Unit
	shows  []shownPoint
	takes  []takenPoint
}

type shownPoint struct {
	Shown
	quantity
	point profile.Point
}

type takenPoint struct {
	Taken
	point profile.Point
}

func (b *bound) join(points []profile.Point, binding Binding) error {
	var wrong []error
	find := func(key string) (profile.Point, bool) {
		n := slices.IndexFunc(points, func(p profile.Point) bool { return p.Key == key && !p.Button() })
		if n < 0 {
			wrong = append(wrong, fmt.Errorf("bind %s: the family has no such point", key))
			return profile.Point{}, false
		}
		return points[n], true
	}
	for _, s := range binding.Shows {
		q := quantities[s.Quantity]
		p, ok := find(s.Key)
		if ok && p.Unit != q.unit {
			wrong = append(wrong, fmt.Errorf("bind %s: %s is in %q, the point in %q", s.Key, s.Quantity, q.unit,
				p.Unit))
		}
		b.shows = append(b.shows, shownPoint{s, q, p})
	}
	for _, t := range binding.Takes {
		p, ok := find(t.Key)
		for option := range t.Modes {
			if ok && !slices.Contains(p.Spec.OptionNames(), option) {
				wrong = append(wrong, fmt.Errorf("bind %s: %q is no option of the point", t.Key, option))
			}
		}
		b.takes = append(b.takes, takenPoint{t, p})
	}
	for key, text := range binding.First {
		if p, ok := find(key); ok {
			wrong = append(wrong, b.first(p, text))
		}
	}
	return errors.Join(wrong...)
}

// first gives a point what it holds at first.
func (b *bound) first(p profile.Point, text string) error {
	v, err := p.Spec.Parse(text)
	if err == nil {
		err = store(b.unit, p, v)
	}
	if err != nil {
		return fmt.Errorf("bind %s: first %q: %w", p.Key, text, err)
	}
	return nil
}

// show puts what the house is like into the registers.
func (b *bound) show() error {
	view := b.house.Look(b.system)
	var wrong []error
	for _, s := range b.shows {
		if err := store(b.unit, s.point, codec.Number(onGrid(s.point.Spec, s.Times*s.of(view)))); err != nil {
			wrong = append(wrong, fmt.Errorf("show %s: %w", s.Key, err))
		}
	}
	return errors.Join(wrong...)
}

// onGrid returns the nearest number that a register can hold.
func onGrid(s codec.Spec, v float64) float64 {
	scale := cmp.Or(s.Scale, 1)
	return math.Round((v-s.Offset)/scale)*scale + s.Offset
}

// take sets the house as the registers say.
func (b *bound) take() {
	if len(b.takes) == 0 {
		return
	}
	volts := b.house.Look(b.system).Volts
	s := Unlimited()
	for _, t := range b.takes {
		v := t.point.Spec.Decode(stored(b.unit, t.point))
		if t.Setting == modeSetting {
			s.Mode = t.Modes[v.Str]
			continue
		}
		number, watts := v.Num, v.Num
		if v.Kind == codec.KindBool && v.On {
			number = 1
		}
		if t.point.Unit == "A" {
			watts *= volts
		}
		setters[t.Setting](&s, number, watts)
	}
	b.house.Set(b.system, s)
}
