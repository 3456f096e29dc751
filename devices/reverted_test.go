package devices

import (
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// all reads every point now.
func (h *house) all() {
	h.t.Helper()
	if err := h.device.Refresh(h.ctx); err != nil {
		h.t.Fatal(err)
	}
}

// reversions returns what was told to have been taken back.
func (r *recorder) reversions() []Changed {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reverted
}

func TestTakenBackIsToldOnce(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 200, 92)
		h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, simtest.RevertAfter(time.Minute))
	}, func(h *house) {
		out, err := h.write("current_max", 50.0)
		if err != nil {
			t.Fatal(err)
		}
		confirmed := time.Now()
		h.pass(50 * time.Second)
		h.all()
		if all := h.sink.reversions(); len(all) != 0 {
			t.Fatalf("told %+v", all)
		}
		h.pass(20 * time.Second)
		h.all()
		h.unit.Set(protocol.HoldingRegister, 200, 93)
		h.all()
		all := h.sink.reversions()
		if len(all) != 1 || all[0].Key != "current_max" || all[0].Wanted != out.Reading.Value ||
			all[0].Found.Value.Num != 92 ||
			confirmed.Sub(all[0].Ended) > time.Millisecond {
			t.Errorf("told %+v", all)
		}
	})
}

func TestNotTakenBack(t *testing.T) {
	for name, then := range map[string]func(h *house){
		"written here again": func(h *house) {
			if _, err := h.write("current_max", 60.0); err != nil {
				h.t.Error(err)
			}
		},
		"a neighbour was changed": func(h *house) { h.unit.Set(protocol.HoldingRegister, 201, 4200) },
		"changed after ten minutes": func(h *house) {
			h.pass(watchFor +
				time.Second)
			h.unit.Set(protocol.HoldingRegister, 200, 1)
		},
		"no value for a while": func(h *house) {
			h.fault(sim.Fault{Match: sim.Match{Range: protocol.Range{Addr: 200, Count: 1}}, Kind: sim.Exception,
				Code: 2})
			_ = h.device.Refresh(h.ctx)
			h.fault()
		},
	} {
		polled(t, nil, func(h *house) {
			if _, err := h.write("current_max", 50.0); err != nil {
				t.Fatal(err)
			}
			then(h)
			h.pass(time.Second)
			h.all()
			if all := h.sink.reversions(); len(all) != 0 {
				t.Errorf("%s: told %+v", name, all)
			}
		})
	}
}

// A write that the device refused changes nothing: what was confirmed before is still watched.
func TestWatchedBehindARefusal(t *testing.T) {
	polled(t, nil, func(h *house) {
		if _, err := h.write("current_max", 50.0); err != nil {
			t.Fatal(err)
		}
		h.busy(200, 3, 1, sim.WriteFunctions...)
		h.refusal("current_max", 60.0)
		h.unit.Set(protocol.HoldingRegister, 200, 7)
		h.pass(time.Second)
		h.all()
		if all := h.sink.reversions(); len(all) != 1 || all[0].Wanted.Num != 50 {
			t.Errorf("told %+v", all)
		}
	})
}

// Two points may be views of the same bits.
func TestAnotherViewOfTheSameBits(t *testing.T) {
	r := newReporter(&Device{held: write.NewHeld(nil)}, &recorder{})
	a, b := profile.Point{Key: "a", Ranges: []protocol.Range{{Addr: 7, Count: 1}}},
		profile.Point{Key: "b", Ranges: []protocol.Range{{Addr: 7, Count: 1}}}
	found := Reading{Key: "a", Raw: []uint16{1}, ReadAt: time.Now()}
	r.Begin(a)
	r.End(t.Context(), a, write.End{Written: true, Found: &found, Confirmed: true})
	r.Begin(b)
	if len(r.watches) != 0 {
		t.Errorf("watches %v", r.watches)
	}
}

// Of a register that several points share only the bits of the point count.
func TestAPartIsTakenBack(t *testing.T) {
	polled(t, nil, func(h *house) {
		for _, key := range []string{"charging", "peak_shaving"} {
			if _, err := h.write(key, true); err != nil {
				t.Fatal(err)
			}
		}
		h.unit.Set(protocol.HoldingRegister, 205, h.word(205)&^1|0xAB00)
		h.pass(time.Second)
		h.all()
		if all := h.sink.reversions(); len(all) != 1 || all[0].Key != "charging" || all[0].Found.Value.On {
			t.Errorf("told %+v", all)
		}
	})
}

// A write that was not confirmed has nothing that could be taken back, and a superseded one was never there.
func TestOnlyWhatWasConfirmedIsWatched(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, simtest.Clamp(0, 100))
	}, func(h *house) {
		h.refusal("current_max", 150.0)
		h.unit.Set(protocol.HoldingRegister, 200, 20)
		h.all()
		if all := h.sink.reversions(); len(all) != 0 {
			t.Errorf("told %+v", all)
		}
	})
}

func TestSharedBits(t *testing.T) {
	points, err := houseWith(t).ResolveNamed("lv")
	if err != nil {
		t.Fatal(err)
	}
	find := func(key string) profile.Point {
		for _, p := range points {
			if p.Key == key {
				return p
			}
		}
		t.Fatalf("no %s", key)
		return profile.Point{}
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"current_max", "current_max", true}, {"current_max", "voltage_max", false},
		{"charging", "peak_shaving", false}, {"limit", "limit", true},
	} {
		if got := shareBits(find(c.a), find(c.b)); got != c.want {
			t.Errorf("%s and %s share bits: %v", c.a, c.b, got)
		}
	}
}

// A device that takes over a setting minutes later fails the set-value, and then the owner is told once.
func TestTakenOverLaterIsToldOnce(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 200, 136)
		h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, simtest.StoreAfter(5*time.Minute))
	}, func(h *house) {
		e := h.refusal("current_max", 70.0)
		if e.Code != write.CodeNotVerified || !strings.HasSuffix(e.Error(), "and holds 136 A so far. Some devices "+
			"take a setting over only minutes later; if this one does, you will be told") {
			t.Errorf("%s: %v", e.Code, e)
		}
		h.pass(4 * time.Minute)
		h.all()
		if all := h.sink.reversions(); len(all) != 0 {
			t.Fatalf("told %+v", all)
		}
		h.pass(2 * time.Minute)
		h.all()
		h.all()
		all := h.sink.reversions()
		if len(all) != 1 || !all[0].TakenOver || all[0].Wanted.Num != 70 || all[0].Found.Value.Num != 70 {
			t.Errorf("told %+v", all)
		}
	})
}

// Nobody is told of what was set anew, of what comes after a quarter of an hour, or of another value.
func TestNotTakenOver(t *testing.T) {
	for name, then := range map[string]func(h *house){
		"set anew": func(h *house) {
			h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, sim.Behaviour{})
			if _, err := h.write("current_max", 80.0); err != nil {
				h.t.Error(err)
			}
			h.pass(11 * time.Minute)
			h.unit.Set(protocol.HoldingRegister, 200, 70)
		},
		"late": func(h *house) { h.pass(16 * time.Minute); h.unit.Set(protocol.HoldingRegister, 200, 70) },
		"another value": func(h *house) {
			h.unit.Set(protocol.HoldingRegister, 200, 71)
		},
	} {
		polled(t, func(h *house) {
			h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, simtest.Ignore())
		}, func(h *house) {
			h.refusal("current_max", 70.0)
			then(h)
			h.pass(time.Second)
			h.all()
			if all := h.sink.reversions(); len(all) != 0 {
				t.Errorf("%s: told %+v", name, all)
			}
		})
	}
}
