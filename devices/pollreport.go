package devices

import (
	"maps"
	"math/bits"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// PollReport is how the polls of a device went lately.
type PollReport struct {
	Requests  int           // reads of the last cycle of the widest set of classes; 0 before the first
	Predicted time.Duration // its time on the wire by the model of its line
	Took      time.Duration // the time it took, with what it waited for others

	Wanted   map[profile.Interval]time.Duration // of each class that has points, but for what is read once
	Achieved map[profile.Interval]time.Duration // mean distance of its last cycles, at most 8; a class without two has none

	Dropped uint64 // reads dropped because the line was not free in time
	Behind  bool   // the line cannot keep up: every class is read less often, by about the same factor
}

// Poll returns how the polls went lately.
func (d *Device) Poll() PollReport {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.tally.last
	r.Wanted, r.Achieved = maps.Clone(d.tally.wanted), d.tally.achieved()
	r.Dropped, r.Behind = d.dropped, d.tally.behind
	return r
}

// distances is how many distances between cycles count.
const distances = 8

// tally is what is kept for the report.
type tally struct {
	last   PollReport // its first three fields
	widest classes    // what they are of
	wanted map[profile.Interval]time.Duration
	begun  [profile.Once][]time.Time // of the last cycles
	behind bool
}

// restart forgets the cycles before an absence, which says nothing of the line.
func (t *tally) restart() { t.begun = [profile.Once][]time.Time{} }

// cycle notes a cycle that was not cut short.
func (t *tally) cycle(read classes, begun time.Time, took time.Duration, reads []plan.Read, timing protocol.Timing) {
	for class := range t.begun {
		if !read.has(profile.Interval(class)) {
			continue
		}
		t.begun[class] = append(t.begun[class], begun)
		if n := len(t.begun[class]); n > distances+1 {
			t.begun[class] = t.begun[class][n-distances-1:]
		}
	}
	if repeated := read &^ (1 << profile.Once); len(reads) > 0 && width(repeated) >= width(t.widest) {
		t.widest = repeated
		t.last = PollReport{Requests: len(reads), Predicted: plan.Cost(reads, timing), Took: took}
	}
	t.judge()
}

// A class is behind when half of its last distances, at least three, are this much longer than wanted; it has caught up when they are
// not even this much longer.
const (
	fallsBehind = 1.2
	catchesUp   = 1.1
)

// judge decides whether the line keeps up; while too little is known it stays as it was.
func (t *tally) judge() {
	limit := fallsBehind
	if t.behind {
		limit = catchesUp
	}
	known, behind := false, false
	for class, wanted := range t.wanted {
		typical, ok := t.typical(class)
		known = known || ok
		behind = behind || ok && float64(typical) > limit*float64(wanted)
	}
	if known {
		t.behind = behind
	}
}

// typical returns the median distance of the cycles of a class; one long wait does not move it.
func (t *tally) typical(class profile.Interval) (time.Duration, bool) {
	begun := t.begun[class]
	if len(begun) < 4 {
		return 0, false
	}
	var all []time.Duration
	for i, at := range begun[1:] {
		all = append(all, at.Sub(begun[i]))
	}
	slices.Sort(all)
	return all[(len(all)-1)/2], true
}

func width(c classes) int { return bits.OnesCount8(uint8(c)) }

// achieved returns the mean distance of the cycles of each class that is wanted.
func (t *tally) achieved() map[profile.Interval]time.Duration {
	mean := map[profile.Interval]time.Duration{}
	for class, begun := range t.begun {
		if n := len(begun); n > 1 && t.wanted[profile.Interval(class)] > 0 {
			mean[profile.Interval(class)] = begun[n-1].Sub(begun[0]) / time.Duration(n-1)
		}
	}
	return mean
}
