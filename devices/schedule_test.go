package devices

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

const (
	nowClass    classes = 1 << profile.Now
	normalClass classes = 1 << profile.Normal
	slowClass   classes = 1 << profile.Slow
	onceClass   classes = 1 << profile.Once
)

func free(classes) time.Duration { return 0 }

func TestSchedule(t *testing.T) {
	now := time.Unix(1000, 0)
	s := newSchedule(nil)
	if due, _ := s.due(now, 0, free); due != everything {
		t.Fatalf("at first due %04b", due)
	}
	s.read(everything, now, true)
	if _, next := s.due(now, 0, free); next != now.Add(2*time.Second) {
		t.Errorf("next %v", next)
	}
	s.read(nowClass|normalClass, now.Add(299*time.Second), false)
	if due, _ := s.due(now.Add(301*time.Second), 0, free); !due.has(profile.Once) {
		t.Error("once, but it failed: it must be tried again")
	}
	s.read(everything, now, false)
	for after, want := range map[time.Duration]classes{
		time.Second:             0,
		2 * time.Second:         nowClass,
		1950 * time.Millisecond: 0,
	} {
		if got, _ := s.due(now.Add(after), 0, free); got != want {
			t.Errorf("after %v due %04b, want %04b", after, got, want)
		}
	}
	s.read(nowClass, now.Add(12*time.Second), false)
	if got, _ := s.due(now.Add(14*time.Second), 0, free); got != nowClass|normalClass { // due in a second: it goes with the others
		t.Errorf("due %04b", got)
	}
	s.read(nowClass|normalClass, now.Add(299*time.Second), false)
	if got, _ := s.due(now.Add(301*time.Second), 0, free); got != nowClass|slowClass {
		t.Errorf("due %04b", got)
	}
	if got, _ := s.due(now.Add(302*time.Second), slowClass, free); got != nowClass {
		t.Errorf("while the slow ones are read, due %04b", got)
	}
	if got, _ := s.due(now.Add(time.Hour), nowClass, free); got != 0 {
		t.Errorf("while the fast ones are read, due %04b", got)
	}
	s.all()
	if due, _ := s.due(now, 0, free); due != everything {
		t.Errorf("anew due %04b", due)
	}
}

// On a line that is too slow every class is read less often, by about the same factor, whichever of them is the dear one.
func TestAllClassesAreThinnedAlike(t *testing.T) {
	for name, cost := range map[string][3]time.Duration{ // of one cycle of each class
		"much now":      {4 * time.Second, 5 * time.Second, 5 * time.Second},
		"much normal":   {500 * time.Millisecond, 30 * time.Second, 5 * time.Second},
		"much slow":     {500 * time.Millisecond, 2 * time.Second, 600 * time.Second},
		"all of it":     {3 * time.Second, 20 * time.Second, 300 * time.Second},
		"just too much": {1500 * time.Millisecond, 4 * time.Second, 20 * time.Second},
	} {
		s := newSchedule(nil)
		now := time.Unix(1000, 0)
		s.read(everything, now, false)
		end := now.Add(48 * time.Hour)
		var cycles [3]int
		price := func(of classes) (sum time.Duration) {
			for class := range cost {
				if of.has(profile.Interval(class)) {
					sum += cost[class]
				}
			}
			return sum
		}
		var spend func(running, due classes)
		spend = func(running, due classes) {
			begun, age := now, s.oldest(due, now)
			for class := range cost {
				if !due.has(profile.Interval(class)) {
					continue
				}
				cycles[class]++
				for left := cost[class]; left > 0; left -= 250 * time.Millisecond { // reads
					if faster, _ := s.due(now, running, price); s.overtakes(faster, now, due, age, begun) {
						spend(running|faster, faster)
					}
					now = now.Add(min(left, 250*time.Millisecond))
				}
			}
			s.read(due, begun, false)
		}
		for now.Before(end) {
			due, next := s.due(now, 0, price)
			if due == 0 {
				now = next
				continue
			}
			spend(due, due)
		}
		least, most := 1e9, 0.0
		for class, n := range cycles {
			stretch := float64(48*time.Hour) / float64(n) / float64(s.every[class])
			least, most = min(least, stretch), max(most, stretch)
		}
		if most > 1.5*least || least < 0.9 {
			t.Errorf("%s: %v cycles, stretched by %.2f to %.2f", name, cycles, least, most)
		}
	}
}

// A first cycle that takes long does not keep what was read already from being read again.
func TestOvertaking(t *testing.T) {
	s, now := newSchedule(nil), time.Unix(1000, 0)
	s.read(nowClass, now, false)
	begun, age := now, s.oldest(slowClass, now)
	for after, want := range map[time.Duration]bool{time.Second: false, 2 * time.Second: false, 2100 * time.Millisecond: true} {
		if got := s.overtakes(nowClass, now.Add(after), slowClass, age, begun); got != want {
			t.Errorf("after %v it overtakes: %v", after, got)
		}
	}
	if s.overtakes(nowClass, now.Add(5*time.Second), slowClass, 3, begun) || s.overtakes(0, now.Add(time.Hour), slowClass, 1, begun) {
		t.Error("overtook what is older, or with nothing")
	}
	if s.overtakes(nowClass, now.Add(8*time.Second), slowClass, 3, now.Add(-25*time.Minute)) {
		t.Error("overtook a cycle that will be older when it ends")
	}
}

// Whether a line keeps up is said anew only when it is clear, and not because it was away.
func TestBehind(t *testing.T) {
	c := tally{wanted: map[profile.Interval]time.Duration{profile.Now: time.Second}}
	now := time.Unix(1000, 0)
	cycles := func(n int, every time.Duration) {
		for range n {
			now = now.Add(every)
			c.cycle(nowClass, now, time.Millisecond, nil, protocol.Timing{})
		}
	}
	for _, step := range []struct {
		what   string
		n      int
		every  time.Duration
		behind bool
	}{
		{"too few to tell", 3, 2 * time.Second, false}, {"slow", 1, 2 * time.Second, true}, {"nearly", 20, 1150 * time.Millisecond, true},
		{"on time", 20, time.Second, false}, {"nearly again", 20, 1150 * time.Millisecond, false}, {"one long wait", 1, 20 * time.Second, false},
		{"slow again", 20, 1300 * time.Millisecond, true},
	} {
		if cycles(step.n, step.every); c.behind != step.behind {
			t.Errorf("%s: behind: %v", step.what, c.behind)
		}
	}
	c.restart()
	if cycles(2, time.Second); !c.behind {
		t.Error("it was away, which says nothing")
	}
}

// neighbour is a second device on the line of the house.
func (h *house) neighbour(sink Sink) *Device {
	h.t.Helper()
	cfg := h.cfg
	cfg.Unit, cfg.Name, cfg.Profile = 2, "Neighbour", houseWith(h.t, "unit: 1", "unit: 2")
	return New(cfg, h.bus, sink, zerolog.Nop())
}

func withNeighbour(h *house) {
	unit, err := simulate.Unit(houseWith(h.t, "unit: 1", "unit: 2"), "lv", "SN00000002")
	if err != nil {
		h.t.Fatal(err)
	}
	h.others = append(h.others, unit)
}

func TestTwoDevicesShareALineThatIsTooSlow(t *testing.T) {
	var text bytes.Buffer
	polled(t, func(h *house) {
		withNeighbour(h)
		h.log = zerolog.New(&text)
		h.cfg.Line.MaxRegisters = 5
		h.cfg.Intervals = map[profile.Interval]time.Duration{profile.Now: time.Second, profile.Normal: 3 * time.Second, profile.Slow: 20 * time.Second}
		for _, unit := range append(h.others, h.unit) {
			unit.Turnaround(900 * time.Millisecond)
		}
	}, func(h *house) {
		sink := &recorder{}
		neighbour := h.neighbour(sink)
		var running sync.WaitGroup
		defer running.Wait()
		ctx, cancel := context.WithCancel(h.ctx)
		defer cancel()
		running.Go(func() { _ = neighbour.Run(ctx) })
		h.pass(3 * time.Minute)
		h.sink.forget()
		sink.forget()
		h.pass(10 * time.Minute)
		least, most := 1e9, 0.0
		for key, class := range map[string]profile.Interval{"power": profile.Now, "status": profile.Normal, "current_max": profile.Slow} {
			mine, theirs := len(h.sink.of(key)), len(sink.of(key))
			wanted := 600 / h.cfg.Intervals[class].Seconds()
			stretch := wanted / float64(mine)
			least, most = min(least, stretch), max(most, stretch)
			t.Logf("%s: %d and %d of %.0f, stretched by %.2f", key, mine, theirs, wanted, stretch)
			if mine < theirs*9/10 || theirs < mine*9/10 {
				t.Errorf("%s was read %d times here and %d there", key, mine, theirs)
			}
			if stretch < 1.2 || stretch > 2.6 {
				t.Errorf("%s is stretched by %.2f", key, stretch)
			}
			r := h.device.Poll()
			if got, want := r.Achieved[class], 10*time.Minute/time.Duration(mine); !r.Behind || got < want*8/10 || got > want*12/10 {
				t.Errorf("%s: achieved %v, not %v; behind: %v", key, got, want, r.Behind)
			}
		}
		if most > 1.25*least {
			t.Errorf("stretched by %.2f to %.2f", least, most)
		}
		r := h.device.Poll()
		if r.Requests < 4 || r.Predicted <= 0 || r.Took < time.Duration(r.Requests)*900*time.Millisecond || r.Wanted[profile.Normal] != 3*time.Second {
			t.Errorf("report %+v", r)
		}
		for _, unit := range append(h.others, h.unit) {
			unit.Turnaround(time.Millisecond)
		}
		h.pass(5 * time.Minute)
		if r := h.device.Poll(); r.Behind || r.Achieved[profile.Now] != time.Second {
			t.Errorf("report %+v", r)
		}
		if log := text.String(); strings.Count(log, "cannot keep up") != 1 || strings.Count(log, "keeps up again") != 1 || !strings.Contains(log, `"now":`) {
			t.Errorf("the log says\n%s", log)
		}
	})
}

// What is read often does not wait until all that is read rarely has come.
func TestFastPointsOvertakeALongCycle(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Line.MaxRegisters = 5
		h.unit.Turnaround(700 * time.Millisecond)
		h.cfg.Intervals = map[profile.Interval]time.Duration{profile.Now: 3 * time.Second, profile.Slow: time.Minute}
	}, func(h *house) {
		h.device.SetEnabled(func(string) bool { return true })
		h.pass(time.Minute)
		since := h.line.Journal().Last()
		h.pass(5 * time.Minute)
		var last time.Time
		for _, e := range h.line.Journal().Since(since) {
			if !e.Range.Contains(protocol.Range{Addr: 100, Count: 1}) {
				continue
			}
			if !last.IsZero() && e.At.Sub(last) > 5*time.Second {
				t.Errorf("power was not read for %v", e.At.Sub(last))
			}
			last = e.At
		}
	})
}

// A device that is off costs the line one timeout in a growing interval, for which Quiet is the limit.
func TestQuietNight(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Line.Quiet = 10 * time.Minute }, func(h *house) {
		h.line.Off()
		h.pass(time.Hour)
		since := h.line.Journal().Last()
		h.pass(4 * time.Hour)
		all := h.line.Journal().Since(since)
		if len(all) < 20 || len(all) > 31 {
			t.Errorf("%d probes in four hours", len(all))
		}
		for _, e := range all {
			if e.Range.Count > 8 {
				t.Errorf("a probe of %v", e.Range)
			}
		}
		if h.sink.last("power").Value.Kind == 0 {
			t.Error("the last value is gone")
		}
	})
}

// A device that is off costs the others on its line one timeout in a growing interval.
func TestADeadNeighbour(t *testing.T) {
	polled(t, withNeighbour, func(h *house) {
		h.fault(sim.Fault{Match: sim.Match{Units: []protocol.UnitID{2}}, Kind: sim.Drop})
		var running sync.WaitGroup
		defer running.Wait()
		ctx, cancel := context.WithCancel(h.ctx)
		defer cancel()
		neighbour := h.neighbour(&recorder{})
		running.Go(func() { _ = neighbour.Run(ctx) })
		h.pass(5 * time.Minute)
		since := h.line.Journal().Last()
		h.pass(20 * time.Minute)
		var last time.Time
		lost := 0
		for _, e := range h.line.Journal().Since(since) {
			if e.Unit == 2 {
				lost++
			} else if e.Range.Contains(protocol.Range{Addr: 100, Count: 1}) {
				if !last.IsZero() && e.At.Sub(last) > 3100*time.Millisecond {
					t.Errorf("power was not read for %v", e.At.Sub(last))
				}
				last = e.At
			}
		}
		if lost < 17 || lost > 26 { // once a minute, a fifth more or less
			t.Errorf("the dead device was asked %d times in 20 minutes", lost)
		}
		if r := h.device.Poll(); r.Behind {
			t.Errorf("report %+v", r)
		}
	})
}
