package poll

import (
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

const (
	nowClass    classes = 1 << profile.Now
	normalClass classes = 1 << profile.Normal
	slowClass   classes = 1 << profile.Slow
	onceClass   classes = 1 << profile.Once
)

func TestSchedule(t *testing.T) {
	now := time.Unix(1000, 0)
	s := newSchedule(nil)
	if due := s.due(now, 0); due != everything {
		t.Fatalf("at first due %04b", due)
	}
	if since := s.begin(everything, now); since != now {
		t.Errorf("due since %v", since)
	}
	for after, want := range map[time.Duration]classes{
		time.Second: 0, 1999 * time.Millisecond: 0, 2 * time.Second: nowClass, 15 * time.Second: nowClass | normalClass,
		5 * time.Minute: everything, // what is read once had failed, or is not over
	} {
		if got := s.due(now.Add(after), 0); got != want {
			t.Errorf("after %v due %04b, want %04b", after, got, want)
		}
	}
	if got := s.wake(0); got != now.Add(2*time.Second) {
		t.Errorf("wakes at %v", got)
	}
	if got := s.due(now.Add(time.Hour), slowClass|onceClass); got != nowClass|normalClass {
		t.Errorf("while the slow ones are read, due %04b", got)
	}
	s.done = true
	if got := s.due(now.Add(time.Hour), 0); got.has(profile.Once) {
		t.Errorf("once is over, but due %04b", got)
	}
	s.anew()
	if due := s.due(now, 0); due != everything {
		t.Errorf("anew due %04b", due)
	}
}

// On a line that is too slow every class is read less often, whichever of them is the dear one, and none waits for
// ever.
func TestNoClassStarves(t *testing.T) {
	for name, cost := range map[string][3]time.Duration{ // of one cycle of each class
		"much now":      {4 * time.Second, 5 * time.Second, 5 * time.Second},
		"much normal":   {500 * time.Millisecond, 30 * time.Second, 5 * time.Second},
		"much slow":     {500 * time.Millisecond, 2 * time.Second, 600 * time.Second},
		"all of it":     {3 * time.Second, 20 * time.Second, 300 * time.Second},
		"just too much": {1500 * time.Millisecond, 4 * time.Second, 20 * time.Second},
	} {
		p := &Poller{schedule: newSchedule(nil)}
		p.tally.wanted = map[profile.Interval]time.Duration{}
		begun := time.Unix(1000, 0)
		left := map[*job]time.Duration{}
		var cycles [3]int
		now := begun
		for now.Before(begun.Add(48 * time.Hour)) {
			if due := p.schedule.due(now, p.running()); due != 0 {
				j := &job{classes: due, since: p.schedule.begin(due, now), priority: protocol.PriorityPoll}
				p.jobs = append(p.jobs, j)
				for class := range cost {
					if due.has(profile.Interval(class)) {
						cycles[class]++
						left[j] += cost[class]
					}
				}
				p.schedule.done = true
			}
			j := p.latest(now)
			if j == nil {
				now = p.schedule.wake(0)
				continue
			}
			read := min(left[j], 250*time.Millisecond)
			now = now.Add(read)
			if left[j] -= read; left[j] <= 0 {
				p.finish(j)
				delete(left, j)
			}
		}
		least, most := 1e9, 0.0
		for class, n := range cycles {
			stretch := float64(48*time.Hour) / float64(n) / float64(p.schedule.every[class])
			least, most = min(least, stretch), max(most, stretch)
		}
		t.Logf("%s: %v cycles, stretched by %.2f to %.2f", name, cycles, least, most)
		if most > 4*least || least < 0.9 {
			t.Errorf("%s: %v cycles, stretched by %.2f to %.2f", name, cycles, least, most)
		}
	}
}

// Whether a line keeps up is said anew only when it is clear, and not because it was away.
func TestBehind(t *testing.T) {
	c := tally{wanted: map[profile.Interval]time.Duration{profile.Now: time.Second}}
	now := time.Unix(1000, 0)
	cycles := func(n int, every time.Duration) {
		for range n {
			now = now.Add(every)
			c.began(nowClass, now)
		}
	}
	for _, step := range []struct {
		what   string
		n      int
		every  time.Duration
		behind bool
	}{
		{"too few to tell", 3, 2 * time.Second, false}, {"slow", 1, 2 * time.Second, true},
		{"nearly", 20, 1150 * time.Millisecond, true}, {"on time", 20, time.Second, false},
		{"nearly again", 20, 1150 * time.Millisecond, false}, {"one long wait", 1, 20 * time.Second, false},
		{"slow again", 20, 1300 * time.Millisecond, true},
	} {
		if cycles(step.n, step.every); c.behind != step.behind {
			t.Errorf("%s: behind: %v", step.what, c.behind)
		}
	}
	c.anew()
	if cycles(2, time.Second); !c.behind {
		t.Error("it was away, which says nothing")
	}
}
