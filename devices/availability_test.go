package devices

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/devices/write"
	"solarhub/protocol"
)

func TestAwayBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := awayBackoff{least: 2 * time.Second, most: time.Minute}
		near := func(want time.Duration) {
			t.Helper()
			if got := a.next(); got > want || got < want*9/10 {
				t.Errorf("%v after %v, want %v", got, time.Since(a.since), want)
			}
		}
		for range 2 {
			near(2 * time.Second)
			for gone, want := range map[time.Duration]time.Duration{10: 2, 16: 2, 80: 10, 400: 50, 1000: 60} {
				a.since = time.Now().Add(-gone * time.Second)
				near(want * time.Second)
			}
			a.reset()
		}
	})
}

// A line that glitches makes nothing unavailable, and does not have everything read anew.
func TestGlitches(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Grace = DefaultGrace }, func(h *house) {
		slow := len(h.sink.of("current_max"))
		for range 20 {
			h.dead.Store(true)
			h.hangUp()
			h.pass(1500 * time.Millisecond)
			h.dead.Store(false)
			h.pass(13500 * time.Millisecond)
		}
		for _, s := range h.sink.told() {
			if !s.Online {
				t.Errorf("unavailable: %+v", s)
			}
		}
		if n := h.device.Glitches(); n < 10 || n > 20 {
			t.Errorf("%d glitches", n)
		}
		if n := len(h.sink.of("current_max")) - slow; n > 2 {
			t.Errorf("what is read every five minutes was read %d times in five", n)
		}
	})
}

// In its grace a device keeps its values, and a write says why it fails; then it is unavailable.
func TestGraceEnds(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Grace = DefaultGrace }, func(h *house) {
		h.line.Off()
		h.pass(15 * time.Second)
		if s := h.device.Status(); !s.Online || !strings.Contains(s.Reason, "no answer") {
			t.Errorf("in its grace %+v", s)
		}
		if e := h.refusal("current_max", 60.0); e.Code != write.CodeNoAnswer {
			t.Errorf("%s: %v", e.Code, e)
		}
		h.pass(12 * time.Second)
		if s := h.device.Status(); s.Online {
			t.Errorf("behind its grace %+v", s)
		}
	})
}

// A device that is known and off at the start has its grace, too: nothing is said of it until that is over.
func TestGraceAtTheStart(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Grace = DefaultGrace
		h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "lv"}
		h.dead.Store(true)
	}, func(h *house) {
		h.pass(15 * time.Second)
		if said := h.sink.told(); len(said) > 0 {
			t.Errorf("in its grace it is told %+v", said)
		}
		h.pass(20 * time.Second) // the line is waited for, and then the grace begins
		if said := h.sink.told(); len(said) == 0 || said[0].Online {
			t.Errorf("behind its grace it is told %+v of %+v", said, h.device.Status())
		}
	})
}

// A peer that hangs up again and again does not have the rare values read behind each reconnect.
func TestReconnectsKeepTheSchedule(t *testing.T) {
	polled(t, func(h *house) { h.unit.Remove(protocol.Range{Addr: 101, Count: 1}) }, func(h *house) {
		before := len(h.sink.of("current_max"))
		refused := 0
		since := h.line.Journal().Last()
		for range 30 {
			h.pass(20 * time.Second)
			h.hangUp()
		}
		for _, e := range h.line.Journal().Since(since) {
			if e.Exception != 0 {
				refused++
			}
		}
		if n := len(h.sink.of("current_max")) - before; n < 1 || n > 3 || refused > 13 {
			t.Errorf("what is read every five minutes was read %d times in ten, %d requests were refused", n, refused)
		}
	})
}
