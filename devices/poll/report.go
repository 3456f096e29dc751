package poll

import (
	"math/bits"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Report is how the polls of a device went lately.
type Report struct {
	Requests  int           // reads of the last cycle of the widest set of classes; 0 before the first
	Predicted time.Duration // its time on the wire by the model of its line
	Took      time.Duration // the time its reads took, with what they waited for others

	Wanted   map[profile.Interval]time.Duration // of each class that has points, but for what is read once
	Achieved map[profile.Interval]time.Duration // mean distance of its last cycles; a class without two has none

	Dropped uint64 // reads dropped because the line was not free in time
	Behind  bool   // the line cannot keep up: every class is read less often
}

// cycles is how many distances between cycles count for the mean.
const cycles = 8

// A class is behind when this many of its cycles in a row came later than fallsBehind of its interval, and has caught
// up when as many did not come later than catchesUp. One long wait does not count.
const (
	inRow       = 3
	fallsBehind = 1.2
	catchesUp   = 1.1
)

// tally is what is kept for the report.
type tally struct {
	last    Report  // its first three fields
	widest  classes // what they are of
	wanted  map[profile.Interval]time.Duration
	begun   [profile.Once][]time.Time // of the last cycles
	late    [profile.Once]int         // cycles in a row that came too late
	timely  [profile.Once]int         // cycles in a row that did not
	dropped uint64
	behind  bool
}

// anew forgets the cycles before an absence, which says nothing of the line.
func (t *tally) anew() {
	t.begun, t.late, t.timely = [profile.Once][]time.Time{}, [profile.Once]int{}, [profile.Once]int{}
}

// began notes that a cycle of the classes begins, and decides whether the line keeps up.
func (t *tally) began(of classes, now time.Time) {
	for class := range t.begun {
		wanted := t.wanted[profile.Interval(class)]
		if !of.has(profile.Interval(class)) || wanted == 0 {
			continue
		}
		if n := len(t.begun[class]); n > 0 {
			distance := float64(now.Sub(t.begun[class][n-1])) / float64(wanted)
			t.late[class], t.timely[class] = t.late[class]+1, t.timely[class]+1
			if distance <= fallsBehind {
				t.late[class] = 0
			}
			if distance > catchesUp {
				t.timely[class] = 0
			}
		}
		t.begun[class] = append(t.begun[class], now)
		if n := len(t.begun[class]); n > cycles+1 {
			t.begun[class] = t.begun[class][n-cycles-1:]
		}
	}
	t.judge()
}

// judge decides whether the line keeps up; while too little is known it stays as it was.
func (t *tally) judge() {
	late, known, timely := false, false, true
	for class := range t.wanted {
		late = late || t.late[class] >= inRow
		if len(t.begun[class]) > 1 {
			known, timely = true, timely && t.timely[class] >= inRow
		}
	}
	t.behind = late || t.behind && !(known && timely)
}

// ended notes a cycle that was read to its end.
func (t *tally) ended(of classes, took time.Duration, reads []plan.Read, timing protocol.Timing) {
	if repeated := of &^ (1 << profile.Once); len(reads) > 0 && width(repeated) >= width(t.widest) {
		t.widest = repeated
		t.last = Report{Requests: len(reads), Predicted: plan.Cost(reads, timing), Took: took}
	}
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
