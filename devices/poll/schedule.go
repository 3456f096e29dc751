package poll

import (
	"time"

	"solarhub/devices/profile"
)

// classes is a set of interval classes.
type classes uint8

const everything classes = 1<<profile.Now | 1<<profile.Normal | 1<<profile.Slow | 1<<profile.Once

func (c classes) has(i profile.Interval) bool { return c&(1<<i) != 0 }

// slowest returns the class of the set that is read most rarely.
func (c classes) slowest() profile.Interval {
	for i := profile.Once; i > profile.Now; i-- {
		if c.has(i) {
			return i
		}
	}
	return profile.Now
}

// defaultIntervals are how often each class is read; once means once after each identification.
var defaultIntervals = map[profile.Interval]time.Duration{
	profile.Now:    2 * time.Second,
	profile.Normal: 15 * time.Second,
	profile.Slow:   5 * time.Minute,
}

// schedule has one timer for each class. Classes that are due at the same time are read together. If the line cannot
// keep up, the class that is latest, measured in its own intervals, goes first: every class is read less often, and
// none waits for ever.
type schedule struct {
	every [profile.Once]time.Duration
	next  [profile.Once + 1]time.Time // zero: at once
	done  bool                        // what is read once has been read
	zone  *time.Location              // whose midnight counts; nil: that of the machine
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

// in returns the schedule with the midnight of a zone.
func (s schedule) in(zone *time.Location) schedule {
	s.zone = zone
	return s
}

// anew makes every class due now.
func (s *schedule) anew() {
	s.next = [profile.Once + 1]time.Time{}
	s.done = false
}

// due returns the classes that are due and not being read already.
func (s *schedule) due(now time.Time, running classes) (due classes) {
	for class := range profile.Once + 1 {
		if s.counts(class, running) && !s.next[class].After(now) {
			due |= 1 << class
		}
	}
	return due
}

// wake returns when the next class will be due; zero if none will.
func (s *schedule) wake(running classes) (at time.Time) {
	for class := range profile.Once + 1 {
		if s.counts(class, running) {
			at = earlier(at, s.next[class])
		}
	}
	return at
}

func (s *schedule) counts(class profile.Interval, running classes) bool {
	return !running.has(class) && !(class == profile.Once && s.done)
}

// begin notes that the classes are read from now on, and returns since when the slowest of them has been due.
func (s *schedule) begin(due classes, now time.Time) (since time.Time) {
	if since = s.next[due.slowest()]; since.IsZero() {
		since = now
	}
	for class := range s.next {
		if due.has(profile.Interval(class)) {
			s.next[class] = s.beforeMidnight(now, now.Add(s.interval(profile.Interval(class))))
		}
	}
	return since
}

// lastOfDay is how long before midnight everything is read once more that is read more rarely, so that the counters of
// the day have its last minutes when they begin again.
const lastOfDay = 15 * time.Second

// beforeMidnight returns the time of the next read, or the moment before midnight if that comes first.
func (s *schedule) beforeMidnight(now, next time.Time) time.Time {
	if next.Sub(now) <= lastOfDay {
		return next
	}
	zone := s.zone
	if zone == nil {
		zone = time.Local
	}
	y, m, d := next.In(zone).Date()
	last := time.Date(y, m, d, 0, 0, 0, 0, zone).Add(-lastOfDay)
	if last.After(now) && last.Before(next) {
		return last
	}
	return next
}

// lateness returns for how many of its intervals a class has been due.
func (s *schedule) lateness(class profile.Interval, since, now time.Time) float64 {
	return float64(now.Sub(since)) / float64(s.interval(class))
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

// earlier returns the earlier of two times; zero counts as never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
