package devices

import (
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Lessons are what a device has taught about its reads. They outlive a restart: what Device.Learnt returns is given to Config.Learnt.
type Lessons struct {
	Holes  []Hole    `json:"holes,omitempty"`
	Most   uint16    `json:"most,omitzero"`    // registers of the largest read that works; 0: as many as the line's settings say
	MostAt time.Time `json:"most_at,omitzero"` // when that was last seen
}

// Hole is a run of registers that the device does not read across, with the time when that was last seen.
type Hole struct {
	Range protocol.Range `json:"range"`
	At    time.Time      `json:"at"`
}

// Learnt returns what the device has taught, with what it was made with.
func (d *Device) Learnt() Lessons {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.learnt
	l.Holes = slices.Clone(l.Holes)
	return l
}

// learn keeps what reading has taught and reports whether the plan changes by it.
func (d *Device) learn(t taught) bool {
	if len(t.holes) == 0 && t.most == 0 {
		return false
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, gap := range t.holes {
		for _, r := range withoutPoints(gap, d.points) {
			holes := slices.DeleteFunc(slices.Clone(d.learnt.Holes), func(h Hole) bool { return h.Range == r })
			d.learnt.Holes = append(holes, Hole{Range: r, At: now})
		}
	}
	if t.most > 0 && (d.learnt.Most == 0 || t.most < d.learnt.Most) {
		d.learnt.Most, d.learnt.MostAt = t.most, now
	}
	d.generation++
	return true
}

// withoutPoints returns what is left of a gap that cannot be read across without the registers of points, which may be fine: something
// must be to blame. If nothing is left it is the gap.
func withoutPoints(gap protocol.Range, points []profile.Point) (left []protocol.Range) {
	for addr := uint32(gap.Addr); addr < gap.End(); addr++ {
		one := protocol.Range{Table: gap.Table, Addr: uint16(addr), Count: 1}
		if overlapsAny(points, one) {
			continue
		}
		if n := len(left); n > 0 && left[n-1].End() == addr {
			left[n-1].Count++
		} else {
			left = append(left, one)
		}
	}
	if left == nil {
		return []protocol.Range{gap}
	}
	return left
}

// limits returns what one read of the points may have, settings and lessons together. A point goes before a lesson: what has been
// read in one go may be read so again, and that of which a point is made is no hole. The caller holds mu.
func (d *Device) limits(points []profile.Point) plan.Limits {
	limits := limitsOf(d.cfg.Line)
	for _, hole := range d.learnt.Holes {
		if !overlapsAny(points, hole.Range) {
			limits.Holes = append(limits.Holes, hole.Range)
		}
	}
	if d.learnt.Most > 0 {
		limits.MaxRegisters = min(limits.MaxRegisters, max(d.learnt.Most, longest(d.points), longest(points)))
	}
	return limits
}

// relearnAfter is how long a lesson counts before it is put to the test: firmware changes, but rarely.
const relearnAfter = 7 * 24 * time.Hour

// recheckLessons puts one lesson that is old to the test, with one read at a moment when nothing else is due, and reports whether
// there was one.
func (p *poller) recheckLessons(ctx context.Context, now time.Time) bool {
	if now.Before(p.ponder) {
		return false
	}
	p.ponder = now.Add(time.Minute)
	learnt := p.d.Learnt()
	for _, hole := range learnt.Holes {
		if now.Sub(hole.At) >= relearnAfter {
			p.recheckHole(ctx, hole)
			return true
		}
	}
	if learnt.Most > 0 && now.Sub(learnt.MostAt) >= relearnAfter {
		p.recheckMost(ctx, learnt.Most)
		return true
	}
	return false
}

// recheckHole reads from the register before a hole to the one behind it. A hole that reads fine is none.
func (p *poller) recheckHole(ctx context.Context, hole Hole) {
	across := protocol.Range{Table: hole.Range.Table, Addr: hole.Range.Addr - min(hole.Range.Addr, 1)}
	across.Count = uint16(min(hole.Range.End()+1, 1<<16) - uint32(across.Addr))
	p.d.mu.Lock()
	fits := across.Table.Bits() || across.Count <= p.d.limits(p.d.points).MaxRegisters
	p.d.mu.Unlock()
	fine, told := !fits, !fits // no read that works could run across it
	if fits {
		fine, told = p.probe(ctx, across)
	}
	if !told {
		return
	}
	p.d.relearn(func(l *Lessons) {
		l.Holes = slices.DeleteFunc(slices.Clone(l.Holes), func(h Hole) bool { return fine && h.Range == hole.Range })
		for i := range l.Holes {
			if l.Holes[i].Range == hole.Range {
				l.Holes[i].At = time.Now()
			}
		}
	})
	if fine {
		p.d.log.Info().Stringer("registers", hole.Range).Msg("registers can be read across that could not, planning anew")
	}
}

// recheckMost tries a longer read, twice as long where one is wanted. What works counts from then on, and the next step follows.
func (p *poller) recheckMost(ctx context.Context, most uint16) {
	d := p.d
	d.mu.Lock()
	limits := d.limits(d.enabled())
	limits.MaxRegisters = limitsOf(d.cfg.Line).MaxRegisters
	full, _ := bestLayout(d.enabled(), limits, TimingOf(d.cfg.Line))
	limits.MaxRegisters = min(limits.MaxRegisters, 2*max(most, longest(d.points)))
	step, _ := bestLayout(d.enabled(), limits, TimingOf(d.cfg.Line))
	d.mu.Unlock()
	longer := longestRead(step)
	fine, told := longer.Count <= most, true
	if !fine {
		fine, told = p.probe(ctx, longer)
	}
	switch {
	case !told:
	case !fine:
		d.relearn(func(l *Lessons) { l.MostAt = time.Now() })
	case longer.Count >= longestRead(full).Count:
		d.relearn(func(l *Lessons) { l.Most, l.MostAt = 0, time.Time{} })
		d.log.Info().Uint16("registers", longer.Count).Msg("the device allows longer reads again, planning anew")
	default:
		d.relearn(func(l *Lessons) { l.Most = longer.Count })
	}
}

// longestRead returns the longest read of registers of a plan; its count is 0 if there is none.
func longestRead(l *layout) (longest protocol.Range) {
	for _, r := range l.reads {
		if !r.Range.Table.Bits() && r.Range.Count > longest.Count {
			longest = r.Range
		}
	}
	return longest
}

// probe asks for one range to see whether the device answers; told is false if it was not asked or the answer says nothing.
func (p *poller) probe(ctx context.Context, over protocol.Range) (fine, told bool) {
	req := p.d.client.Request(protocol.PriorityPoll, ask.ForPoll)
	req.Op, req.Range = protocol.Read, over
	_, err := p.d.poll(ctx, req)
	no, refused := errors.AsType[protocol.ExceptionError](err)
	return err == nil, err == nil || refused && no.AboutRequest() || ask.IsSilence(err)
}

// relearn changes the lessons; the plan is made anew.
func (d *Device) relearn(change func(*Lessons)) {
	d.mu.Lock()
	change(&d.learnt)
	d.generation++
	d.mu.Unlock()
}

// longest returns the most registers of one range of the points.
func longest(points []profile.Point) (most uint16) {
	for _, p := range points {
		for _, r := range p.Ranges {
			if !r.Table.Bits() {
				most = max(most, r.Count)
			}
		}
	}
	return most
}
