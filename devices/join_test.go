package devices

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// result is how one of several set-values ended.
type result struct {
	Outcome
	err error
}

// together sets values that all wait for the line at the same time.
func (h *house) together(sets ...Set) map[string]result {
	h.t.Helper()
	free := h.occupy(time.Second)
	results := make([]result, len(sets))
	var running sync.WaitGroup
	for i, set := range sets {
		if set.Deadline.IsZero() {
			set.Deadline = time.Now().Add(10 * time.Second)
		}
		running.Go(func() { results[i].Outcome, results[i].err = h.device.Write(h.ctx, set) })
		h.pass(time.Millisecond)
	}
	running.Wait()
	free()
	byKey := map[string]result{}
	for i, set := range sets {
		byKey[set.Key] = results[i]
	}
	return byKey
}

func joined(h *house) { h.cfg.Line.Join = true }

// allOfThem are set-values of all registers from 200 to 206.
var allOfThem = []Set{
	{Key: "window_start", Value: "06:30"}, {Key: "current_max", Value: 50.0}, {Key: "peak_shaving", Value: true},
	{Key: "limit", Value: -100.0},
	{Key: "voltage_max", Value: 54.3}, {Key: "charging", Value: true}, {Key: "mode", Value: "own_use_first"},
}

func TestNeighboursLeaveTogether(t *testing.T) {
	polled(t, func(h *house) { joined(h); h.unit.Set(protocol.HoldingRegister, 205, 0xAB20) }, func(h *house) {
		h.device.SetEnabled(func(string) bool { return false })
		h.pass(5 * time.Second)
		since := h.line.Journal().Last()
		for key, r := range h.together(allOfThem...) {
			if r.err != nil || r.Superseded || r.Unchanged || r.Reading.Key != key ||
				h.sink.last(key).Value != r.Reading.Value {
				t.Errorf("%s: %+v, %v", key, r.Outcome, r.err)
			}
		}
		words, _ := h.unit.Get(protocol.HoldingRegister, 200, 7)
		// 43825 is 0xAB31: the bits of nobody stay.
		if got := fmt.Sprint(words); got != "[50 5430 65535 65436 1 43825 630]" {
			t.Errorf("the inverter holds %s", got)
		}
		all := h.line.Journal().Since(since)
		if len(all) != 3 || all[1].Function != 16 || all[1].Range != (protocol.Range{Addr: 200, Count: 7}) ||
			all[2].Range != all[1].Range {
			t.Errorf("not one look, one write and one read-back: %v", all)
		}
	})
}

// On an idle line the settings of a scene find each other, whichever comes first.
func TestASceneOfNeighboursLeavesTogether(t *testing.T) {
	for _, apart := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
		polled(t, joined, func(h *house) {
			since := h.line.Journal().Last()
			var running sync.WaitGroup
			for _, set := range []Set{{Key: "limit", Value: 700.0}, {Key: "voltage_max", Value: 54.3},
				{Key: "current_max", Value: 50.0}} {
				running.Go(func() {
					if _, err := h.write(set.Key, set.Value); err != nil {
						t.Errorf("%s: %v", set.Key, err)
					}
				})
				h.pass(apart)
			}
			running.Wait()
			if w := h.writes(since); len(w) != 1 || w[0].Range != (protocol.Range{Addr: 200, Count: 4}) {
				t.Errorf("%v apart: %v", apart, w)
			}
		})
	}
}

func TestApartUnlessTheLineAllows(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		for key, r := range h.together(allOfThem...) {
			if r.err != nil {
				t.Errorf("%s: %v", key, r.err)
			}
		}
		if w := h.writes(since); len(w) != 6 { // the two parts of one register leave together all the same
			t.Errorf("%d writes: %v", len(w), w)
		}
	})
}

func TestWhatDoesNotJoin(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*house)
		sets []Set
	}{
		"one needs arming": {func(h *house) { h.cfg.Arm = []string{"grid_code"} },
			[]Set{{Key: "window_start", Value: "06:30"}, {Key: "grid_code", Value: "strict"}}},
		"a button": {nil, []Set{{Key: "restart"}, {Key: "start_test"}}},
		"not neighbours": {nil,
			[]Set{{Key: "current_max", Value: 7.0}, {Key: "mode", Value: "own_use_first"}}},
		"written by function 6": {func(h *house) { h.cfg.Profile = h.cfg.Profile.WriteWith(profile.WriteSingle) },
			[]Set{{Key: "current_max", Value: 7.0}, {Key: "voltage_max", Value: 50.0}}},
		"more than one read brings back": {func(h *house) { h.cfg.Line.MaxRegisters = 5 }, allOfThem[1:]},
		"one is written by function 6": {func(h *house) {
			h.cfg.Profile = houseWith(t, "write: {min: 0, max: 185}", "write: {with: single, min: 0, max: 185}")
		},
			[]Set{{Key: "current_max", Value: 7.0}, {Key: "voltage_max", Value: 50.0}}},
		"another settle time": {func(h *house) { h.cfg.Profile = houseWith(t, "max: 185}", "max: 185, settle: 1s}") },
			[]Set{{Key: "current_max", Value: 7.0}, {Key: "voltage_max", Value: 50.0}}},
	} {
		polled(t, func(h *house) {
			joined(h)
			if c.set != nil {
				c.set(h)
			}
		}, func(h *house) {
			since := h.line.Journal().Last()
			for key, r := range h.together(c.sets...) {
				if r.err != nil {
					t.Errorf("%s: %s: %v", name, key, r.err)
				}
			}
			if w := h.writes(since); len(w) != 2 {
				t.Errorf("%s: writes %v", name, w)
			}
		})
	}
}

// What is refused together is written one by one: each caller has the outcome of its own value.
func TestRefusedTogether(t *testing.T) {
	sets := []Set{{Key: "current_max", Value: 50.0}, {Key: "voltage_max", Value: 54.3}, {Key: "charging", Value: true},
		{Key: "peak_shaving", Value: true}}
	polled(t, func(h *house) {
		joined(h)
		h.unit.Behave(protocol.Range{Addr: 201, Count: 1}, sim.Behaviour{Refuse: 3})
	}, func(h *house) {
		since := h.line.Journal().Last()
		for key, r := range h.together(sets...) {
			if key == "voltage_max" {
				if e := writeError(t, r.err); e.Code != write.CodeException || e.Fields["register"] != "holding 201+1" {
					t.Errorf("%s: %s %v", key, e.Code, e.Fields)
				}
			} else if r.err != nil || r.Reading.Key != key {
				t.Errorf("%s: %+v, %v", key, r.Outcome, r.err)
			}
		}
		if w := h.writes(since); len(w) != 4 || h.word(200) != 50 || h.word(205)&0x31 != 0x31 {
			t.Errorf("writes %v", w)
		}
	})
}

// Parts of one register that are refused together build on one another when they are written one by one.
func TestPartsRefusedTogether(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Exception, Code: 3, Count: 1})
		for key, r := range h.together(Set{Key: "charging", Value: true}, Set{Key: "peak_shaving", Value: true}) {
			if r.err != nil {
				t.Errorf("%s: %v", key, r.err)
			}
		}
		if got := h.word(205); got&0x31 != 0x31 {
			t.Errorf("the register holds 0x%04X", got)
		}
	})
}

func TestDevicesThatWriteOneRegisterAtATime(t *testing.T) {
	polled(t, func(h *house) { joined(h); h.unit.Limit(sim.Limits{WriteRegisters: 2}) }, func(h *house) {
		for key, r := range h.together(allOfThem...) {
			if r.err != nil {
				t.Errorf("%s: %v", key, r.err)
			}
		}
	})
}

// Each caller has its own deadline and may give up on its own; of each point the newest value counts.
func TestJoinedCallersAreTheirOwn(t *testing.T) {
	polled(t, joined, func(h *house) {
		since := h.line.Journal().Last()
		free := h.occupy(time.Second)
		gone, cancel := context.WithCancel(h.ctx)
		var running sync.WaitGroup
		results := make([]result, 5)
		for i, c := range []struct {
			ctx    context.Context
			key    string
			value  any
			within time.Duration
		}{
			{h.ctx, "current_max", 10.0, time.Minute}, {h.ctx, "current_max", 20.0, time.Minute},
			{gone, "voltage_max", 54.3, time.Minute},
			{h.ctx, "limit", 700.0, 500 * time.Millisecond}, {h.ctx, "mode", "own_use_first", time.Minute},
		} {
			running.Go(func() {
				results[i].Outcome, results[i].err = h.device.Write(c.ctx,
					Set{Key: c.key, Value: c.value, Deadline: time.Now().Add(c.within)})
			})
			h.pass(time.Millisecond)
		}
		cancel()
		running.Wait()
		free()
		if !results[0].Superseded || results[1].Superseded || results[0].Reading.Value.Num != 20 || h.word(200) != 20 ||
			results[4].err != nil {
			t.Errorf("results %+v", results)
		}
		if c, e := writeError(t, results[2].err),
			writeError(t, results[3].err); c.Code != write.CodeCancelled || e.Code != write.CodeExpired {
			t.Errorf("%s and %s", c.Code, e.Code)
		}
		if w := h.writes(since); len(w) != 2 || h.word(201) == 5430 || h.word(203) == 700 {
			t.Errorf("writes %v", w)
		}
	})
}

// A caller may give up, and its time may end, while the others are on the way to the wire: between the look at a
// register and the write.
func TestOneOfTheJoinedGivesUpAtTheLastMoment(t *testing.T) {
	for name, within := range map[string]time.Duration{"gives up": time.Minute,
		"its time is over": 1500 * time.Millisecond} {
		polled(t, func(h *house) {
			joined(h)
			h.cfg.Line.Pace.Gap = 400 * time.Millisecond
		}, func(h *house) {
			since := h.line.Journal().Last()
			free := h.occupy(time.Second)
			gone, cancel := context.WithCancel(h.ctx)
			defer cancel()
			var running sync.WaitGroup
			var first, second result
			running.Go(func() { first.Outcome, first.err = h.write("charging", true) })
			h.pass(time.Millisecond)
			running.Go(func() {
				second.Outcome, second.err = h.device.Write(gone,
					Set{Key: "peak_shaving", Value: true, Deadline: time.Now().Add(within)})
			})
			h.pass(1500 * time.Millisecond)
			if all := h.line.Journal().Since(since); len(all) != 1 || all[0].Write() {
				t.Fatalf("%s: the test is wrong: %v", name, all)
			}
			if name == "gives up" {
				cancel()
			}
			running.Wait()
			free()
			if first.err != nil || h.word(205)&1 == 0 {
				t.Errorf("%s: the first: %v", name, first.err)
			}
			if e := writeError(t, second.err); e.Stage != write.StageNotSent || h.word(205)&0x10 != 0 ||
				len(h.writes(since)) != 1 {
				t.Errorf("%s: the second: %v, writes %v", name, second.err, h.writes(since))
			}
		})
	}
}

// The reply to a joined write is lost: the read-back decides for each.
func TestJoinedReplyLost(t *testing.T) {
	polled(t, func(h *house) {
		joined(h)
		h.unit.Behave(protocol.Range{Addr: 201, Count: 1}, simtest.Ignore())
	}, func(h *house) {
		since := h.line.Journal().Last()
		h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.ReplyLost})
		results := h.together(Set{Key: "current_max", Value: 60.0}, Set{Key: "voltage_max", Value: 54.3})
		if r := results["current_max"]; r.err != nil || r.Reading.Value.Num != 60 {
			t.Errorf("%+v, %v", r.Outcome, r.err)
		}
		if e := writeError(t, results["voltage_max"].err); e.Code != write.CodeNotAcknowledged ||
			!errors.Is(e, protocol.ErrOutcomeUnknown) {
			t.Errorf("%s: %v", e.Code, e)
		}
		if took := results["current_max"].Took; took > 5*time.Second {
			t.Errorf("the confirmed one was told after %v, with the other", took)
		}
		if w := h.writes(since); len(w) != 2 || w[1].Range.Count != 1 { // what was not carried out is sent once more
			t.Errorf("writes %v", w)
		}
	})
}

// A newer value that comes while the older one is on the wire in the company of others waits until that has settled.
func TestNewerValueWhileTheOlderIsOnTheWire(t *testing.T) {
	polled(t, func(h *house) { joined(h); h.cfg.Line.Settle = time.Second }, func(h *house) {
		since := h.line.Journal().Last()
		free := h.occupy(time.Second)
		h.unit.Turnaround(300 * time.Millisecond)
		var running sync.WaitGroup
		set := func(key string, value float64) {
			running.Go(func() {
				if out, err := h.write(key, value); err != nil || out.Reading.Value.Num != value {
					t.Errorf("%s = %v: %+v, %v", key, value, out, err)
				}
			})
			h.pass(time.Millisecond)
		}
		set("current_max", 10)
		set("voltage_max", 50)
		free()
		h.pass(100 * time.Millisecond)
		set("voltage_max", 51)
		running.Wait()
		if w := h.writes(since); len(w) != 2 || w[0].Range.Count != 2 || w[1].At.Sub(w[0].At) < time.Second {
			t.Errorf("writes %v", w)
		}
	})
}

// Who has the answer returns with it, though others that were written together do not have theirs.
func TestNobodyWaitsForTheOthers(t *testing.T) {
	for slow, quick := range map[string]string{"current_max": "voltage_max", "voltage_max": "current_max"} {
		polled(t, func(h *house) {
			joined(h)
			h.unit.Behave(protocol.Range{Addr: map[string]uint16{"current_max": 200, "voltage_max": 201}[slow],
				Count: 1}, simtest.Ignore())
		}, func(h *house) {
			free := h.occupy(time.Second)
			begun := time.Now()
			back := map[string]time.Duration{}
			var mu sync.Mutex
			var running sync.WaitGroup
			for _, key := range []string{"current_max", "voltage_max"} {
				running.Go(func() {
					_, err := h.write(key, 50.0)
					mu.Lock()
					defer mu.Unlock()
					if back[key] = time.Since(begun); (err != nil) != (key == slow) {
						t.Errorf("%s: %v", key, err)
					}
				})
				h.pass(time.Millisecond)
			}
			running.Wait()
			free()
			if back[quick] > 1200*time.Millisecond || back[slow] < verifyFor || back[slow] > verifyFor+3*time.Second {
				t.Errorf("%s is slow: back after %v", slow, back)
			}
		})
	}
}
