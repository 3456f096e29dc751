package devices

import (
	"context"
	"fmt"
	"slices"
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

// learned returns the ranges that were found not to be read across.
func (h *house) learned() (all []protocol.Range) {
	for _, hole := range h.device.Learned().Holes {
		all = append(all, hole.Range)
	}
	return all
}

// What the device does not read across is found while it is polled, and from then on every value comes.
func TestSilentHoleIsFound(t *testing.T) {
	for _, rtu := range []bool{false, true} {
		polled(t, func(h *house) {
			h.rtu = rtu
			h.unit.Limit(sim.Limits{Undefined: sim.Silence})
			h.unit.Remove(between)
		}, func(h *house) {
			h.pass(30 * time.Minute)
			if got := h.learned(); !slices.Equal(got, []protocol.Range{between}) {
				t.Fatalf("learned %v", got)
			}
			since := h.line.Journal().Last()
			h.sink.forget()
			h.pass(time.Hour)
			for _, e := range h.line.Journal().Since(since) {
				if len(e.Reply) == 0 {
					t.Fatalf("silent again: %v", e)
				}
			}
			power, energy := len(h.sink.of("power")), len(h.sink.of("energy_today"))
			if power < 1700 || energy < 11 || len(h.sink.told()) != 0 || len(h.device.Refused()) != 0 {
				t.Errorf("power %d times, energy %d times, told %v", power, energy, h.sink.told())
			}
		})
	}
}

func TestSilenceForLongReads(t *testing.T) {
	polled(t, func(h *house) { h.wrap = func(l Bus) Bus { return &deaf{l, 9} } }, func(h *house) {
		h.pass(2 * time.Hour)
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

// While a silent read is looked into, the polls of the others go on: no more than a tenth of the requests get no
// answer.
func TestLookingIntoSilenceDoesNotStopThePolls(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Limit(sim.Limits{Undefined: sim.Silence})
		h.unit.Remove(protocol.Range{Addr: 202, Count: 8})
	}, func(h *house) {
		h.pass(10 * time.Minute)
		since := h.line.Journal().Last()
		h.pass(time.Hour)
		var last time.Time
		silent, all := 0, h.line.Journal().Since(since)
		for _, e := range all {
			if len(e.Reply) == 0 {
				silent++
			}
			if !e.Range.Contains(protocol.Range{Addr: 100, Count: 1}) {
				continue
			}
			if !last.IsZero() && e.At.Sub(last) > 4*time.Second {
				t.Errorf("power was not read for %v", e.At.Sub(last))
			}
			last = e.At
		}
		if 9*silent > len(all) {
			t.Errorf("%d of %d requests got no answer", silent, len(all))
		}
		if v := h.sink.last("current_max").Value; v.Kind != codec.KindNumber {
			t.Errorf("current_max is %+v, refused %v", v, h.device.Refused())
		}
	})
}

// A point of which the device keeps silent is left out like one that it refuses, and asked for rarely, because it costs
// a timeout.
func TestPointOfSilence(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.silentAcross(protocol.Range{Addr: 110, Count: 1})
		h.device.SetEnabled(func(key string) bool {
			return key == "power" || key == "energy_today" ||
				key == "current_max"
		})
		h.pass(2 * time.Hour) // it was answered lately, which counts for an hour
		if got := fmt.Sprint(h.device.Refused()); got != "[energy_today]" {
			h.t.Fatalf("refused %v, learned %+v", got, h.learned())
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
		if silent < 3 || silent > 60 || len(h.sink.of("power")) < 7000 {
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
		if l := h.learned(); len(l) != 0 || len(h.device.Refused()) != 0 {
			t.Errorf("learned %v, refused %v", l, h.device.Refused())
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
			if l := h.learned(); len(l) != 0 || len(h.device.Refused()) != 0 {
				t.Errorf("%s: learned %v, refused %v", name, l, h.device.Refused())
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
			if l := h.learned(); len(l) != 0 || len(h.device.Refused()) != 0 {
				t.Errorf("seed %d: learned %v, refused %v", seed, l, h.device.Refused())
			}
		})
	}
}

// What an earlier run has found is believed for a week.
func TestOldHolesAreForgotten(t *testing.T) {
	for age, left := range map[time.Duration]int{time.Hour: 1, believedFor + time.Hour: 0} {
		polled(t, func(h *house) {
			h.cfg.Learned = Learned{Holes: []Hole{{Range: between, At: time.Now().Add(-age)}}}
		}, func(h *house) {
			across := 0
			for _, e := range h.line.Journal().Since(0) {
				if e.Range.Contains(between) {
					across++
				}
			}
			if got := h.learned(); len(got) != left || (across == 0) != (left == 1) {
				t.Errorf("after %v: learned %v, read across %d times", age, got, across)
			}
		})
	}
}

// What was found of registers that a later profile reads makes no value unreadable.
func TestHolesYieldToPoints(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Learned = Learned{Holes: []Hole{{Range: protocol.Range{Addr: 101, Count: 1}, At: time.Now()}}}
	}, func(h *house) {
		for _, key := range []string{"status", "limit"} {
			if v := h.sink.last(key).Value; v.Kind == codec.KindNone {
				t.Errorf("%s is %+v", key, v)
			}
		}
	})
}
