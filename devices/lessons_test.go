package devices

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// deaf is a line to a device that stays silent for reads of more registers than it likes.
type deaf struct {
	Bus
	most uint16
}

func (l *deaf) Do(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if req.Range.Count <= l.most {
		return l.Bus.Do(ctx, req)
	}
	err := l.Bus.Hold(ctx, req, func(context.Context, protocol.Exchanger) error {
		time.Sleep(time.Second)
		return nil
	})
	if err == nil {
		err = &protocol.LinkError{Op: "receive", Link: "house", Err: protocol.ErrTimeout}
	}
	return protocol.Response{Sent: time.Now()}, err
}

// silentAcross has the device not answer what touches some registers.
func (h *house) silentAcross(r protocol.Range) {
	h.fault(sim.Fault{Match: sim.Match{Range: r}, Kind: sim.Drop})
}

var between = protocol.Range{Addr: 102, Count: 8} // undefined registers between what is polled

func TestSilentHoleIsLearnt(t *testing.T) {
	for _, rtu := range []bool{false, true} {
		silentHole(t, rtu)
	}
}

func silentHole(t *testing.T, rtu bool) {
	polled(t, func(h *house) { h.cut(between); h.rtu = rtu }, func(h *house) { // to be refused at first
		h.device.relearn(func(l *Lessons) { *l = Lessons{} })
		h.silentAcross(between)
		h.pass(10 * time.Minute)
		l := h.device.Learnt()
		if len(l.Holes) != 1 || l.Holes[0].Range != between || l.Most != 0 || time.Since(l.Holes[0].At) > 10*time.Minute {
			h.t.Fatalf("learnt %+v", l)
		}
		since := h.line.Journal().Last()
		h.sink.forget()
		h.pass(time.Hour)
		for _, e := range h.line.Journal().Since(since) {
			if e.Fault != "" {
				h.t.Fatalf("silent again: %v", e)
			}
		}
		if len(h.sink.of("power")) < 1700 || len(h.sink.of("energy_today")) < 11 || len(h.sink.told()) != 0 || len(h.device.Refused()) != 0 {
			t.Errorf("power %d times, energy %d times, told %v", len(h.sink.of("power")), len(h.sink.of("energy_today")), h.sink.told())
		}
	})
}

func TestSilenceForLongReadsIsLearnt(t *testing.T) {
	polled(t, func(h *house) { h.wrap = func(l Bus) Bus { return &deaf{l, 9} } }, func(h *house) {
		h.pass(15 * time.Minute)
		l := h.device.Learnt()
		if l.Most == 0 || l.Most > 9 || time.Since(l.MostAt) > 15*time.Minute {
			h.t.Fatalf("learnt %+v", l)
		}
		h.sink.forget()
		h.pass(10 * time.Minute)
		for _, key := range []string{"power", "energy_today", "current_max", "mode", "window_start"} {
			if len(h.sink.of(key)) < 2 {
				t.Errorf("%s was read %d times", key, len(h.sink.of(key)))
			}
		}
		if len(h.sink.told()) != 0 {
			t.Errorf("told %v", h.sink.told())
		}
	})
}

// A point of which the device keeps silent is left out like one that it refuses, and asked for rarely, because it costs a timeout.
func TestPointOfSilence(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.silentAcross(protocol.Range{Addr: 110, Count: 1})
		h.device.SetEnabled(func(key string) bool { return key == "power" || key == "energy_today" || key == "current_max" })
		h.pass(2 * time.Hour) // it was answered lately, which counts for an hour
		if got := fmt.Sprint(h.device.Refused()); got != "[energy_today]" {
			h.t.Fatalf("refused %v, learnt %+v", got, h.device.Learnt())
		}
		since := h.line.Journal().Last()
		h.sink.forget()
		h.pass(4 * time.Hour)
		silent := 0
		for _, e := range h.line.Journal().Since(since) {
			if e.Fault != "" {
				silent++
			}
		}
		if silent < 3 || silent > 5 || len(h.sink.of("power")) < 7000 {
			t.Errorf("silent %d times in four hours, power %d times", silent, len(h.sink.of("power")))
		}
	})
}

// The same where each read has one point: that all are silent does not make them points of silence.
func TestHalfDeadDeviceWithFewPoints(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.device.SetEnabled(func(key string) bool { return key == "hidden" || key == "restart" || key == "grid_code" })
		h.silentAcross(protocol.Range{Addr: 20, Count: 280})
		h.pass(3 * time.Hour)
		h.sink.mu.Lock()
		defer h.sink.mu.Unlock()
		for _, r := range h.sink.readings {
			if strings.Contains(r.Value.Str, "refuses") {
				t.Errorf("%s: %s", r.Key, r.Value.Str)
				return
			}
		}
	})
}

// A device that answers nothing but what identifies it teaches nothing and costs the line little.
func TestHalfDeadDevice(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.silentAcross(protocol.Range{Addr: 20, Count: 280})
		h.pass(3 * time.Hour)
		if l := h.device.Learnt(); len(l.Holes) != 0 || l.Most != 0 || len(h.device.Refused()) != 0 {
			t.Errorf("learnt %+v, refused %v", l, h.device.Refused())
		}
		since := h.line.Journal().Last()
		h.pass(3 * time.Hour)
		lost := 0
		for _, e := range h.line.Journal().Since(since) {
			if e.Fault != "" {
				lost++
			}
		}
		if lost > 3*60*5 { // three reads a minute, and some hunts
			t.Errorf("%d timeouts in three hours", lost)
		}
		t.Logf("%d timeouts in three hours", lost)
		h.fault()
		h.sink.forget()
		h.pass(2 * time.Minute)
		if len(h.sink.of("power")) < 25 || !h.device.Status().Online {
			t.Errorf("power %d times, %+v", len(h.sink.of("power")), h.device.Status())
		}
	})
}

// A line that loses what it loses, and a device that is off, teach nothing.
func TestBadDaysTeachNothing(t *testing.T) {
	for name, bad := range map[string]func(h *house){
		"a line that loses a tenth":      func(h *house) { h.lossy(0.1); h.pass(6 * time.Hour) },
		"a line that loses a third":      func(h *house) { h.lossy(0.33); h.pass(6 * time.Hour) },
		"a line that loses two of three": func(h *house) { h.lossy(0.66); h.pass(6 * time.Hour) },
		"nights": func(h *house) {
			for range 20 {
				h.line.Off()
				h.pass(10 * time.Minute)
				h.line.On()
				h.pass(5 * time.Minute)
			}
		},
		"a device that comes and goes": func(h *house) {
			for range 500 {
				h.line.Off()
				h.pass(5 * time.Second)
				h.line.On()
				h.pass(7 * time.Second)
			}
		},
	} {
		polled(t, nil, func(h *house) {
			bad(h)
			if l := h.device.Learnt(); len(l.Holes) != 0 || l.Most != 0 || len(h.device.Refused()) != 0 {
				t.Errorf("%s: learnt %+v, refused %v", name, l, h.device.Refused())
			}
		})
	}
}

func (h *house) lossy(part float64) {
	h.fault(sim.Fault{Match: sim.Match{Probability: part}, Kind: sim.Drop})
}

// A device that has just been plugged in on a line that loses much.
func TestBadBeginningTeachesNothing(t *testing.T) {
	for seed := range uint64(10) {
		polled(t, nil, func(h *house) {
			h.device.SetEnabled(func(string) bool { return true }) // reads that were never answered
			h.line.Play(sim.NewScript(seed, sim.Fault{Match: sim.Match{Probability: 0.5}, Kind: sim.Drop}))
			h.pass(time.Hour)
			if l := h.device.Learnt(); len(l.Holes) != 0 || l.Most != 0 || len(h.device.Refused()) != 0 {
				t.Errorf("seed %d: learnt %+v, refused %v", seed, l, h.device.Refused())
			}
		})
	}
}

func TestOldLessonsArePutToTheTest(t *testing.T) {
	longAgo := func() time.Time { return time.Now().Add(-relearnAfter - time.Hour) }
	across := protocol.Range{Addr: 101, Count: 10}
	for name, c := range map[string]struct {
		real  bool // the hole is still there
		young bool
		left  int
		reads int // across the hole
	}{
		"gone":        {left: 0, reads: -1},
		"still there": {real: true, left: 1, reads: 1},
		"young":       {young: true, left: 1, reads: 0},
	} {
		polled(t, func(h *house) {
			at := longAgo()
			if c.young {
				at = time.Now().Add(-time.Hour)
			}
			h.cfg.Learnt = Lessons{Holes: []Hole{{Range: between, At: at}}}
			if c.real {
				h.cut(between)
			}
		}, func(h *house) {
			h.pass(10 * time.Minute)
			n := 0
			for _, e := range h.line.Journal().Since(0) {
				if e.Range == across {
					n++
				}
			}
			if c.reads >= 0 && n != c.reads {
				t.Errorf("%s: read across %d times", name, n)
			}
			if l := h.device.Learnt(); len(l.Holes) != c.left || c.left == 1 && time.Since(l.Holes[0].At) > 2*time.Hour {
				t.Errorf("%s: learnt %+v", name, l)
			}
		})
	}
}

func TestLongerReadsAreTriedAgain(t *testing.T) {
	for most, want := range map[uint16]uint16{100: 0, 10: 8, 8: 8} {
		polled(t, func(h *house) {
			h.cfg.Learnt = Lessons{Most: 8, MostAt: time.Now().Add(-relearnAfter - time.Hour)}
			h.wrap = func(l Bus) Bus { return &deaf{l, most} }
		}, func(h *house) {
			h.pass(6 * time.Hour)
			if l := h.device.Learnt(); l.Most > want || want == 0 && l.Most != 0 || l.Most == 0 && want != 0 || want != 0 && time.Since(l.MostAt) > 7*time.Hour {
				t.Errorf("with %d learnt %+v", most, l)
			}
			if len(h.sink.told()) > 1 {
				t.Errorf("told %v", h.sink.told())
			}
		})
	}
}

// Lessons about what a later profile reads are none.
func TestLessonsYieldToPoints(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Learnt = Lessons{Holes: []Hole{{Range: protocol.Range{Addr: 101, Count: 1}, At: time.Now()}}, Most: 1, MostAt: time.Now()}
	}, func(h *house) {
		for _, key := range []string{"status", "limit"} {
			if v := h.sink.last(key).Value; v.Kind == codec.KindNone {
				t.Errorf("%s is %+v", key, v)
			}
		}
	})
}
