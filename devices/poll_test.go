package devices

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

func TestPolledByInterval(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.pass(10*time.Minute - 500*time.Millisecond)
		for key, c := range map[string]struct{ least, most int }{
			"power": {298, 305}, "status": {40, 44}, "energy_today": {2, 4}, "rated_power": {1, 1}, "hidden": {0, 0},
			"grid_code": {0, 0},
		} {
			if n := len(h.sink.of(key)); n < c.least || n > c.most {
				t.Errorf("%s was read %d times in ten minutes, not %d to %d", key, n, c.least, c.most)
			}
		}
	})
}

func TestIntervalsOfTheConfiguration(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Intervals = map[profile.Interval]time.Duration{profile.Now: 10 * time.Second} },
		func(h *house) {
			h.pass(time.Minute)
			if n := len(h.sink.of("power")); n < 6 || n > 8 {
				t.Errorf("power was read %d times", n)
			}
		})
}

func TestOnlyWhatIsEnabled(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.sink.forget()
		h.device.SetEnabled(func(key string) bool { return key == "hidden" })
		h.pass(time.Second)
		if len(h.sink.of("hidden")) == 0 || len(h.sink.of("power")) != 0 {
			t.Errorf("hidden %v, power %v", h.sink.of("hidden"), h.sink.of("power"))
		}
		if reads := h.device.Plan(); len(reads) != 1 || reads[0].Range != (protocol.Range{Addr: 120, Count: 1}) {
			t.Errorf("plan %v", reads)
		}
		h.device.SetEnabled(func(string) bool { return false })
		h.pass(time.Second)
		since := h.line.Journal().Last()
		h.pass(time.Minute)
		if h.line.Journal().Last() != since {
			t.Error("read though nothing is enabled")
		}
	})
}

func TestNoValueIsNotZero(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 205, 0x0010)
		h.unit.Set(protocol.HoldingRegister, 206, 2561)
	}, func(h *house) {
		for _, key := range []string{"peak_shaving", "window_start"} {
			if v := h.sink.last(key).Value; v.Kind != codec.KindNone || v.Str == "" {
				t.Errorf("%s is %+v", key, v)
			}
		}
	})
}

func TestASingleTimeoutMakesNothingUnavailable(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.sink.forget()
		h.fault(sim.Fault{Kind: sim.Drop, Count: 2})
		h.pass(20 * time.Second)
		if told := h.sink.told(); len(told) != 0 {
			t.Errorf("told %+v", told)
		}
		for _, v := range h.sink.of("power") {
			if v == "unknown" {
				t.Error("power was unavailable")
			}
		}
	})
}

func TestDeadDeviceComesBack(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.line.Off()
		h.pass(15 * time.Second)
		s := h.device.Status()
		if s.Online || !strings.Contains(s.Reason, "no answer") || s.Identity.Serial == "" {
			t.Fatalf("status %+v", s)
		}
		since := h.line.Journal().Last()
		h.pass(30 * time.Minute)
		if n := h.line.Journal().Last() - since; n > 60 {
			t.Errorf("%d probes in half an hour", n)
		}
		h.unit.Set(protocol.HoldingRegister, 100, 222)
		h.sink.forget()
		h.line.On()
		h.pass(80 * time.Second)
		if s := h.device.Status(); !s.Online || !s.Identified || h.sink.last("power").Value.Num != 222 {
			t.Errorf("after its return %+v, power %v", s, h.sink.last("power"))
		}
		if len(h.sink.of("rated_power")) != 1 {
			t.Error("what is read once was not read after the return")
		}
		if told := h.sink.told(); len(told) != 1 {
			t.Errorf("told %+v", told)
		}
	})
}

func TestDeadFromTheBeginning(t *testing.T) {
	polled(t, func(h *house) { h.dead.Store(true) }, func(h *house) {
		h.pass(time.Minute)
		if s := h.device.Status(); s.Online || s.Identified || !strings.Contains(s.Reason, "connection refused") {
			t.Errorf("status %+v", s)
		}
		h.dead.Store(false)
		h.pass(2 * time.Minute)
		if s := h.device.Status(); !s.Online || h.sink.last("power").Key == "" {
			t.Errorf("status %+v", s)
		}
	})
}

// One block of registers stays silent while the others answer: its values do not stand still as if they were true.
func TestOneSilentBlock(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.fault(sim.Fault{Match: sim.Match{Range: protocol.Range{Addr: 101, Count: 1}}, Kind: sim.Exception, Code: 6})
		h.device.SetEnabled(func(key string) bool {
			return key == "status" || key == "current_max" ||
				key == "energy_today"
		})
		h.pass(2 * time.Minute)
		if v := h.sink.last("status").Value; v.Kind != codec.KindNone || !strings.Contains(v.Str, "exception 6") {
			t.Errorf("status is %+v", v)
		}
		h.fault()
		h.pass(20 * time.Second)
		if v := h.sink.last("status").Value; v.Kind != codec.KindOption {
			t.Errorf("status is %+v", v)
		}
	})
}

func TestHoleIsFoundOnce(t *testing.T) {
	hole := protocol.Range{Addr: 102, Count: 8}
	polled(t, func(h *house) { h.cut(hole) }, func(h *house) {
		for key, want := range map[string]codec.Kind{"power": codec.KindNumber, "status": codec.KindOption,
			"energy_today": codec.KindNumber} {
			if v := h.sink.last(key).Value; v.Kind != want {
				t.Errorf("%s is %+v", key, v)
			}
		}
		if holes := h.device.Learned().Holes; len(holes) != 1 || holes[0].Range != hole ||
			time.Since(holes[0].At) > time.Second {
			t.Errorf("holes %v", holes)
		}
		since := h.line.Journal().Last()
		h.pass(time.Hour)
		for _, e := range h.line.Journal().Since(since) {
			if e.Exception != 0 {
				t.Fatalf("refused again: %v", e)
			}
		}
		for _, r := range h.device.Plan() {
			if r.Range.Contains(hole) {
				t.Errorf("the plan reads %v", r.Range)
			}
		}
	})
}

// cut makes a new unit without some registers, refused as real devices do.
func (h *house) cut(hole protocol.Range) {
	old := h.unit
	h.unit = sim.NewUnit(old.ID())
	for addr := range uint16(300) {
		if w, ok := old.Get(protocol.HoldingRegister, addr, 1); ok &&
			!hole.Contains(protocol.Range{Addr: addr, Count: 1}) {
			h.unit.Set(protocol.HoldingRegister, addr, w...)
		}
	}
}

func TestPointThatIsRefused(t *testing.T) {
	polled(t, func(h *house) { h.cut(protocol.Range{Addr: 101, Count: 1}) }, func(h *house) {
		if v := h.sink.last("status").Value; v.Kind != codec.KindNone || !strings.Contains(v.Str, "holding 101+1") {
			t.Errorf("status is %+v", v)
		}
		if len(h.sink.of("power")) == 0 || len(h.sink.of("energy_today")) == 0 ||
			!slices.Equal(h.device.Refused(), []string{"status"}) {
			t.Errorf("power %v, energy %v, refused %v", h.sink.of("power"), h.sink.of("energy_today"),
				h.device.Refused())
		}
		since := h.line.Journal().Last()
		h.pass(time.Hour)
		refused := 0
		for _, e := range h.line.Journal().Since(since) {
			if e.Exception != 0 {
				refused++
			}
		}
		if refused < 8 || refused > 13 { // 5, 10, 20 s ... later, and then every ten minutes
			t.Errorf("asked %d times in an hour for what is refused", refused)
		}
		h.unit.Set(protocol.HoldingRegister, 101, 1)
		h.pass(15 * time.Minute)
		if v := h.sink.last("status").Value; v.Str != "normal" || len(h.device.Refused()) != 0 {
			t.Errorf("status is %+v, refused %v", v, h.device.Refused())
		}
	})
}

// Some devices refuse long reads, whatever is in them.
func TestShorterLimitIsFound(t *testing.T) {
	polled(t, func(h *house) { h.unit.Limit(sim.Limits{ReadRegisters: 8}) }, func(h *house) {
		h.pass(5 * time.Second)
		since := h.line.Journal().Last()
		h.pass(10 * time.Minute)
		for _, e := range h.line.Journal().Since(since) {
			if e.Exception != 0 {
				t.Fatalf("refused again: %v", e)
			}
		}
		if len(h.sink.of("energy_today")) == 0 || len(h.sink.of("mode")) == 0 {
			t.Error("not everything is read")
		}
	})
}

func TestSlowLineIsPolledWithoutAPause(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Turnaround(800 * time.Millisecond)
		h.cfg.Line.MaxRegisters = 8
	}, func(h *house) {
		h.pass(10 * time.Second)
		since := len(h.sink.of("power"))
		h.device.SetEnabled(func(string) bool { return true })
		h.cfg.Intervals = nil
		h.pass(time.Minute)
		if n := len(h.sink.of("power")) - since; n < 10 {
			t.Errorf("power was read %d times in a minute", n)
		}
		if h.device.Poll().Dropped != 0 {
			t.Errorf("%d reads dropped", h.device.Poll().Dropped)
		}
	})
}

func TestReadsThatComeTooLateAreDropped(t *testing.T) {
	polled(t, nil, func(h *house) {
		free := h.occupy(8 * time.Second)
		free()
		h.pass(time.Second)
		if n := h.device.Poll().Dropped; n == 0 || n > 3 {
			t.Errorf("%d reads dropped", n)
		}
		if !h.device.Status().Online {
			t.Errorf("status %+v", h.device.Status())
		}
	})
}

func TestReadNow(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 120, 77)
		r, err := h.device.Read(h.ctx, "hidden")
		if err != nil || r.Value.Num != 77 || fmt.Sprint(r.Raw) != "[77]" || time.Since(r.ReadAt) > time.Second {
			t.Errorf("%+v, %v", r, err)
		}
		if h.sink.last("hidden").Value.Num != 77 {
			t.Error("not reported")
		}
		if _, err := h.device.Read(h.ctx, "nothing"); err == nil {
			t.Error("read a point that does not exist")
		}
	})
}

func TestRefresh(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.sink.forget()
		if err := h.device.Refresh(h.ctx); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"power", "status", "energy_today", "rated_power", "current_max", "mode"} {
			if len(h.sink.of(key)) == 0 {
				t.Errorf("%s was not read", key)
			}
		}
		h.line.Off()
		if err := h.device.Refresh(h.ctx); err == nil {
			t.Error("refreshed a device that is off")
		}
		h.pass(time.Minute)
		begun := time.Now()
		if err := h.device.Refresh(h.ctx); err == nil || time.Since(begun) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

func TestReadPlan(t *testing.T) {
	p := houseWith(t)
	points, err := p.ResolveNamed("hv")
	if err != nil {
		t.Fatal(err)
	}
	reads, err := ReadPlan(points, p.Line)
	if err != nil || len(reads) == 0 {
		t.Errorf("%v, %v", reads, err)
	}
	for _, r := range reads {
		if r.Range.Count > p.Line.MaxRegisters || r.Range.Contains(protocol.Range{Addr: 208, Count: 1}) {
			t.Errorf("read %v: too long, or a button", r.Range)
		}
	}
	line := p.Line
	line.Holes = []protocol.Range{{Addr: 101, Count: 1}}
	line.MaxRegisters = 1
	reads, err = ReadPlan(points, line)
	if err == nil || !strings.Contains(err.Error(), "status: ") || !strings.Contains(err.Error(), "limit: ") ||
		len(reads) == 0 {
		t.Errorf("%d reads, %v", len(reads), err)
	}
}

func TestPointThatNoReadCanBring(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Line.Holes = []protocol.Range{{Addr: 101, Count: 1}} }, func(h *house) {
		if v := h.sink.last("status").Value; v.Kind != codec.KindNone || !strings.Contains(v.Str, "cannot be read") {
			t.Errorf("status is %+v", v)
		}
		if len(h.sink.of("power")) == 0 {
			t.Error("the others are not read")
		}
	})
}

// A device that boots refuses for some seconds what it gives for years: its values are soon back.
func TestRefusalsWhileItBoots(t *testing.T) {
	for boots, back := range map[time.Duration]time.Duration{
		10 * time.Second: 10 * time.Second, 3 * time.Minute: 3 * time.Minute,
	} {
		polled(t, nil, func(h *house) {
			h.pass(20 * time.Second)
			all := protocol.Range{Addr: 20, Count: 200}
			h.fault(sim.Fault{Match: sim.Match{Range: all}, Kind: sim.Exception, Code: protocol.IllegalDataAddress})
			h.pass(boots)
			h.fault()
			h.sink.forget()
			h.pass(back)
			for _, key := range []string{"power", "status"} {
				if v := h.sink.last(key).Value; v.Kind == codec.KindNone {
					t.Errorf("%v: %s is %+v after %v, refused %v", boots, key, v, back, h.device.Refused())
				}
			}
			if got := h.device.Refused(); len(got) > 0 {
				t.Errorf("%v: refused %v", boots, got)
			}
		})
	}
}

// What is read on demand, and what a refresh reads, is no longer refused.
func TestReadingEndsARefusal(t *testing.T) {
	polled(t, nil, func(h *house) {
		for name, read := range map[string]func() error{
			"read":    func() error { _, err := h.device.Read(h.ctx, "power"); return err },
			"refresh": func() error { return h.device.Refresh(h.ctx) },
		} {
			h.fault(sim.Fault{Match: sim.Match{Range: protocol.Range{Addr: 100, Count: 1}}, Kind: sim.Exception,
				Code: 2})
			h.pass(4 * time.Minute)
			if got := h.device.Refused(); !slices.Equal(got, []string{"power"}) {
				t.Fatalf("%s: refused %v", name, got)
			}
			h.fault()
			err := read()
			if v := h.sink.last("power").Value; err != nil || v.Kind != codec.KindNumber ||
				len(h.device.Refused()) != 0 {
				t.Errorf("%s: %v, power %v, refused %v", name, err, v, h.device.Refused())
			}
		}
	})
}

// Who asks for a refresh when nobody polls any more is told so.
func TestRefreshBehindTheEnd(t *testing.T) {
	inHouse(t, nil, func(h *house) {
		ctx, cancel := context.WithCancel(h.ctx)
		cancel()
		_ = h.device.Run(ctx)
		if err := h.device.Refresh(h.ctx); err == nil {
			t.Error("refreshed")
		}
	})
}
