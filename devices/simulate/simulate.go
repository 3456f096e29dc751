// Package simulate makes simulated units that answer as the devices of a profile do: for the demo, for `solarhub
// simulate` and for tests.
package simulate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"solarhub/devices/clock"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// Unit returns a unit that answers as a device of the family with those traits and that serial number: every point
// holds a value that makes sense, what lies between them holds 0, holes do not exist, and writes to what is read only
// are refused with exception 2. What is written to other registers than it is read from shows where it is read. Its
// unit id is the one the family is delivered with. The serial number must fit the family's register; it is as
// SerialNumber returns it.
func Unit(p *profile.Profile, traits profile.Traits, serial string) (*sim.Unit, error) {
	points, err := p.Resolve(traits)
	if err != nil {
		return nil, err
	}
	s := simulation{unit: sim.NewUnit(cmp.Or(p.Line.Unit, 1)), traits: traits}
	s.blank(points, p)
	if err := s.chain(p); err != nil {
		return nil, fmt.Errorf("simulate %s: %w", p.ID, err)
	}
	for _, point := range points {
		s.power(point)
	}
	for i, point := range points {
		if !point.Button() && point.Formula == nil {
			s.put(point.Ranges, point.Spec, plausible(i, point)...)
		}
		if point.IsClock() {
			s.unit.Live(time.Second, func(now time.Time) {
				s.put(point.Ranges, point.Spec, clock.Value(point.Spec, now, time.Local))
			})
		}
	}
	if err := s.identify(p, SerialNumber(p, traits, serial)); err != nil {
		return nil, fmt.Errorf("simulate %s: %w", p.ID, err)
	}
	s.protect(points)
	s.mirror(points)
	return s.unit, nil
}

type simulation struct {
	unit   *sim.Unit
	traits profile.Traits
}

// blank makes the registers exist: from the first to the last of each table, without the holes.
func (s simulation) blank(points []profile.Point, p *profile.Profile) {
	var all []protocol.Range
	for _, point := range points {
		all = append(all, point.Ranges...)
		if point.Write != nil {
			all = append(all, point.Write.Ranges...)
		}
	}
	for _, f := range p.IdentityFields(s.traits) {
		all = append(all, f.Ranges...)
	}
	for _, t := range p.Traits {
		if field := t.Field.In(s.traits); p.Applies(t, s.traits) {
			all = append(all, field.Ranges...)
		}
	}
	slices.SortFunc(all, func(a, b protocol.Range) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Addr, b.Addr))
	})
	for i, r := range all {
		s.unit.Set(r.Table, r.Addr, make([]uint16, r.Count)...)
		if i > 0 && all[i-1].Table == r.Table {
			s.fill(all[i-1], r, slices.Concat(p.Line.Holes, p.Line.Never))
		}
	}
}

// fill makes what lies between two ranges exist, as far as it is no hole.
func (s simulation) fill(a, b protocol.Range, holes []protocol.Range) {
	for addr := a.End(); addr < uint32(b.Addr); addr++ {
		one := protocol.Range{Table: a.Table, Addr: uint16(addr), Count: 1}
		if _, exists := s.unit.Get(one.Table, one.Addr, 1); !exists && !slices.ContainsFunc(holes, one.Overlaps) {
			s.unit.Set(one.Table, one.Addr, 0)
		}
	}
}

// put gives a value to its registers and leaves the other bits. It reports whether the value fits.
func (s simulation) put(ranges []protocol.Range, spec codec.Spec, values ...codec.Value) bool {
	var current []uint16
	for _, r := range ranges {
		words, _ := s.unit.Get(r.Table, r.Addr, r.Count)
		current = append(current, words...)
	}
	for _, v := range values {
		words, err := spec.Encode(v, current)
		if err != nil {
			continue
		}
		for _, r := range ranges {
			s.unit.Set(r.Table, r.Addr, words[:r.Count]...)
			words = words[r.Count:]
		}
		return true
	}
	return false
}

// protect has writes refused to registers of which nothing can be written.
func (s simulation) protect(points []profile.Point) {
	for _, p := range points {
		for _, r := range p.Ranges {
			s.unit.ReadOnly(r, protocol.IllegalDataAddress)
		}
	}
	for _, p := range points {
		if p.Write == nil {
			continue
		}
		ranges, _ := p.WriteTo()
		for _, r := range ranges {
			s.unit.Behave(r, taken(p.Write))
		}
		s.together(p.Write)
	}
}

// together has what is written as a group refused otherwise, and what goes around a write taken.
func (s simulation) together(w *profile.Write) {
	if g := w.Group; g != nil {
		for i := range g.Range.Count {
			s.writable(protocol.Range{Addr: g.Range.Addr + i, Count: 1})
		}
		s.unit.OnlyWhole(g.Range, protocol.IllegalDataAddress)
	}
	if w.Around != nil {
		for _, step := range slices.Concat(w.Around.Before, w.Around.After) {
			s.writable(step.Range())
			s.unit.Behave(step.Range(), taken(w))
		}
	}
}

// taken says what becomes of what is written. Where the addresses that are written are others than those that are read,
// what is read there stays.
func taken(w *profile.Write) sim.Behaviour {
	if !w.Apart {
		return sim.Behaviour{}
	}
	return sim.Behaviour{Store: func(_, old, _ uint16) uint16 { return old }}
}

// writable makes registers exist and takes what is written to them.
func (s simulation) writable(r protocol.Range) {
	if _, exists := s.unit.Get(r.Table, r.Addr, r.Count); !exists {
		s.unit.Set(r.Table, r.Addr, make([]uint16, r.Count)...)
	}
	s.unit.Behave(r, sim.Behaviour{})
}

// plausible returns values for the i-th point, the best first; the first that fits its registers counts.
func plausible(i int, p profile.Point) []codec.Value {
	switch p.Spec.Form {
	case codec.OptionForm:
		return options(p.Spec)
	case codec.BoolForm:
		return []codec.Value{codec.BoolOf(p.Write == nil)}
	}
	if p.Spec.IsMoment() {
		return []codec.Value{codec.TextOf(time.Now().Format(time.DateTime))}
	}
	if p.Spec.IsTime() {
		return []codec.Value{codec.TimeOf(i * 240 % 1440)}
	}
	if p.Spec.Type == codec.Text {
		return []codec.Value{codec.TextOf("SIMULATED"), codec.TextOf("SIM"), codec.TextOf("S")}
	}
	if w := p.Write; w != nil && w.Step > 0 {
		return []codec.Value{codec.Number(w.Min + w.Step*math.Round((w.Max-w.Min)/w.Step/2)), codec.Number(w.Min)}
	}
	return numbers(p)
}

func options(s codec.Spec, others ...codec.Value) []codec.Value {
	if s.Form != codec.OptionForm {
		return others
	}
	var all []codec.Value
	for _, name := range s.OptionNames() {
		all = append(all, codec.OptionOf(name))
	}
	return all
}

// typical is what a house with some sun shows, by device class.
var typical = map[string]float64{
	"apparent_power": 1600, "battery": 64, "current": 6.5, "duration": 3600, "energy": 123.4, "frequency": 50,
	"power":        1500,
	"power_factor": 0.95, "reactive_power": 120, "temperature": 31, "voltage": 230,
}

// numbers returns the typical number of a reading on the register's grid, then smaller ones.
func numbers(p profile.Point) []codec.Value {
	var all []codec.Value
	for _, f := range []float64{cmp.Or(typical[p.Entity.DeviceClass], 42), 50, 5, 1, 0, p.Spec.Offset} {
		if p.Range.Low < p.Range.High && (f < p.Range.Low || f > p.Range.High) {
			continue
		}
		scale := cmp.Or(p.Spec.Scale, 1)
		if p.Spec.Type.Float() && scale > 1 { // kW, or behind a transformer: the parts of one count
			scale = 0.001
		}
		all = append(all, codec.Number(math.Round((f-p.Spec.Offset)/scale)*scale+p.Spec.Offset))
	}
	return all
}
