package poll

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// layout is a set of points with the reads that bring them. It is not changed once it is made.
type layout struct {
	points []profile.Point
	reads  []plan.Read     // Items are indexes of points
	apart  []profile.Point // their words lie too far apart for one read: ask.Point reads them
}

// newLayout plans the points. Those that cannot be read within the limits are left out, with the reason by key.
func newLayout(points []profile.Point, limits plan.Limits, holes []Hole, timing protocol.Timing) (*layout,
	map[string]error) {
	l, unreadable := &layout{}, map[string]error{}
	var items []protocol.Range
	var alone []int // points that are read by themselves
	for _, p := range points {
		over, near := span(p, limits, timing)
		if !near {
			l.apart = append(l.apart, p)
			continue
		}
		if err := limits.Check(over); err != nil {
			unreadable[p.Key] = err
			continue
		}
		if p.Alone {
			alone = append(alone, len(items))
		}
		l.points, items = append(l.points, p), append(items, over)
	}
	reads, err := planBut(items, alone, limits, timing)
	if err != nil { // each alone is fine, together they are not: plan says why
		for _, p := range l.points {
			unreadable[p.Key] = err
		}
		return &layout{}, unreadable
	}
	for _, r := range reads {
		l.reads = append(l.reads, split(r, items, holes)...)
	}
	return l, unreadable
}

// planBut plans the items, those at the indexes in alone each in a read of its own, over which no other read passes.
func planBut(items []protocol.Range, alone []int, limits plan.Limits, timing protocol.Timing) ([]plan.Read, error) {
	if len(alone) == 0 {
		return plan.Plan(items, limits, timing)
	}
	var index []int
	var rest []protocol.Range
	for i, item := range items {
		if !slices.Contains(alone, i) {
			index, rest = append(index, i), append(rest, item)
		}
	}
	for _, i := range alone {
		if !slices.ContainsFunc(rest, items[i].Overlaps) {
			limits.Holes = append(slices.Clip(limits.Holes), items[i])
		}
	}
	reads, err := plan.Plan(rest, limits, timing)
	for _, r := range reads {
		for k, i := range r.Items {
			r.Items[k] = index[i]
		}
	}
	for _, i := range alone {
		reads = append(reads, plan.Read{Range: items[i], Items: []int{i}})
	}
	return reads, err
}

// span returns the range that brings a point in one read; near is false where it is cheaper to read its words in turn,
// or not possible otherwise.
func span(p profile.Point, limits plan.Limits, timing protocol.Timing) (over protocol.Range, near bool) {
	over = p.Ranges[0]
	if len(p.Ranges) == 1 {
		return over, true
	}
	apart := -timing.Exchange(protocol.Read, p.Ranges[len(p.Ranges)-1]) // which alone is not read twice
	words := uint16(0)
	for _, r := range p.Ranges {
		words += r.Count
		end := max(over.End(), r.End())
		over.Addr = min(over.Addr, r.Addr)
		over.Count = uint16(min(end-uint32(over.Addr), 1<<16-1))
		apart += 2 * timing.Exchange(protocol.Read, r)
	}
	err := limits.Check(over)
	gaps := over.Count > words
	return over, err == nil && !(limits.NamedOnly && gaps) && timing.Exchange(protocol.Read, over) <= apart
}

// split cuts a read where the device is known not to read across.
func split(r plan.Read, items []protocol.Range, holes []Hole) []plan.Read {
	for _, h := range holes {
		at := h.Range.End()
		if h.Range.Table != r.Range.Table || at <= uint32(r.Range.Addr) || at >= r.Range.End() {
			continue
		}
		var left, right []int
		for _, i := range r.Items {
			if uint32(items[i].Addr) < at {
				left = append(left, i)
			} else {
				right = append(right, i)
			}
		}
		if len(left) > 0 && len(right) > 0 && cover(left, items).End() <= at {
			l := plan.Read{Range: cover(left, items), Items: left}
			return append(split(l, items, holes),
				split(plan.Read{Range: cover(right, items), Items: right}, items, holes)...)
		}
	}
	return []plan.Read{r}
}

// cover returns the smallest range that contains the items.
func cover(of []int, items []protocol.Range) protocol.Range {
	all := items[of[0]]
	for _, i := range of[1:] {
		all = union(all, items[i])
	}
	return all
}

// union returns the smallest range that contains both, which are of one table.
func union(a, b protocol.Range) protocol.Range {
	end := max(a.End(), b.End())
	a.Addr = min(a.Addr, b.Addr)
	a.Count = uint16(end - uint32(a.Addr))
	return a
}

// all returns the reads with those of the words that lie apart: high, low, high.
func (l *layout) all() []plan.Read {
	reads := slices.Clone(l.reads)
	for _, p := range l.apart {
		for _, r := range p.Ranges {
			reads = append(reads, plan.Read{Range: r})
		}
		for _, r := range p.Ranges[:len(p.Ranges)-1] {
			reads = append(reads, plan.Read{Range: r})
		}
	}
	return reads
}

// TimingOf returns the wire-time model of a device's line. A turnaround that nobody has stated is assumed.
func TimingOf(line profile.LineSettings) protocol.Timing {
	t := protocol.Timing{Turnaround: cmp.Or(line.Turnaround, protocol.AssumedTurnaround), Gap: line.Pace.Gap}
	if line.Serial.Baud != 0 {
		serial := line.Serial
		t.Serial = &serial
	}
	return t
}

// Plan returns the reads that bring all the points at once, buttons left out, as a device on that line would plan them.
// The error names every point that cannot be read within the line's limits.
func Plan(points []profile.Point, line profile.LineSettings) ([]plan.Read, error) {
	l, unreadable := newLayout(Readable(points), limitsOf(line), nil, TimingOf(line))
	var all []error
	for _, p := range points {
		if err := unreadable[p.Key]; err != nil {
			all = append(all, fmt.Errorf("%s: %w", p.Key, err))
		}
	}
	return l.all(), errors.Join(all...)
}

func limitsOf(line profile.LineSettings) plan.Limits {
	limits := plan.Limits{MaxRegisters: line.MaxRegisters, Holes: slices.Concat(line.Holes, line.Never),
		Starts: line.Starts, NamedOnly: line.NamedOnly}
	if limits.MaxRegisters == 0 {
		limits.MaxRegisters = protocol.MaxReadRegisters
	}
	return limits
}

// MaxRegistersFor returns the most registers that one read may have so that no exchange of the line takes longer than
// the bound; 0 if none fits. shortest is the least that can be asked for: the exchange of one register.
func MaxRegistersFor(bound time.Duration, timing protocol.Timing) (most uint16, shortest time.Duration) {
	fits := func(n int) bool {
		return timing.Exchange(protocol.Read, protocol.Range{Count: uint16(n)}) <= bound
	}
	n := sort.Search(protocol.MaxReadRegisters, func(n int) bool { return !fits(n + 1) })
	return uint16(n), timing.Exchange(protocol.Read, protocol.Range{Count: 1})
}

// Readable returns the points whose value is read: all but the buttons and what follows from others.
func Readable(points []profile.Point) []profile.Point {
	return slices.DeleteFunc(slices.Clone(points), func(p profile.Point) bool {
		return !p.HasValue() || p.Formula != nil
	})
}
