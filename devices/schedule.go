package devices

import (
	"math"
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

// schedule says which classes are read next. What counts is how late a class is, measured in its own intervals: on a line that is
// too slow for all of them each is read less often, by about the same factor, and none waits for ever.
type schedule struct {
	every [profile.Once]time.Duration
	last  [profile.Once + 1]time.Time // when its last cycle began; zero: it is read at once
	done  bool                        // what is read once has been read
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
func (s *schedule) all() {
	s.last = [profile.Once + 1]time.Time{}
	s.done = false
}

// age returns the time since the last cycle of the class began, in intervals; infinite if there was none.
func (s *schedule) age(class profile.Interval, now time.Time) float64 {
	if s.last[class].IsZero() {
		return math.Inf(1)
	}
	return float64(now.Sub(s.last[class])) / float64(s.interval(class))
}

// nearly is how much of the oldest's age a class must have to go with it: one plan for more points costs less than two.
const nearly = 0.9

// due returns the classes that are read now, of those that are faster than any that is being read: the oldest, and what is nearly
// as old and better read with it. If nothing is due, that has time until next.
func (s *schedule) due(now time.Time, running classes, cost func(classes) time.Duration) (due classes, next time.Time) {
	oldest, first := 0.0, profile.Now
	for class := range profile.Once + 1 {
		if !s.may(class, running) {
			continue
		}
		if age := s.age(class, now); age > oldest {
			oldest, first = age, class
		}
		if at := s.last[class].Add(s.interval(class)); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if oldest < 1 {
		return 0, next
	}
	due = 1 << first
	for class := range profile.Once + 1 {
		if s.may(class, running) && s.age(class, now) >= nearly*oldest && s.better(due, 1<<class, cost) {
			due |= 1 << class
		}
	}
	return due, next
}

// better reports whether classes are better read together: in time for the fastest, or for half of what the second costs alone.
func (s *schedule) better(a, b classes, cost func(classes) time.Duration) bool {
	both := cost(a | b)
	return both <= s.fastest(a|b) || both-cost(a) <= cost(b)/2
}

// may reports whether a class may be read now: it is faster than all that are being read, and not over for good.
func (s *schedule) may(class profile.Interval, running classes) bool {
	if class == profile.Once && s.done {
		return false
	}
	return running == 0 || s.interval(class) < s.fastest(running)
}

// oldest returns the age of the oldest of the classes.
func (s *schedule) oldest(of classes, now time.Time) (oldest float64) {
	for class := range profile.Once + 1 {
		if of.has(class) {
			oldest = max(oldest, s.age(class, now))
		}
	}
	return oldest
}

// overtakes reports whether classes are to be read before a cycle of others goes on: they are older than these were when their turn
// came, and than these will be when it comes again.
func (s *schedule) overtakes(due classes, now time.Time, others classes, age float64, begun time.Time) bool {
	if math.IsInf(age, 1) { // read for the first time: there is no hurry that others would have to suffer from
		age = 1
	}
	return due != 0 && s.oldest(due, now) > max(age, float64(now.Sub(begun))/float64(s.fastest(others)))
}

// read notes that the classes were read from begun on. What is read once is tried again if something failed.
func (s *schedule) read(classes classes, begun time.Time, failed bool) {
	for class := range s.last {
		if classes.has(profile.Interval(class)) {
			s.last[class] = begun
		}
	}
	if classes.has(profile.Once) && !failed {
		s.done = true
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
