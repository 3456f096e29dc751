package devices

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

func replaced(text string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(text)
}

func TestRefusedBeforeTheWire(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		for _, c := range []struct {
			key    string
			value  any
			code   string
			fields string // name=value pairs that must be there
		}{
			{"current_max", 186.0, write.CodeOutOfRange, "value=186 min=0 max=185 unit=A"},
			{"current_max", -1.0, write.CodeOutOfRange, "value=-1"},
			{"current_max", 12.5, write.CodeOffStep, "value=12.5 step=1 below=12 above=13"},
			{"limit", 150.0, write.CodeOffStep, "step=100 below=100 above=200"},
			{"limit", -5100.0, write.CodeOutOfRange, "min=-5000 max=80000"},
			{"voltage_max", 54.123, write.CodeOffStep, "below=54.12 above=54.13"},
			{"voltage_max", 400.0, write.CodeOutOfRange, "min=41 max=60 unit=V"},
			{"current_max", "many", write.CodeWrongType, "value=many"},
			{"current_max", true, write.CodeWrongType, "value=true"},
			{"current_max", nil, write.CodeWrongType, ""},
			{"charging", "maybe", write.CodeWrongType, "value=maybe"},
			{"charging", 1.0, write.CodeWrongType, ""},
			{"window_start", "24:00", write.CodeWrongType, "value=24:00"},
			{"window_start", "06:30:10", write.CodeWrongType, ""},
			{"mode", "Eating first", write.CodeUnknownOption, "value=Eating first"},
			{"mode", 1.0, write.CodeWrongType, ""},
			{"power", 100.0, write.CodeReadOnly, ""},
			{"grid_code", "strict", write.CodeNotArmed, "key=grid_code"},
			{"no_such_point", 1.0, write.CodeUnknownEntity, "id=SN00000001_no_such_point"},
		} {
			e := h.refusal(c.key, c.value)
			if e.Code != c.code || e.Stage != write.StageRefused {
				t.Errorf("%s = %v: %s at stage %d (%v), want %s", c.key, c.value, e.Code, e.Stage, e, c.code)
			}
			given := fmt.Sprintf("%v", e.Fields)
			for pair := range strings.FieldsSeq(c.fields) {
				if name, value, ok := strings.Cut(pair, "="); ok && !strings.HasPrefix(e.Fields[name], value) {
					t.Errorf("%s = %v: %s is not in %s", c.key, c.value, pair, given)
				}
			}
		}
		if e := h.refusal("current_max", 186.0); !strings.Contains(e.Error(), "0 to 185 A") {
			t.Errorf("the limits are not in %q", e)
		}
		if w := h.writes(since); len(w) != 0 {
			t.Errorf("something went out: %v", w)
		}
	})
}

func TestReadOnlyByConfiguration(t *testing.T) {
	polled(t, func(h *house) { h.cfg.ReadOnly = true }, func(h *house) {
		if e := h.refusal("current_max", 10.0); e.Code != write.CodeReadOnly ||
			!strings.Contains(e.Error(), "configuration") {
			t.Errorf("got %s: %v", e.Code, e)
		}
	})
}

func TestWrittenAndConfirmed(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Arm = []string{"grid_code"} }, func(h *house) {
		for _, c := range []struct {
			key   string
			value any
			shown string
			addr  uint16
			words string
		}{
			{"current_max", 50.0, "50", 200, "[50]"},
			{"current_max", "51", "51", 200, "[51]"},
			{"current_max", 51.99999999999, "52", 200, "[52]"}, // the noise of a host that converts units
			{"current_max", 184.99999999999, "185", 200, "[185]"},
			{"current_max", 0.00000000001, "0", 200, "[0]"},
			{"voltage_max", 54.3, "54.3", 201, "[5430]"},
			{"limit", -100.0, "-100", 202, "[65535 65436]"},
			{"limit", 80000.0, "80000", 202, "[1 14464]"},
			{"limit", 79900.00001, "79900", 202, "[1 14364]"}, // within a millionth of a step
			{"mode", "own_use_first", "own_use_first", 204, "[1]"},
			{"charging", true, "on", 205, "[33]"},
			{"peak_shaving", "on", "on", 205, "[49]"},
			{"charging", false, "off", 205, "[48]"},
			{"window_start", "06:30", "06:30", 206, "[630]"},
			{"window_start", "06:45:00", "06:45", 206, "[645]"},
			{"grid_code", "strict", "strict", 207, "[1]"},
		} {
			since := h.line.Journal().Last()
			out, err := h.write(c.key, c.value)
			if err != nil {
				t.Fatalf("%s = %v: %v", c.key, c.value, err)
			}
			words, _ := h.unit.Get(protocol.HoldingRegister, c.addr, uint16(strings.Count(c.words, " ")+1))
			if got := fmt.Sprint(words); got != c.words {
				t.Errorf("%s = %v: the inverter holds %s, want %s", c.key, c.value, got, c.words)
			}
			if got := out.Reading.Value.String(); got != c.shown || h.sink.last(c.key).Value.String() != c.shown {
				t.Errorf("%s = %v: confirmed %s, want %s", c.key, c.value, got, c.shown)
			}
			if n := len(h.writes(since)); n != 1 || out.Superseded || out.Unchanged || out.Took < out.Wire {
				t.Errorf("%s = %v: %d writes, %+v", c.key, c.value, n, out)
			}
		}
	})
}

func TestFunctionFollowsTheProfile(t *testing.T) {
	for rule, function := range map[string]byte{"multiple": 16, "single": 6} {
		polled(t, func(h *house) { h.cfg.Profile = houseWith(t, "write: multiple", "write: "+rule) }, func(h *house) {
			since := h.line.Journal().Last()
			if _, err := h.write("current_max", 7.0); err != nil {
				t.Fatal(err)
			}
			if _, err := h.write("limit", 700.0); err != nil {
				t.Fatal(err)
			}
			w := h.writes(since)
			if w[0].Function != function || w[1].Function != 16 {
				t.Errorf("%s: functions %d and %d, want %d and 16", rule, w[0].Function, w[1].Function, function)
			}
		})
	}
}

func TestEqualAndFreshIsNotWrittenAgain(t *testing.T) {
	polled(t, nil, func(h *house) {
		if _, err := h.write("current_max", 50.0); err != nil {
			t.Fatal(err)
		}
		since := h.line.Journal().Last()
		if out, err := h.write("current_max", 50.0); err != nil || !out.Unchanged || out.Reading.Value.Num != 50 {
			t.Errorf("the second: %+v, %v", out, err)
		}
		if n := len(h.writes(since)); n != 0 {
			t.Errorf("%d writes of what was there", n)
		}
		out, err := h.device.Write(h.ctx, Set{Key: "current_max", Value: 50.0, Force: true})
		if n := len(h.writes(since)); err != nil || out.Unchanged || n != 1 {
			t.Errorf("forced: %+v, %v, %d writes", out, err, n)
		}
		h.pass(freshFor + time.Second)
		if out, err := h.write("current_max", 50.0); err != nil || out.Unchanged || len(h.writes(since)) != 2 {
			t.Errorf("no longer fresh: %+v, %v", out, err)
		}
		h.unit.Set(protocol.HoldingRegister, 205, 1)
		since = h.line.Journal().Last()
		if out, err := h.write("charging", true); err != nil || !out.Unchanged || len(h.writes(since)) != 0 {
			t.Errorf("a bit that is set already, read just before: %+v, %v", out, err)
		}
	})
}

func TestDeviceRefuses(t *testing.T) {
	for _, code := range []byte{1, 2, 3, 4, 6} {
		polled(t, func(h *house) {
			h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, sim.Behaviour{Refuse: code})
		}, func(h *house) {
			since := h.line.Journal().Last()
			e := h.refusal("current_max", 20.0)
			if e.Code != write.CodeException || e.Stage != write.StageException ||
				e.Fields["code"] != fmt.Sprint(code) || e.Fields["register"] != "holding 200+1" {
				t.Errorf("exception %d: %s %v", code, e.Code, e.Fields)
			}
			if !strings.Contains(e.Error(), fmt.Sprintf("holding 200+1): exception %d", code)) {
				t.Errorf("register and exception are not in %q", e)
			}
			want := 1
			if code == 6 { // busy: nothing was carried out
				want += profile.DefaultBusyRetries
			}
			if n := len(h.writes(since)); n != want {
				t.Errorf("exception %d: %d writes, not %d", code, n, want)
			}
			h.pass(time.Second)
			if out, err := h.write("limit", 100.0); err != nil || out.Reading.Value.Num != 100 {
				t.Errorf("the next: %v", err)
			}
		})
	}
}

func TestAcknowledgedAndNotStored(t *testing.T) {
	for name, c := range map[string]struct {
		does  sim.Behaviour
		found string
	}{
		"ignores":     {simtest.Ignore(), "92 A"},
		"clamps":      {simtest.Clamp(0, 100), "100 A"},
		"is too slow": {simtest.StoreAfter(time.Minute), "92 A"},
	} {
		polled(t, func(h *house) {
			h.unit.Set(protocol.HoldingRegister, 200, 92)
			h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, c.does)
		}, func(h *house) {
			since, begun := h.line.Journal().Last(), time.Now()
			e := h.refusal("current_max", 150.0)
			if e.Code != write.CodeNotVerified || e.Stage != write.StageNotVerified || e.Fields["wanted"] != "150 A" ||
				e.Fields["found"] != c.found {
				t.Errorf("%s: %s %v", name, e.Code, e.Fields)
			}
			if e.Found == nil || h.sink.last("current_max").ReadAt != e.Found.ReadAt {
				t.Errorf("%s: what was found was not reported", name)
			}
			if took := time.Since(begun); took < verifyFor/2 || took > verifyFor+2*time.Second ||
				len(h.writes(since)) != 1 {
				t.Errorf("%s: %d writes, gave up after %v", name, len(h.writes(since)), took)
			}
		})
	}
}

func TestSettles(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Behave(protocol.Range{Addr: 200, Count: 1}, simtest.StoreAfter(time.Second))
	}, func(h *house) {
		before := h.word(200)
		h.sink.forget()
		out, err := h.write("current_max", 33.0)
		if err != nil || out.Reading.Value.Num != 33 || out.Took < time.Second {
			t.Fatalf("%+v, %v", out, err)
		}
		if values := h.sink.of("current_max"); len(values) != 1 || values[0] != "33" {
			t.Errorf("reported %v; %d was there before", values, before)
		}
	})
}

func TestLineServesOthersWhileAWriteSettles(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Line.Settle = 3 * time.Second }, func(h *house) {
		since := h.line.Journal().Last()
		out, err := h.write("current_max", 44.0)
		if err != nil || out.Took < 3*time.Second || out.Took > 3500*time.Millisecond {
			t.Fatalf("%+v, %v", out, err)
		}
		polls := 0
		for _, e := range h.line.Journal().Since(since) {
			if e.Range.Overlaps(protocol.Range{Addr: 100, Count: 1}) {
				polls++
			}
		}
		if polls == 0 {
			t.Error("nothing was polled for three seconds")
		}
	})
}

func TestReadBackFollowsTheWriteAtOnce(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		var running sync.WaitGroup
		for range 3 { // who else wants the line
			running.Go(func() { _, _ = h.device.Read(h.ctx, "power") })
		}
		h.pass(time.Millisecond)
		if _, err := h.write("current_max", 45.0); err != nil {
			t.Fatal(err)
		}
		running.Wait()
		all := h.line.Journal().Since(since)
		for i, e := range all {
			if e.Write() && (all[i+1].Write() || all[i+1].Range != e.Range) {
				t.Errorf("behind the write came %v", all[i+1])
			}
		}
	})
}

func TestReplyLost(t *testing.T) {
	for name, kind := range map[string]sim.Kind{"reply lost": sim.ReplyLost, "closed": sim.CloseBefore,
		"hang-up": sim.HangUp} {
		polled(t, nil, func(h *house) {
			since := h.line.Journal().Last()
			h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: kind})
			out, err := h.write("current_max", 60.0)
			if err != nil || out.Reading.Value.Num != 60 || len(h.writes(since)) != 1 || h.word(200) != 60 {
				t.Errorf("%s: %+v, %v, %d writes", name, out, err, len(h.writes(since)))
			}
		})
	}
}

// A request that was lost is sent once more, where it does no harm twice, and the sentence says that nobody
// acknowledged it.
func TestRequestLost(t *testing.T) {
	lost := sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Drop}
	for name, c := range map[string]struct {
		lost, writes int    // requests; 0: all of them
		once         string // what the point's rule says besides
		within       time.Duration
		code         string
	}{
		"one is lost":  {lost: 1, writes: 2, within: 10 * time.Second},
		"all are lost": {writes: 2, within: 10 * time.Second, code: write.CodeNotAcknowledged},
		"never sent twice": {writes: 1, once: ", once: true", within: 10 * time.Second,
			code: write.CodeNotAcknowledged},
		"no time is left": {lost: 1, writes: 1, within: 1500 * time.Millisecond, code: write.CodeNotAcknowledged},
	} {
		polled(t, func(h *house) { h.cfg.Profile = houseWith(t, "max: 185}", "max: 185"+c.once+"}") }, func(h *house) {
			since := h.line.Journal().Last()
			lost.Count = c.lost
			h.fault(lost)
			set := Set{Key: "current_max", Value: 60.0, Deadline: time.Now().Add(c.within)}
			_, err := h.device.Write(h.ctx, set)
			if n := len(h.writes(since)); n != c.writes {
				t.Errorf("%s: %d requests", name, n)
			}
			if c.code == "" {
				if err != nil || h.word(200) != 60 {
					t.Errorf("%s: %v, the inverter holds %d", name, err, h.word(200))
				}
			} else if e := writeError(t, err); e.Code != c.code || !errors.Is(e, protocol.ErrOutcomeUnknown) {
				t.Errorf("%s: %s: %v", name, e.Code, e)
			}
		})
	}
}

func TestDoubtfulExceptionsAreReadBack(t *testing.T) {
	for code, c := range map[byte]struct {
		code   string
		writes int
	}{
		protocol.Acknowledge:         {write.CodeNotAcknowledged, 1},
		protocol.GatewayPathUnavail:  {write.CodeNotAcknowledged, 2}, // it was lost behind the gateway
		protocol.GatewayTargetFailed: {write.CodeNotAcknowledged, 2},
	} {
		polled(t, nil, func(h *house) {
			since := h.line.Journal().Last()
			h.fault(sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Exception, Code: code})
			if e := h.refusal("current_max", 60.0); e.Code != c.code || len(h.writes(since)) != c.writes {
				t.Errorf("exception %d, not carried out: %s, %d writes", code, e.Code, len(h.writes(since)))
			}
		})
	}
}

func TestOutcomeUnknown(t *testing.T) {
	polled(t, nil, func(h *house) {
		since := h.line.Journal().Last()
		h.unit.OnWrite(func(sim.Write) { h.line.Off() })
		e := h.refusal("current_max", 60.0)
		if e.Code != write.CodeOutcomeUnknown || e.Stage != write.StageUnknown ||
			e.Fields["register"] != "holding 200+1" {
			t.Errorf("%s %v", e.Code, e)
		}
		if n := len(h.writes(since)); n != 1 {
			t.Errorf("%d writes", n)
		}
	})
}

func TestNothingIsSentToADeadDevice(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.line.Off()
		h.pass(10 * time.Second)
		if s := h.device.Status(); s.Online || s.Reason == "" {
			t.Errorf("status %+v", s)
		}
		since := h.line.Journal().Last()
		begun := time.Now()
		e := h.refusal("current_max", 60.0)
		if e.Code != write.CodeNoAnswer || e.Stage != write.StageNotSent || time.Since(begun) > 11*time.Second ||
			len(h.writes(since)) != 0 {
			t.Errorf("%s after %v: %v", e.Code, time.Since(begun), e)
		}
	})
}

func TestLineDown(t *testing.T) {
	polled(t, nil, func(h *house) {
		h.dead.Store(true)
		h.hangUp()
		h.pass(5 * time.Second)
		begun := time.Now()
		e := h.refusal("current_max", 60.0)
		if e.Code != write.CodeLineDown || e.Fields["line"] != "house" || e.Stage != write.StageNotSent ||
			time.Since(begun) > 11*time.Second {
			t.Errorf("%s after %v: %v %v", e.Code, time.Since(begun), e, e.Fields)
		}
		since := h.line.Journal().Last()
		h.dead.Store(false)
		h.pass(2 * time.Minute)
		if n := len(h.writes(since)); n != 0 {
			t.Errorf("%d writes were replayed", n)
		}
		if !h.device.Status().Online {
			t.Errorf("not back: %+v", h.device.Status())
		}
		if _, err := h.write("current_max", 61.0); err != nil {
			t.Error(err)
		}
	})
}

// An owner's set-values survive a line that loses one request in fifty.
func TestSetValuesOnALineThatLosesRequests(t *testing.T) {
	const seed, n = 1, 3000
	polled(t, nil, func(h *house) {
		h.line.Play(sim.NewScript(seed, sim.Fault{Match: sim.Match{Probability: 0.02}, Kind: sim.Drop}))
		failed := 0
		for i := range n {
			set := Set{Key: "current_max", Value: float64(i % 180), Force: true}
			if _, err := h.device.Write(h.ctx, set); err != nil {
				failed++
				t.Logf("%v", err)
			} else if h.word(200) != uint16(i%180) {
				t.Fatalf("told that it holds %d, it holds %d", i%180, h.word(200))
			}
		}
		if failed > n/1000 {
			t.Errorf("seed %d: %d of %d failed", seed, failed, n)
		}
	})
}
