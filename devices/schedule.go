package devices

import (
	"time"

	"solarhub/devices/profile"
)

// classes is a set of interval classes.
type classes uint8

const everything classes = 1<<profile.Now | 1<<profile.Normal | 1<<profile.Slow | 1<<profile.Once

func (c classes) has(i profile.Interval) bool { return c&(1<<i) != 0 }

// defaultIntervals are how often each class is read; once means once after each identification.
var defaultIntervals = map[profile.Interval]time.Duration{
	profile.Now:    2 * time.Second,
	profile.Normal: 15 * time.Second,
	profile.Slow:   5 * time.Minute,
}

// schedule says when which class is read next. A class that comes late is read at once and never twice for it.
type schedule struct {
	every [profile.Once]time.Duration
	next  [profile.Once + 1]time.Time // zero: not before the next identification
}

func newSchedule(intervals map[profile.Interval]time.Duration) schedule {
	var s schedule
	for i := range s.every {
		class := profile.Interval(i)
		if s.every[i] = intervals[class]; s.every[i] <= 0 {
			s.every[i] = defaultIntervals[class]
		}
	}
	return s
}

// all makes every class due now.
func (s *schedule) all(now time.Time) {
	for i := range s.next {
		s.next[i] = now
	}
}

// due returns the classes that are read now, none if that has time until next. A class that would be due soon, by a tenth of its
// interval, goes with the others: one plan for more points costs less than two.
func (s *schedule) due(now time.Time) (due classes, next time.Time) {
	var soon classes
	for i, at := range s.next {
		if at.IsZero() {
			continue
		}
		if !at.After(now) {
			due |= 1 << i
		}
		if !at.After(now.Add(s.interval(profile.Interval(i)) / 10)) {
			soon |= 1 << i
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if due == 0 {
		return 0, next
	}
	return due | soon, next
}

// done notes that the classes were read from begun on. What is read once is tried again if something failed.
func (s *schedule) done(read classes, begun time.Time, failed bool) {
	for i := range s.next {
		class := profile.Interval(i)
		if !read.has(class) {
			continue
		}
		s.next[i] = begun.Add(s.interval(class))
		if class == profile.Once && !failed {
			s.next[i] = time.Time{}
		}
	}
}

// interval returns that of a class; for once it is the pause before another try.
func (s *schedule) interval(class profile.Interval) time.Duration {
	return s.every[min(class, profile.Slow)]
}

// fastest returns the shortest interval of the classes.
func (s *schedule) fastest(of classes) time.Duration {
	fastest := s.every[profile.Slow]
	for class, every := range s.every {
		if of.has(profile.Interval(class)) {
			fastest = min(fastest, every)
		}
	}
	return fastest
}

// wanted returns the intervals of the classes that the points have, but for once.
func (s *schedule) wanted(points []profile.Point) map[profile.Interval]time.Duration {
	all := map[profile.Interval]time.Duration{}
	for _, p := range points {
		if p.Interval < profile.Once {
			all[p.Interval] = s.interval(p.Interval)
		}
	}
	return all
}
