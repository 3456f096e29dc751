package devices

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// occupy holds the line for a while.
func (h *house) occupy(d time.Duration) (free func()) {
	var running sync.WaitGroup
	running.Go(func() {
		_ = h.bus.Hold(h.ctx, protocol.Request{Unit: 1}, func(context.Context, protocol.Exchanger) error {
			time.Sleep(d)
			return nil
		})
	})
	h.pass(0)
	return running.Wait
}

func TestNewestWins(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		free := h.occupy(time.Second)
		outcomes := make([]Outcome, 3)
		var running sync.WaitGroup
		for i, v := range []float64{10, 20, 30} {
			running.Go(func() {
				var err error
				if outcomes[i], err = h.write("current_max", v); err != nil {
					t.Errorf("%v: %v", v, err)
				}
			})
			h.pass(10 * time.Millisecond)
		}
		running.Go(func() { _, _ = h.write("limit", 500.0) }) // another register is nobody's competitor
		running.Wait()
		free()
		if w := h.writes(since); len(w) != 2 || h.word(200) != 30 || h.word(203) != 500 {
			t.Errorf("writes %v", w)
		}
		for i, o := range outcomes {
			if o.Superseded != (i < 2) || o.Reading.Value.Num != 30 {
				t.Errorf("outcome %d: %+v", i, o)
			}
		}
	})
}

func TestNewestOfThoseThatStillWant(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		free := h.occupy(time.Second)
		gone := errors.New("the caller is gone")
		ctx, cancel := context.WithCancelCause(h.ctx)
		var running sync.WaitGroup
		errs := make([]error, 3)
		running.Go(func() {
			_, errs[0] = h.device.Write(h.ctx,
				Set{Key: "current_max", Value: 10.0, Deadline: time.Now().Add(300 * time.Millisecond)})
		})
		h.pass(10 * time.Millisecond)
		running.Go(func() { _, errs[1] = h.write("current_max", 20.0) })
		h.pass(10 * time.Millisecond)
		running.Go(func() { _, errs[2] = h.device.Write(ctx, Set{Key: "current_max", Value: 30.0}) })
		h.pass(10 * time.Millisecond)
		cancel(gone)
		running.Wait()
		free()
		if e := writeError(t, errs[0]); e.Code != write.CodeExpired || e.Fields["seconds"] != "0.3" {
			t.Errorf("the first, too late: %s %v", e.Code, e.Fields)
		}
		if errs[1] != nil || h.word(200) != 20 || len(h.writes(since)) != 1 {
			t.Errorf("the second: %v; the inverter holds %d", errs[1], h.word(200))
		}
		if e := writeError(t, errs[2]); e.Code != write.CodeCancelled || !errors.Is(e, gone) {
			t.Errorf("the third, cancelled: %s, %v", e.Code, e.Err)
		}
	})
}

func TestSettingWhileAnotherSettles(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Line.Settle = time.Second }, func(h *house) {
		since := h.line.Journal().Last()
		var running sync.WaitGroup
		var outcomes [4]Outcome
		for i := range outcomes {
			running.Go(func() {
				var err error
				if outcomes[i], err = h.write("current_max", float64(10*i)); err != nil {
					t.Error(err)
				}
			})
			h.pass(100 * time.Millisecond)
		}
		running.Wait()
		if w := h.writes(since); len(w) != 2 || w[0].Words[0] != 0 || w[1].Words[0] != 30 {
			t.Errorf("writes %v", w)
		}
		if outcomes[0].Superseded || !outcomes[1].Superseded || !outcomes[2].Superseded || outcomes[3].Superseded {
			t.Errorf("outcomes %+v", outcomes)
		}
	})
}

func TestCancelledOnceSentIsFinished(t *testing.T) {
	polled(t, nil, func(h *house) {
		ctx, cancel := context.WithCancel(h.ctx)
		h.unit.OnWrite(func(sim.Write) { cancel() })
		out, err := h.device.Write(ctx, Set{Key: "current_max", Value: 70.0})
		if err != nil || out.Reading.Value.Num != 70 {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

func TestPartsOfARegisterDoNotLoseEachOther(t *testing.T) {
	polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 205, 0xAB20) }, func(h *house) {
		var running sync.WaitGroup
		for key, value := range map[string]bool{"charging": true, "peak_shaving": true} {
			running.Go(func() {
				if _, err := h.write(key, value); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		if got := h.word(205); got != 0xAB31 {
			t.Errorf("the register holds 0x%04X", got)
		}
	})
}

func TestStopping(t *testing.T) {
	var device *Device
	polled(t, nil, func(h *house) { device = h.device })
	_, err := device.Write(t.Context(), Set{Key: "current_max", Value: 1.0, Deadline: time.Now().Add(time.Second)})
	if e := writeError(t, err); e.Code != write.CodeStopping {
		t.Errorf("%s: %v", e.Code, e)
	}
}

func TestButtons(t *testing.T) {
	polled(t, nil, func(h *house) {
		for key, addr := range map[string]uint16{"restart": 208, "start_test": 209} {
			since := h.line.Journal().Last()
			out, err := h.write(key, nil)
			if err != nil || out.Reading.Key != "" || len(h.writes(since)) != 1 {
				t.Errorf("%s: %+v, %v", key, out, err)
			}
			if _, err := h.write(key, nil); err != nil || len(h.writes(since)) != 2 {
				t.Errorf("%s, pressed again: %v, %d writes", key, err, len(h.writes(since)))
			}
			if len(h.sink.of(key)) != 0 {
				t.Errorf("%s has a value: %v", key, h.sink.of(key))
			}
			h.unit.Behave(protocol.Range{Addr: addr, Count: 1}, simtest.Ignore())
			h.unit.Set(protocol.HoldingRegister, addr, 0)
		}
		if _, err := h.write("restart", nil); err != nil {
			t.Errorf("a command register that is empty again: %v", err)
		}
		if e := h.refusal("start_test", nil); e.Code != write.CodeNotVerified || e.Fields["wanted"] != "1" ||
			e.Fields["found"] != "[0]" {
			t.Errorf("%s %v", e.Code, e.Fields)
		}
		h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.ReplyLost})
		if e := h.refusal("restart", nil); e.Code != write.CodeOutcomeUnknown {
			t.Errorf("without an answer: %s %v", e.Code, e)
		}
	})
}

// What is fresh does not count while somebody is about to change it: the last wish wins.
func TestBackToWhatItWas(t *testing.T) {
	polled(t, nil, func(h *house) {
		if _, err := h.write("current_max", 50.0); err != nil {
			t.Fatal(err)
		}
		free := h.occupy(time.Second)
		var running sync.WaitGroup
		for _, v := range []float64{60, 50} {
			running.Go(func() {
				if out, err := h.write("current_max", v); err != nil || out.Reading.Value.Num != 50 {
					t.Errorf("%v: %+v, %v", v, out, err)
				}
			})
			h.pass(10 * time.Millisecond)
		}
		running.Wait()
		free()
		if h.word(200) != 50 {
			t.Errorf("the inverter holds %d", h.word(200))
		}
	})
}

// The deadline passes, or the time for which the caller certainly waits, while the register is read that is to be
// changed in part: then nothing is written.
func TestNotWrittenBehindTheDeadline(t *testing.T) {
	for _, certain := range []bool{false, true} {
		polled(t, nil, func(h *house) {
			h.device.SetEnabled(func(string) bool { return false })
			h.pass(10 * time.Second)
			h.unit.Turnaround(800 * time.Millisecond)
			since, end := h.line.Journal().Last(), time.Now().Add(500*time.Millisecond)
			set := Set{Key: "charging", Value: true, Deadline: end}
			if certain {
				set.Deadline, set.Certain = time.Time{}, func() time.Time { return end }
			}
			_, err := h.device.Write(h.ctx, set)
			if e := writeError(t, err); e.Code != write.CodeExpired || e.Stage != write.StageNotSent ||
				len(h.writes(since)) != 0 {
				t.Errorf("certain %v: %s: %v, writes %v", certain, e.Code, e, h.writes(since))
			}
		})
	}
}

// Of two callers the newer gives up between the look at a register and the write: then the value of the older is
// written.
func TestOlderIsWrittenWhenTheNewerGivesUp(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Line.Pace.Gap = 850 * time.Millisecond }, func(h *house) {
		h.pass(3 * time.Second)
		since := h.line.Journal().Last()
		soon := time.Now().Add(10 * time.Second)
		newer, cancel := context.WithCancel(h.ctx)
		defer cancel()
		var running sync.WaitGroup
		errs := make([]error, 2)
		var out Outcome
		running.Go(func() { out, errs[0] = h.device.Write(h.ctx, Set{Key: "charging", Value: true, Deadline: soon}) })
		h.pass(time.Millisecond)
		running.Go(func() {
			_, errs[1] = h.device.Write(newer, Set{Key: "charging", Value: false, Force: true, Deadline: soon})
		})
		for len(h.reads(since, 205)) == 0 {
			h.pass(time.Millisecond)
		}
		h.pass(100 * time.Millisecond)
		cancel()
		running.Wait()
		if errs[0] != nil || out.Superseded || h.word(205)&1 != 1 || len(h.writes(since)) != 1 {
			t.Errorf("the older: %+v, %v, writes %v", out, errs[0], h.writes(since))
		}
		if e := writeError(t, errs[1]); e.Code != write.CodeCancelled {
			t.Errorf("the newer: %s %v", e.Code, e)
		}
	})
}

// While a part of a register settles the other parts wait: what they would read may not be what it will hold.
func TestPartsOfARegisterThatSettles(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Line.Settle = time.Second
		h.unit.Behave(protocol.Range{Addr: 205, Count: 1}, simtest.StoreAfter(900*time.Millisecond))
	}, func(h *house) {
		var running sync.WaitGroup
		for _, key := range []string{"charging", "peak_shaving"} {
			running.Go(func() {
				if _, err := h.write(key, true); err != nil {
					t.Errorf("%s: %v", key, err)
				}
			})
			h.pass(300 * time.Millisecond)
		}
		running.Wait()
		if got := h.word(205); got&0x31 != 0x31 {
			t.Errorf("the register holds 0x%04X", got)
		}
	})
}
