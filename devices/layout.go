package devices

import (
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
	items  []protocol.Range // all ranges of all points
	owner  []int            // item -> point
	first  []int            // point -> its first item
	reads  []plan.Read
}

// newLayout plans the points; an error means that one of them cannot be read within the limits.
func newLayout(points []profile.Point, limits plan.Limits, timing protocol.Timing) (*layout, error) {
	l := &layout{points: points}
	for i, p := range points {
		l.first = append(l.first, len(l.items))
		for _, r := range p.Ranges {
			l.items = append(l.items, r)
			l.owner = append(l.owner, i)
		}
	}
	reads, err := plan.Plan(l.items, limits, timing)
	l.reads = reads
	return l, err
}

// touched returns the points of which the read brings at least a part, each once, in order.
func (l *layout) touched(read plan.Read) []int {
	var points []int
	for _, item := range read.Items {
		points = append(points, l.owner[item])
	}
	slices.Sort(points)
	return slices.Compact(points)
}

// itemsOf returns the items of a point.
func (l *layout) itemsOf(point int) (from, to int) {
	return l.first[point], l.first[point] + len(l.points[point].Ranges)
}

// TimingOf returns the wire-time model of a device's line.
func TimingOf(line profile.LineSettings) protocol.Timing {
	t := protocol.Timing{Turnaround: line.Turnaround, Gap: line.Pace.Gap}
	if line.Serial.Baud != 0 {
		serial := line.Serial
		t.Serial = &serial
	}
	return t
}

// ReadPlan returns the reads that bring all the points at once, buttons left out, as a device on that line would plan them.
// The error names every point that cannot be read within the line's limits.
func ReadPlan(points []profile.Point, line profile.LineSettings) ([]plan.Read, error) {
	l, unreadable := bestLayout(readable(points), limitsOf(line), TimingOf(line))
	var all []error
	for _, p := range points {
		if err := unreadable[p.Key]; err != nil {
			all = append(all, fmt.Errorf("%s: %w", p.Key, err))
		}
	}
	return l.reads, errors.Join(all...)
}

func limitsOf(line profile.LineSettings) plan.Limits {
	limits := plan.Limits{MaxRegisters: line.MaxRegisters, Holes: slices.Clone(line.Holes)}
	if limits.MaxRegisters == 0 {
		limits.MaxRegisters = protocol.MaxReadRegisters
	}
	return limits
}

// MaxRegistersFor returns the most registers that one read may have so that no exchange of the line takes longer than the bound; 0
// if none fits. shortest is the least that can be asked for: the exchange of one register.
func MaxRegistersFor(bound time.Duration, timing protocol.Timing) (most uint16, shortest time.Duration) {
	fits := func(n int) bool {
		return timing.Exchange(protocol.Read, protocol.Range{Count: uint16(n)}) <= bound
	}
	n := sort.Search(protocol.MaxReadRegisters, func(n int) bool { return !fits(n + 1) })
	return uint16(n), timing.Exchange(protocol.Read, protocol.Range{Count: 1})
}

// readable returns the points that have a value.
func readable(points []profile.Point) []profile.Point {
	return slices.DeleteFunc(slices.Clone(points), profile.Point.Button)
}

// bestLayout plans the points and leaves out those that cannot be read within the limits, with the reason.
func bestLayout(points []profile.Point, limits plan.Limits, timing protocol.Timing) (*layout, map[string]error) {
	l, err := newLayout(points, limits, timing)
	if err == nil {
		return l, nil
	}
	unreadable := map[string]error{}
	var rest []profile.Point
	for _, p := range points {
		if _, err := newLayout([]profile.Point{p}, limits, timing); err != nil {
			unreadable[p.Key] = err
		} else {
			rest = append(rest, p)
		}
	}
	l, err = newLayout(rest, limits, timing)
	if err == nil {
		return l, unreadable
	}
	for _, p := range rest { // each alone is fine, together they are not: plan says why
		unreadable[p.Key] = err
	}
	return &layout{}, unreadable
}
