package devices

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// busy has the device answer with an exception, count times, whatever is asked of a register.
func (h *house) busy(addr uint16, code byte, count int, functions ...byte) {
	h.fault(sim.Fault{Match: sim.Match{Functions: functions, Range: protocol.Range{Addr: addr, Count: 1}},
		Kind: sim.Exception, Code: code, Count: count})
}

func TestReadsOfABusyDevice(t *testing.T) {
	for _, code := range []byte{4, 5, 6, 8} {
		polled(t, nil, func(h *house) {
			h.busy(100, code, 2)
			begun := time.Now()
			r, err := h.device.Read(h.ctx, "power")
			if took := time.Since(begun); err != nil || r.Value.Kind != codec.KindNumber ||
				took < 2*profile.DefaultBusyWait {
				t.Errorf("exception %d: %+v, %v after %v", code, r, err, took)
			}
			h.busy(100, code, 3)
			h.sink.forget()
			h.pass(3 * time.Second)
			if len(h.sink.of("power")) == 0 || len(h.sink.told()) != 0 {
				t.Errorf("exception %d: polled %v, told %v", code, h.sink.of("power"), h.sink.told())
			}
		})
	}
}

func TestIdentificationOfABusyDevice(t *testing.T) {
	polled(t, func(h *house) { h.unit.Turnaround(time.Millisecond) }, func(h *house) {
		h.busy(3, 6, 3)
		h.hangUp()
		h.pass(4 * time.Second)
		if s := h.device.Status(); !s.Identified || len(h.sink.told()) > 1 {
			t.Errorf("%+v, told %v", s, h.sink.told())
		}
	})
}

// A block that is busy for ever has no value after a while, and is then asked once in a cycle.
func TestBusyForEver(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.device.SetEnabled(func(key string) bool { return key == "power" || key == "current_max" })
		h.busy(100, 6, 0)
		h.pass(10 * time.Second)
		if v := h.sink.last("power").Value; v.Kind != codec.KindNone || !strings.Contains(v.Str, "exception 6") {
			t.Errorf("power is %+v", v)
		}
		since := h.line.Journal().Last()
		h.pass(time.Minute)
		if n := h.line.Journal().Last() - since; n > 35 {
			t.Errorf("%d requests in a minute", n)
		}
	})
}

func TestWritesToABusyDevice(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		h.busy(200, 6, 2, sim.WriteFunctions...)
		out, err := h.write("current_max", 20.0)
		if err != nil || out.Reading.Value.Num != 20 || out.Took < 2*profile.DefaultBusyWait {
			t.Errorf("%+v, %v", out, err)
		}
		w := h.writes(since)
		if len(w) != 3 || w[0].CarriedOut || w[1].CarriedOut || w[2].Words[0] != 20 {
			t.Errorf("writes %v", w)
		}
		h.busy(205, 5, 2, 3) // the look at a register of which a part is written
		if _, err := h.write("charging", true); err != nil {
			t.Errorf("a part of a register: %v", err)
		}
	})
}

// While a write waits for a busy device the line is free, a newer value takes its place, and the deadline counts.
func TestWhileTheDeviceIsBusy(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Line.Busy = profile.Busy{Retries: 5, Wait: time.Second} }, func(h *house) {
		since := h.line.Journal().Last()
		h.busy(200, 6, 2, sim.WriteFunctions...)
		var running sync.WaitGroup
		var first, second Outcome
		running.Go(func() { first, _ = h.write("current_max", 20.0) })
		h.pass(1500 * time.Millisecond)
		running.Go(func() { second, _ = h.write("current_max", 30.0) })
		h.pass(0)
		begun := time.Now()
		if _, err := h.device.Read(h.ctx, "power"); err != nil || time.Since(begun) > 50*time.Millisecond {
			t.Errorf("a read meanwhile: %v after %v", err, time.Since(begun))
		}
		running.Wait()
		if !first.Superseded || second.Superseded || second.Reading.Value.Num != 30 || len(h.writes(since)) != 3 {
			t.Errorf("%+v, %+v, writes %v", first, second, h.writes(since))
		}
		h.busy(200, 6, 0, sim.WriteFunctions...)
		begun = time.Now()
		_, err := h.device.Write(h.ctx,
			Set{Key: "current_max", Value: 40.0, Deadline: begun.Add(1500 * time.Millisecond)})
		if e := writeError(t, err); e.Code != write.CodeException || e.Fields["code"] != "6" ||
			time.Since(begun) > 1500*time.Millisecond {
			t.Errorf("%s after %v: %v", e.Code, time.Since(begun), e)
		}
	})
}

// Exception 5 says that the write was accepted and takes its time: it is never sent again, and read until it holds.
func TestAcceptedForLater(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		h.busy(200, 5, 1, sim.WriteFunctions...)
		time.AfterFunc(6*time.Second, func() { h.unit.Set(protocol.HoldingRegister, 200, 20) })
		out, err := h.write("current_max", 20.0)
		if err != nil || out.Reading.Value.Num != 20 || out.Took < 6*time.Second || len(h.writes(since)) != 1 {
			t.Errorf("%+v, %v, writes %v", out, err, h.writes(since))
		}
	})
}

// A gateway that cannot reach the device is as good as silence.
func TestGatewayThatReachesNobody(t *testing.T) {
	for _, code := range []byte{10, 11} {
		polled(t, nil, func(h *house) {
			h.fault(sim.Fault{Kind: sim.Exception, Code: code})
			h.pass(10 * time.Second)
			if s := h.device.Status(); s.Online || !strings.Contains(s.Reason, "gateway") {
				t.Errorf("exception %d: %+v", code, s)
			}
			if e := h.refusal("charging", true); e.Code != write.CodeNoAnswer || e.Stage != write.StageNotSent {
				t.Errorf("exception %d: %s", code, e.Code)
			}
		})
	}
}

// A register that wears out is looked at before it is written, unless what it holds is known.
func TestFlashIsNotWrittenInVain(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Profile = houseWith(t, "max: 185}", "max: 185, flash: true}") }, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 200, 50)
		h.pass(10 * time.Second)
		since := h.line.Journal().Last()
		out, err := h.write("current_max", 50.0)
		if err != nil || !out.Unchanged || out.Reading.Value.Num != 50 || len(h.writes(since)) != 0 {
			t.Errorf("%+v, %v, writes %v", out, err, h.writes(since))
		}
		if out, err := h.write("current_max", 51.0); err != nil || out.Unchanged || len(h.writes(since)) != 1 {
			t.Errorf("another value: %+v, %v", out, err)
		}
		looks := 0
		for _, e := range h.line.Journal().Since(since) {
			if !e.Write() && e.Range == (protocol.Range{Addr: 200, Count: 1}) {
				looks++
			}
		}
		if looks != 2 {
			t.Errorf("looked %d times, not once for what was old and once to confirm", looks)
		}
		out, err = h.device.Write(h.ctx, Set{Key: "current_max", Value: 51.0, Force: true})
		if err != nil || out.Unchanged || len(h.writes(since)) != 2 {
			t.Errorf("forced: %+v, %v", out, err)
		}
	})
}

// Exceptions 4 and 8 say that the device failed while it was at it: what it holds decides.
func TestFailedWhileAtIt(t *testing.T) {
	for _, code := range []byte{4, 8} {
		for _, carriedOut := range []bool{true, false} {
			polled(t, nil, func(h *house) {
				since := h.line.Journal().Last()
				h.busy(200, code, 1, sim.WriteFunctions...)
				if carriedOut {
					time.AfterFunc(time.Millisecond, func() { h.unit.Set(protocol.HoldingRegister, 200, 20) })
				}
				begun := time.Now()
				out, err := h.write("current_max", 20.0)
				switch e, _ := errors.AsType[*WriteError](err); {
				case carriedOut && (err != nil || out.Reading.Value.Num != 20):
					t.Errorf("exception %d: %v", code, err)
				case !carriedOut && (e == nil || e.Code != write.CodeException || e.Stage != write.StageException ||
					e.Found == nil):
					t.Errorf("exception %d: %+v, %v", code, out, err)
				}
				if time.Since(begun) > time.Second || len(h.writes(since)) != 1 {
					t.Errorf("exception %d: after %v, writes %v", code, time.Since(begun), h.writes(since))
				}
			})
		}
	}
}
