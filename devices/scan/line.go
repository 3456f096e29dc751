package scan

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Line is a line that is searched for devices.
type Line struct {
	// Open returns a closed link with a setting; the zero setting is that of a line without one, such as Modbus TCP.
	Open     func(s protocol.Serial) protocol.Link
	Serials  []protocol.Serial // are tried in this order; one of zero where there is none to choose
	Units    []protocol.UnitID // that are asked; nil: the likely ones
	Families []*profile.Profile
	// Patience is how long a unit is waited for. Defaults to DefaultPatience.
	Patience time.Duration
	// Hello is how many unit ids are asked where nobody has answered in any way: it may be the wrong language. 0: all.
	Hello int
	// Thorough asks unit ids too that no family is delivered with, and units that are silent where others refuse.
	Thorough bool
	Tell     func(Progress) // is told how far it is, and what was found so far; may be nil
}

// Progress is how far the search of a line is.
type Progress struct {
	What  string  // that is done now
	Done  float64 // of what is planned, 0..1
	Found []Unit  // so far
}

// Found is what a line has.
type Found struct {
	Serial  protocol.Serial // at which the units answer
	Units   []Unit          // in the order in which they were found
	AnyUnit bool            // the other end answers alike at whatever unit id
	Notes   []string        // sentences on what was odd
}

// Search looks for units, and says what each is. It ends at the first setting at which somebody answers: a line has
// one. When ctx ends it returns what was found by then, and the error of ctx. Another error is that of the line that
// cannot be opened.
func (l Line) Search(ctx context.Context) (Found, error) {
	s := searching{Line: l, probe: Probe(l.Families), asked: map[Place]bool{}}
	s.Patience = cmp.Or(s.Patience, DefaultPatience)
	if s.Tell == nil {
		s.Tell = func(Progress) {}
	}
	s.plan()
	err := s.run(ctx)
	s.note()
	return s.found, err
}

// run asks everybody.
func (s *searching) run(ctx context.Context) error {
	for i, stop := range s.stops {
		if err := s.visit(ctx, stop, i); err != nil {
			return err
		}
		if len(s.found.Units) > 0 {
			return s.rest(ctx)
		}
	}
	if len(s.garbled) > 0 || !s.Thorough || s.mayGiveUp() {
		return nil
	}
	return s.patiently(ctx)
}

// mostStrange is how many frames that nobody here has asked for may come by chance.
const mostStrange = 2

// note says what was odd about the line.
func (s *searching) note() {
	say := func(format string, args ...any) { s.found.Notes = append(s.found.Notes, fmt.Sprintf(format, args...)) }
	if len(s.found.Units) == 0 {
		for _, at := range s.garbled {
			say("something answers at %v, but what comes is damaged: two devices may have the same unit id, another "+
				"program may be asking, or the line is disturbed", at)
		}
	}
	if s.strange > mostStrange {
		say("answers came by that were not asked for here: another program or an energy manager uses the line, and " +
			"disturbs the search; stop it or take it off the line")
	}
}

// searching is the search of one line.
type searching struct {
	Line
	probe protocol.Range
	stops []stop
	asked map[Place]bool
	heard bool // somebody has answered, if only that there is nobody
	rests bool // the setting is known

	garbled []Place         // where something answers that nobody understands
	frames  protocol.Frames // of this link, when they were last looked at
	strange uint64          // frames of others, of all links before
	link    protocol.Link
	at      protocol.Serial // of the link
	found   Found
}

// stop is some unit ids that are asked at a setting.
type stop struct {
	serial protocol.Serial
	units  []protocol.UnitID
	wait   time.Duration
}

// mostSettings is at how many settings unit ids are asked that hardly anybody sets.
const mostSettings = 3

// plan says what is asked: at each setting the units that are delivered so, then at each those that owners set.
func (s *searching) plan() {
	var later, last []stop
	for _, serial := range s.Serials {
		units := UnitsAt(s.Families, serial)
		if s.Units != nil {
			units = Units{Delivered: s.Units}
		}
		s.stops = append(s.stops, stop{serial, units.Delivered, s.Patience})
		if s.Thorough {
			first := min(mostFirst, len(units.Set))
			later = append(later, stop{serial, units.Set[:first], s.guess()})
			if len(last) < mostSettings {
				last = append(last, stop{serial, units.Set[first:], s.guess()})
			}
		}
	}
	s.stops = slices.Concat(s.stops, later, last)
}

// guess is how long a unit id is waited for at which families are not delivered: most devices answer so soon.
func (s *searching) guess() time.Duration { return s.Patience * 3 / 5 }

// mayGiveUp reports whether it is the wrong language, by all signs.
func (s *searching) mayGiveUp() bool { return s.Hello > 0 && !s.heard && len(s.asked) >= s.Hello }

// visit asks the units of a stop, which is the i-th.
func (s *searching) visit(ctx context.Context, at stop, i int) error {
	defer s.close()
	for n, id := range at.units {
		if s.mayGiveUp() || len(s.found.Units) > 0 && !s.rests {
			return nil
		}
		done := (float64(i) + float64(n)/float64(len(at.units))) / float64(len(s.stops))
		if err := s.ask(ctx, Place{id, at.serial, s.Patience}, at.wait, done); err != nil {
			return err
		}
	}
	return nil
}

// rest asks the other units at the setting at which somebody answers.
func (s *searching) rest(ctx context.Context) error {
	s.found.Serial, s.rests = s.at, true
	if any, err := s.answersAny(ctx); err != nil || any {
		s.found.AnyUnit = any
		return err
	}
	units := Units{Delivered: s.Units}
	if s.Units == nil {
		units = UnitsAt(s.Families, s.found.Serial)
	}
	if !s.Thorough {
		units.Set = nil
	}
	s.stops = []stop{{s.found.Serial, units.Delivered, s.guess()}, {s.found.Serial, units.Set, s.guess()}}
	for i, at := range s.stops {
		if err := s.visit(ctx, at, i); err != nil {
			return err
		}
	}
	return nil
}

// ask asks a unit id once, and if it answers, who it is.
func (s *searching) ask(ctx context.Context, at Place, wait time.Duration, done float64) error {
	if s.asked[at] {
		return nil
	}
	s.asked[at] = true
	s.tell(done, "asking %v", at)
	do, err := s.open(ctx, at.Serial)
	if err != nil {
		return err
	}
	if len(s.found.Units) > 0 {
		wait = min(wait, s.guess())
	}
	begun := time.Now()
	a := newAsker(do, at)
	is, err := a.isAnybody(ctx, s.probe, wait)
	damages := 0
	for damages < mostDamages && s.isDamaged() { // chance may have done it
		damages++
		is, err = a.isAnybody(ctx, s.probe, wait)
	}
	_, gateway := errors.AsType[protocol.ExceptionError](err)
	early := errors.Is(err, protocol.ErrTimeout) && time.Since(begun) < wait // it says that nobody is there
	s.heard = s.heard || is || gateway || early
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case is:
		return s.identify(ctx, a, at, done)
	case damages == mostDamages:
		s.garbled = append(s.garbled, at)
	}
	return nil // nobody
}

// identify finds out what a unit is that answers.
func (s *searching) identify(ctx context.Context, a *asker, at Place, done float64) error {
	s.at = at.Serial
	s.tell(done, "%v answers: finding out what it is", at)
	if err := sleepUntil(ctx, time.Now().Add(shortGap)); err != nil { // nobody knew that there would be an answer
		return err
	}
	unit, err := a.isWhat(ctx, at, s.Families)
	switch {
	case ctx.Err() != nil:
		unit.Why = "it answers; there was no time left to find out what it is"
	case err != nil:
		unit.Why = fmt.Sprintf("it could not be found out what it is: %v", err)
	}
	s.found.Units = append(s.found.Units, unit)
	s.tell(done, "%v: %s", at, unit)
	return ctx.Err()
}

// improbable are unit ids that nobody gives a device.
var improbable = []protocol.UnitID{213, 171, 139}

// answersAny reports whether the other end answers at a unit id that no device has: then it is one device, which does
// not look at the unit id (a network adapter that is part of its inverter).
func (s *searching) answersAny(ctx context.Context) (bool, error) {
	if s.at != (protocol.Serial{}) || len(s.Units) > 0 {
		return false, nil
	}
	defer s.close()
	do, err := s.open(ctx, s.at)
	if err != nil {
		return false, err
	}
	for _, id := range improbable {
		_, err := do(ctx, protocol.Request{Unit: id, Op: protocol.Read, Range: s.probe, Priority: protocol.PriorityRead,
			Pace: protocol.Pace{Timeout: s.guess()}})
		if err != nil && !ask.IsRefusal(err) {
			return false, ctx.Err()
		}
	}
	return true, ctx.Err()
}

// patiently asks again where nobody has answered, for units that are silent where others refuse: for each family what
// its own devices answer, where they are delivered.
func (s *searching) patiently(ctx context.Context) error {
	all := suspectsOf(s.Families, Place{})
	for i, one := range all {
		at := Place{max(one.family.Line.Unit, 1), one.family.Line.Serial, s.Patience}
		if !slices.Contains(s.Serials, at.Serial) {
			at.Serial = s.Serials[0]
		}
		if len(s.Units) > 0 && !slices.Contains(s.Units, at.Unit) {
			at.Unit = s.Units[0]
		}
		for _, r := range one.needs[0].questions(newEvidence()) {
			if all.forbidding(r) != nil {
				continue
			}
			done := float64(i) / float64(len(all))
			s.probe = r
			delete(s.asked, at)
			if err := s.ask(ctx, at, s.Patience, done); err != nil || len(s.found.Units) > 0 {
				s.found.Serial = s.at
				return errors.Join(err, s.close())
			}
		}
	}
	return s.close()
}

func (s *searching) tell(done float64, format string, args ...any) {
	s.Tell(Progress{What: fmt.Sprintf(format, args...), Done: done, Found: slices.Clone(s.found.Units)})
}

// String names a place: "unit 1 at 9600 8N1".
func (p Place) String() string {
	if p.Serial == (protocol.Serial{}) {
		return fmt.Sprintf("unit %d", p.Unit)
	}
	return fmt.Sprintf("unit %d at %v", p.Unit, p.Serial)
}

// String says in a few words what a unit is: "Deye hybrid inverter 2208090001".
func (u Unit) String() string {
	switch {
	case len(u.Fits) == 0:
		return u.Why
	case u.Fits[0].Identity.Serial != "":
		return u.Fits[0].Profile.Name + " " + u.Fits[0].Identity.Serial
	}
	return u.Fits[0].Profile.Name
}
