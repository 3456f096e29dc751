package devices

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// blocks is a family whose devices take windows as pairs, six registers of set-points as one, a block with a command
// word, and a setting behind a lock.
const blocks = `
profile: blocks
name: Block inverter
manufacturer: Test
sources: {maker: "The maker's paper"}
line: {unit: 1, turnaround: 5ms, source: maker}
identify: {serial: {at: 0, type: text, length: 5}, source: maker}
defaults: {order: abcd, source: maker}
around:
  lock:
    before:
      - {at: 600, value: [0x1234, 0x5678], wait: 100ms}
      - {at: 602, value: 1, held: true}
    after: [{at: 610, value: 1}]
write_groups:
  window_{n}: {name: "Window {n}", together: ["window_{n}_start", "window_{n}_end"]}
  set_points: {name: Set points, together: [grid, battery_least, battery_most]}
  battery: {name: Battery, together: [cells, capacity], constants: {0x1053: 1}, fill: [0x1050..0x1055], around: lock}
points:
  - group:
      repeat: {n: 1..2, stride: 2}
      every: slow
      points:
        - {key: "window_{n}_start", name: "Window {n} start", at: 3038, time: packed, write: {}}
        - {key: "window_{n}_end", name: "Window {n} end", at: 3039, time: packed, write: {}}
  - {key: grid, name: Grid power, at: 4487, type: s32, write: {min: -20000, max: 20000}, source: maker}
  - {key: battery_least, name: Least power, at: 4489, type: s32, write: {min: -20000, max: 20000}, source: maker}
  - {key: battery_most, name: Most power, at: 4491, type: s32, write: {min: -20000, max: 20000}, source: maker}
  - {key: cells, name: Cells, at: 0x1050, write: {min: 1, max: 16}, source: maker}
  - {key: capacity, name: Capacity, at: 0x1052, write: {min: 1, max: 500}, source: maker}
  - {key: country, name: Country, at: 700, options: {0: A, 1: B}, write: {around: lock}}
  - {key: remote, name: Remote power, at: 800, write: {min: 0, max: 9000, readback: false}, source: maker}
`

// inBlocks runs f with a device of the family, whose registers hold what they hold in the field reports.
func inBlocks(t *testing.T, set, f func(*house)) {
	t.Helper()
	polled(t, func(h *house) {
		p, err := profile.Load("blocks.yaml", []byte(blocks))
		if err != nil {
			t.Fatal(err)
		}
		if h.unit, err = simulate.Unit(p, nil, "SN00000001"); err != nil {
			t.Fatal(err)
		}
		h.cfg.Profile, h.cfg.Line = p, p.Line
		h.unit.Set(protocol.HoldingRegister, 3038, 0xA000, 0x0000)
		h.unit.Set(protocol.HoldingRegister, 4487, 0, 500, 0xFFFF, 0xF000, 0, 3000)
		h.unit.Set(protocol.HoldingRegister, 0x1050, 4, 77, 200, 0, 88, 99)
		if set != nil {
			set(h)
		}
	}, f)
}

// wire returns the frames of the writes since an exchange, behind the unit id: function, address, count and words.
func (h *house) wire(since uint64) string {
	var all []string
	for _, e := range h.writes(since) {
		if e.Function == 6 {
			all = append(all, fmt.Sprintf("06 %04X %04X", e.Range.Addr, e.Words))
			continue
		}
		all = append(all, fmt.Sprintf("%02X %04X %d %04X", e.Function, e.Range.Addr, e.Range.Count, e.Words))
	}
	return strings.Join(all, "; ")
}

// A window's end alone is refused, so it leaves with the start as just read; six registers leave as six.
func TestASettingOfAGroupLeavesWithTheWholeGroup(t *testing.T) {
	for _, c := range []struct {
		key   string
		value any
		wire  string
	}{
		{"window_1_end", "23:59", "10 0BDE 2 [A000 173B]"},
		{"battery_most", -1000.0, "10 1187 6 [0000 01F4 FFFF F000 FFFF FC18]"},
		{"capacity", 300.0, "10 0258 2 [1234 5678]; 10 025A 1 [0001]; 10 1050 6 [0004 004D 012C 0001 0058 0063]; " +
			"10 0262 1 [0001]"},
	} {
		inBlocks(t, nil, func(h *house) {
			since := h.line.Journal().Last()
			out, err := h.write(c.key, c.value)
			if err != nil || out.Unchanged || out.Reading.Value.Any() != c.value {
				t.Errorf("%s: %+v, %v", c.key, out, err)
			}
			if got := h.wire(since); got != c.wire {
				t.Errorf("%s:\nhave %s\nwant %s", c.key, got, c.wire)
			}
			if h.sink.last(c.key).Value != out.Reading.Value {
				t.Errorf("%s is shown as %v", c.key, h.sink.last(c.key).Value)
			}
		})
	}
}

// What a scene sets within milliseconds leaves in one request, in whatever order it comes.
func TestASceneLeavesAsOneRequest(t *testing.T) {
	for name, sets := range map[string][]Set{
		"10 0BDE 2 [173B 0601]": {{Key: "window_1_end", Value: "06:01"},
			{Key: "window_1_start", Value: "23:59"}},
		"10 1187 6 [0000 0001 FFFF FFFF 0000 0BB8]": {{Key: "battery_least", Value: -1.0}, {Key: "grid", Value: 1.0}},
		"10 1187 6 [0000 0003 0000 0001 0000 0002]": {{Key: "battery_most", Value: 2.0}, {Key: "grid", Value: 3.0},
			{Key: "battery_least", Value: 1.0}},
	} {
		for _, apart := range []time.Duration{0, 5 * time.Millisecond, 25 * time.Millisecond} {
			inBlocks(t, nil, func(h *house) {
				since := h.line.Journal().Last()
				var running sync.WaitGroup
				for _, s := range sets {
					running.Go(func() {
						if out, err := h.write(s.Key, s.Value); err != nil || out.Reading.Value.Any() != s.Value {
							t.Errorf("%s: %+v, %v", s.Key, out, err)
						}
					})
					time.Sleep(apart)
				}
				running.Wait()
				if got := h.wire(since); got != name {
					t.Errorf("%v apart:\nhave %s\nwant %s", apart, got, name)
				}
			})
		}
	}
}

// A setting that nothing can leave with waits for nothing; one that lacks its companions waits a moment.
func TestHowLongASettingWaitsForOthers(t *testing.T) {
	inBlocks(t, nil, func(h *house) {
		for key, want := range map[string][2]time.Duration{
			"remote": {0, 20 * time.Millisecond}, "grid": {30 * time.Millisecond, 60 * time.Millisecond},
		} {
			h.pass(10 * time.Second)
			out, err := h.write(key, 77.0)
			if err != nil || out.Wire < want[0] || out.Wire > want[1] {
				t.Errorf("%s: on the wire after %v, %v", key, out.Wire, err)
			}
		}
	})
}

func TestWriteGroup(t *testing.T) {
	inBlocks(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		begun := time.Now()
		set := SetGroup{Group: "set_points", Values: map[string]any{"grid": 1.0, "battery_most": 2.0},
			Deadline: time.Now().Add(10 * time.Second)}
		out, err := h.device.WriteGroup(h.ctx, set)
		if err != nil || len(out) != 2 || out["grid"].Reading.Value.Num != 1 ||
			out["battery_most"].Reading.Value.Num != 2 {
			t.Errorf("%+v, %v", out, err)
		}
		if got, want := h.wire(since), "10 1187 6 [0000 0001 FFFF F000 0000 0002]"; got != want {
			t.Errorf("have %s\nwant %s", got, want)
		}
		if took := time.Since(begun); took > 200*time.Millisecond {
			t.Errorf("it waited for others: %v", took)
		}
		if out, err = h.device.WriteGroup(h.ctx, set); err != nil || !out["grid"].Unchanged ||
			len(h.writes(since)) != 1 {
			t.Errorf("what the device holds: %+v, %v, %s", out, err, h.wire(since))
		}
	})
}

// All values are checked before anything is written, and all that is wrong is told at once.
func TestWriteGroupRefused(t *testing.T) {
	inBlocks(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		_, err := h.device.WriteGroup(h.ctx, SetGroup{Group: "set_points", Values: map[string]any{"grid": 1.0,
			"battery_most": 20001.0, "battery_least": "low", "window_1_end": "12:00", "nothing": 1}})
		wrong, ok := err.(*GroupError)
		if !ok {
			t.Fatalf("%v", err)
		}
		codes := map[string]string{}
		for key, e := range wrong.Failed {
			codes[key] = e.Code
		}
		want := "map[battery_least:wrong_type battery_most:out_of_range nothing:unknown_entity " +
			"window_1_end:unknown_key]"
		if got := fmt.Sprint(codes); got != want {
			t.Errorf("have %s\nwant %s", got, want)
		}
		if h.wire(since) != "" {
			t.Errorf("written all the same: %s", h.wire(since))
		}
	})
}

// A group that is refused is not tried in pieces, and each caller is told.
func TestAGroupIsRefusedAsAWhole(t *testing.T) {
	inBlocks(t, func(h *house) { h.unit.OnlyWhole(protocol.Range{Addr: 3038, Count: 4}, 0) }, func(h *house) {
		h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Exception, Code: 2})
		since := h.line.Journal().Last()
		for key, r := range h.together(Set{Key: "grid", Value: 1.0}, Set{Key: "battery_most", Value: 2.0}) {
			if e := writeError(t, r.err); e.Code != write.CodeException || e.Fields["register"] != "holding 4487+6" {
				t.Errorf("%s: %v %v", key, e, e.Fields)
			}
		}
		if w := h.writes(since); len(w) != 1 {
			t.Errorf("writes %v", w)
		}
	})
}

// A busy device is asked again for the whole group, a lost reply is read back, and a lost request is sent again whole.
func TestAGroupOnABadLine(t *testing.T) {
	for name, f := range map[string]sim.Fault{
		"busy":         {Kind: sim.Exception, Code: 6, Count: 2},
		"reply lost":   {Kind: sim.ReplyLost, Count: 1},
		"request lost": {Kind: sim.Drop, Count: 1},
	} {
		inBlocks(t, nil, func(h *house) {
			f.Match.Functions = sim.WriteFunctions
			h.fault(f)
			since := h.line.Journal().Last()
			for key, r := range h.together(Set{Key: "grid", Value: 1.0}, Set{Key: "battery_most", Value: 2.0}) {
				if r.err != nil {
					t.Errorf("%s: %s: %v", name, key, r.err)
				}
			}
			for _, w := range h.writes(since) {
				if w.Range.Count != 6 {
					t.Errorf("%s: %v", name, w)
				}
			}
			if got := []uint16{h.word(4488), h.word(4490), h.word(4492)}; fmt.Sprint(got) != "[1 61440 2]" {
				t.Errorf("%s: the device holds %v", name, got)
			}
		})
	}
}

// Without the code nothing is written, and the failure says so.
func TestUnlock(t *testing.T) {
	locked := func(h *house) {
		h.unit.ReadOnly(protocol.Range{Addr: 700, Count: 1}, 2)
		h.unit.OnWrite(func(w sim.Write) {
			if w.Range.Addr == 600 {
				h.unit.Behave(protocol.Range{Addr: 700, Count: 1}, sim.Behaviour{})
			}
		})
	}
	inBlocks(t, locked, func(h *house) {
		since := h.line.Journal().Last()
		if _, err := h.write("country", "b"); err != nil {
			t.Error(err)
		}
		want := "10 0258 2 [1234 5678]; 10 025A 1 [0001]; 10 02BC 1 [0001]; 10 0262 1 [0001]"
		if got := h.wire(since); got != want {
			t.Errorf("have %s\nwant %s", got, want)
		}
		if w := h.writes(since); w[1].At.Sub(w[0].At) < 100*time.Millisecond {
			t.Errorf("it did not wait: %v", w)
		}
		since = h.line.Journal().Last()
		if _, err := h.write("country", "a"); err != nil || len(h.writes(since)) != 3 { // control is held already
			t.Errorf("%v, %s", err, h.wire(since))
		}
	})
	for addr, c := range map[uint16]struct{ says, code string }{
		600: {"Country was not written, because what must be written before it failed (holding 600+2 of House: " +
			"exception 4 (server device failure))", write.CodeStepFailed},
		610: {"Country was written, but what must be written after it failed (holding 610+1 of House: " +
			"exception 4 (server device failure))", write.CodeStepFailed},
	} {
		inBlocks(t, func(h *house) { h.unit.ReadOnly(protocol.Range{Addr: addr, Count: 1}, 4) }, func(h *house) {
			if e := h.refusal("country", "b"); e.Code != c.code || e.Error() != c.says {
				t.Errorf("%s: %v", e.Code, e)
			}
			if written := h.word(700) == 1; written != (addr == 610) {
				t.Errorf("%d: written %v", addr, written)
			}
		})
	}
}

// What was unlocked is locked again before others get the line, though nothing was written.
func TestNothingStaysUnlocked(t *testing.T) {
	for refused, wire := range map[uint16]string{
		600: "10 0258 2 [1234 5678]",
		602: "10 0258 2 [1234 5678]; 10 025A 1 [0001]; 10 0262 1 [0001]",
		700: "10 0258 2 [1234 5678]; 10 025A 1 [0001]; 10 02BC 1 [0001]; 10 0262 1 [0001]",
	} {
		inBlocks(t, func(h *house) { h.unit.ReadOnly(protocol.Range{Addr: refused, Count: 1}, 2) }, func(h *house) {
			since := h.line.Journal().Last()
			h.refusal("country", "b")
			if got := h.wire(since); got != wire || h.word(700) != 0 {
				t.Errorf("%d is refused:\nhave %s\nwant %s", refused, got, wire)
			}
		})
	}
}

// What can only be written is never read: a write counts when it is acknowledged, and the value stays unknown.
func TestOnlyWritten(t *testing.T) {
	inBlocks(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 800, 0) }, func(h *house) {
		h.device.SetEnabled(func(string) bool { return true })
		h.pass(time.Minute)
		since := h.line.Journal().Last()
		if out, err := h.write("remote", 500.0); err != nil || h.word(800) != 500 {
			t.Errorf("%+v, %v", out, err)
		}
		h.pass(time.Minute)
		for _, e := range h.line.Journal().Since(since) {
			if !e.Write() && e.Range.Overlaps(protocol.Range{Addr: 800, Count: 1}) {
				t.Fatalf("read: %v", e)
			}
		}
		h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.ReplyLost, Count: 1})
		if e := h.refusal("remote", 600.0); e.Code != write.CodeOutcomeUnknown {
			t.Errorf("%s: %v", e.Code, e)
		}
	})
}
