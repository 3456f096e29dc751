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

// neighbour is a second device on the line of the house.
func (h *house) neighbour(sink Sink) *Device {
	h.t.Helper()
	cfg := h.cfg
	cfg.Unit, cfg.Name, cfg.Profile = 2, "Neighbour", houseWith(h.t, "unit: 1", "unit: 2")
	return New(cfg, h.bus, sink, zerolog.Nop())
}

func withNeighbour(h *house) {
	unit, err := simulate.Unit(houseWith(h.t, "unit: 1", "unit: 2"), profile.Traits{"kind": "lv"}, "SN00000002")
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
		h.cfg.Intervals = map[profile.Interval]time.Duration{profile.Now: time.Second, profile.Normal: 3 * time.Second,
			profile.Slow: 20 * time.Second}
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
		for key, class := range map[string]profile.Interval{"power": profile.Now, "status": profile.Normal,
			"current_max": profile.Slow} {
			mine, theirs := len(h.sink.of(key)), len(sink.of(key))
			wanted := 600 / h.cfg.Intervals[class].Seconds()
			stretch := wanted / float64(mine)
			least, most = min(least, stretch), max(most, stretch)
			t.Logf("%s: %d and %d of %.0f, stretched by %.2f", key, mine, theirs, wanted, stretch)
			if mine < theirs*9/10 || theirs < mine*9/10 {
				t.Errorf("%s was read %d times here and %d there", key, mine, theirs)
			}
			if stretch < 1.2 || stretch > 3.5 {
				t.Errorf("%s is stretched by %.2f", key, stretch)
			}
			r := h.device.Poll()
			if got, want := r.Achieved[class],
				10*time.Minute/time.Duration(mine); !r.Behind || got < want*8/10 || got > want*12/10 {
				t.Errorf("%s: achieved %v, not %v; behind: %v", key, got, want, r.Behind)
			}
		}
		if most > 1.8*least {
			t.Errorf("stretched by %.2f to %.2f", least, most)
		}
		r := h.device.Poll()
		if r.Requests < 4 || r.Predicted <= 0 || r.Took < time.Duration(r.Requests)*900*time.Millisecond ||
			r.Wanted[profile.Normal] != 3*time.Second {
			t.Errorf("report %+v", r)
		}
		for _, unit := range append(h.others, h.unit) {
			unit.Turnaround(time.Millisecond)
		}
		h.pass(5 * time.Minute)
		if r := h.device.Poll(); r.Behind || r.Achieved[profile.Now] != time.Second {
			t.Errorf("report %+v", r)
		}
		if log := text.String(); strings.Count(log, "cannot keep up") != 1 ||
			strings.Count(log, "keeps up again") != 1 || !strings.Contains(log, `"now":`) {
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
