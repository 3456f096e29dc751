package plugin

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/protocol"
)

// chargeTo is the set-value of a host with that call id.
func chargeTo(value any, call string) host.Call {
	return host.Call{CallID: call, Action: host.ActionSet, ID: id("charge_end_soc"), Value: value}
}

func TestACallThatComesAgainIsTheSame(t *testing.T) {
	h := newHouse(t, ", timeout: 20s")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("charge_end_soc", "50")
	h.gate.close()
	results := make(chan host.Result, 3)
	for range 3 {
		go func() { results <- h.plugin.hub.Call(h.ctx, chargeTo(10.0, "c1")) }()
	}
	h.poll("the call has come", func() bool {
		var begun int
		h.inHub(func(s *state) { begun = len(s.ledger.entries) })
		return begun > 0
	})
	gone, cancel := context.WithCancelCause(h.ctx)
	cancel(host.ErrCancelled)
	if r := h.plugin.hub.Call(gone, chargeTo(10.0, "c1")); r.Err == nil || r.Err.Code != host.CodeCancelled {
		t.Errorf("a repetition that gives up: %+v", r)
	}
	h.gate.open()
	for range 3 {
		if r := <-results; r.Err != nil || r.Value != 10.0 {
			t.Errorf("result %+v", r)
		}
	}
	h.set(chargeEnd, 60)
	h.wait("charge_end_soc", "60")
	if r := h.plugin.hub.Call(h.ctx, chargeTo(10.0, "c1")); r.Err != nil || r.Value != 10.0 {
		t.Errorf("afterwards: %+v", r)
	}
	for _, other := range []host.Call{chargeTo(11.0, "c1"), {CallID: "c1", Action: host.ActionSet, ID: id("grid_charge"), Value: 10.0}} {
		if r := h.plugin.hub.Call(h.ctx, other); r.Err == nil || r.Err.Code != host.CodeFailed {
			t.Errorf("another call with the same id: %+v", r)
		}
	}
	if w := h.writes(); len(w) != 1 {
		t.Errorf("written %v", w)
	}
	h.inHub(func(s *state) {
		if len(s.ledger.entries) != 1 {
			t.Errorf("ledger %+v", s.ledger.entries)
		}
	})
}

func TestACallOfWhichNothingWasSentMayComeAgain(t *testing.T) {
	h := newHouse(t, "")
	h.set(chargeEnd, 50)
	h.start()
	h.wait("charge_end_soc", "50")
	gone, cancel := context.WithCancelCause(h.ctx)
	cancel(host.ErrSessionLost)
	if r := h.plugin.hub.Call(gone, chargeTo(10.0, "c1")); r.Err == nil || r.Err.Code != host.CodeCancelled {
		t.Fatalf("with the session gone: %+v", r)
	}
	if r := h.plugin.hub.Call(h.ctx, chargeTo(10.0, "c1")); r.Err != nil || h.register(chargeEnd) != 10 {
		t.Errorf("in the next session: %+v, the register holds %d", r, h.register(chargeEnd))
	}
	h.unit.ReadOnly(protocol.Range{Addr: chargeEnd, Count: 1}, 4)
	if r := h.plugin.hub.Call(h.ctx, chargeTo(11.0, "c2")); r.Err == nil || r.Err.Code != host.CodeException {
		t.Fatalf("refused: %+v", r)
	}
	before := len(h.writes())
	if r := h.plugin.hub.Call(h.ctx, chargeTo(11.0, "c2")); r.Err == nil || r.Err.Code != host.CodeException || len(h.writes()) != before {
		t.Errorf("refused, and again: %+v, %d writes", r, len(h.writes())-before)
	}
}

// TestACallFromBeforeAKill kills a process in mid-write: what its cache holds at that moment is all that the next one has.
func TestACallFromBeforeAKill(t *testing.T) {
	for name, c := range map[string]struct {
		holds uint16 // what the device holds when the call comes again
		code  string
	}{
		"carried out":     {10, ""},
		"not carried out": {50, host.CodeNotVerified},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, ", timeout: 20s")
			h.set(chargeEnd, 50)
			h.start()
			h.wait("charge_end_soc", "50")
			h.gate.close()
			end := make(chan host.Result, 1)
			go func() { end <- h.plugin.hub.Call(h.ctx, chargeTo(10.0, "c1")) }()
			h.poll("the write is on the line", func() bool { return strings.Contains(h.noted(), `"call":"c1"`) })
			left := t.TempDir()
			if err := os.CopyFS(left, os.DirFS(h.data)); err != nil {
				t.Fatal(err)
			}
			h.gate.open()
			<-end
			h.halt()

			h.config = strings.Replace(h.config, h.data, left, 1)
			h.set(chargeEnd, c.holds)
			before := len(h.writes())
			h.start()
			h.poll("the device is known", func() bool { return h.plugin.hub.described.Load().targets[id("charge_end_soc")].device != nil })
			for range 2 { // the second time it is this process that knows it
				r := h.plugin.hub.Call(h.ctx, chargeTo(10.0, "c1"))
				if c.code == "" && (r.Err != nil || r.Value != 10.0) || c.code != "" && (r.Err == nil || r.Err.Code != c.code) {
					t.Errorf("result %+v %v", r, r.Err)
				}
			}
			if r := h.plugin.hub.Call(h.ctx, chargeTo(12.0, "c1")); r.Err == nil || r.Err.Code != host.CodeFailed {
				t.Errorf("another value: %+v", r)
			}
			if n := len(h.writes()) - before; n != 0 {
				t.Errorf("written again, %d times", n)
			}
			h.inHub(func(s *state) {
				if e := s.ledger.entries[0]; e.Call != "c1" || e.Outcome == outcomeBegun {
					t.Errorf("ledger %+v", e)
				}
			})
		})
	}
}

// noted returns the entries of the ledger that the files of the cache hold.
func (h *house) noted() string {
	var all strings.Builder
	files, _ := os.ReadDir(h.data + "/state")
	for _, f := range files {
		text, _ := os.ReadFile(h.data + "/state/" + f.Name())
		all.Write(text)
	}
	return all.String()
}

func TestWhatIsKeptOfCallsIsBounded(t *testing.T) {
	f, now := newFlights(), time.Now()
	fly := func(n int, now time.Time) {
		of, lead := f.enter(host.Call{CallID: fmt.Sprint(n)}, now)
		if !lead {
			t.Fatalf("call %d is known", n)
		}
		f.leave(of, host.Result{}, now)
	}
	for n := range 3 * keptResults {
		fly(n, now)
	}
	if len(f.known) != keptResults || len(f.ended) != keptResults {
		t.Errorf("%d known, %d ended", len(f.known), len(f.ended))
	}
	fly(-1, now.Add(repeatFor+time.Second))
	if len(f.known) != 1 {
		t.Errorf("%d are kept for ever", len(f.known))
	}
}

func TestWhetherRegistersHoldAValue(t *testing.T) {
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	points, _ := family.Resolve("")
	at := byKey(points)
	for _, c := range []struct {
		key   string
		raw   []uint16
		value any
		want  bool
	}{
		{"charge_end_soc", []uint16{80}, 80.0, true},
		{"charge_end_soc", []uint16{80}, 80.0000000001, true},
		{"charge_end_soc", []uint16{80}, 81.0, false},
		{"charge_end_soc", nil, 80.0, false},
		{"charge_end_soc", []uint16{80}, "much", false},
		{"charge_start_time_1", []uint16{0x0102}, "01:02", true},
		{"grid_charge", []uint16{1}, true, true},
		{"grid_charge", []uint16{1}, false, false},
	} {
		if got := holds(at[c.key], c.raw, c.value); got != c.want {
			t.Errorf("%s %v %v: %t", c.key, c.raw, c.value, got)
		}
	}
}
