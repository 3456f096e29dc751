package devices

import (
	"sync/atomic"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// withClock gives the house a clock in three registers, which runs, and which any write sets.
func withClock(h *house, off *atomic.Int64) {
	time.Sleep(48 * time.Hour) // the bubble begins in the first hour of the century
	off.Store(int64(-time.Hour))
	p := houseWith(h.t, "  - {key: hidden,", `  - {is: clock, at: 362, datetime: packed, write: {}, source: maker}
  - {is: clock_deviation, value: clock, source: maker}
  - {key: hidden,`)
	unit, err := simulate.Unit(p, profile.Traits{"kind": "lv"}, "SN00000001")
	if err != nil {
		h.t.Fatal(err)
	}
	h.cfg.Profile, h.unit, h.cfg.Zone = p, unit, time.UTC
	spec := codec.Spec{Type: codec.Text, Form: codec.MomentPacked, Length: 3}
	h.unit.Live(time.Second, func(now time.Time) {
		now = now.Add(time.Duration(off.Load()))
		words, err := spec.Encode(codec.TextOf(now.UTC().Format(time.DateTime)), nil)
		if err != nil {
			h.t.Error(err)
		}
		h.unit.Set(protocol.HoldingRegister, 362, words...)
	})
	h.unit.OnWrite(func(sim.Write) { off.Store(0) })
}

// TestClock: its deviation is shown, one request sets it, and the cloud that turns it back is told of once.
func TestClock(t *testing.T) {
	var off atomic.Int64
	polled(t, func(h *house) { withClock(h, &off) }, func(h *house) {
		c, ok := h.device.Clock()
		shown := h.sink.last("clock_deviation").Value.Num
		if !ok || !c.Wrong || !c.Sets || shown > -3598 || shown < -3602 {
			t.Fatalf("%+v, deviation %v", c, shown)
		}
		since := h.line.Journal().Last()
		if _, err := h.device.Write(h.ctx, Set{Key: "clock"}); err != nil {
			t.Fatal(err)
		}
		writes := h.writes(since)
		if len(writes) != 1 || writes[0].Range != (protocol.Range{Addr: 362, Count: 3}) {
			t.Errorf("writes %+v", writes)
		}
		if c, _ := h.device.Clock(); c.Wrong || c.Off.Abs() > 2*time.Second {
			t.Errorf("set, it is %+v", c)
		}
		h.pass(6 * time.Minute)
		if len(h.sink.reverted) != 0 {
			t.Errorf("it runs on: %+v", h.sink.reverted)
		}
		off.Store(int64(-time.Hour))
		h.pass(20 * time.Minute)
		if len(h.sink.reverted) != 1 || len(h.writes(since)) != 1 {
			t.Errorf("turned back: told %d times, written %d times", len(h.sink.reverted), len(h.writes(since)))
		}
		if e := h.refusal("clock", "2030-01-01 00:00:00"); e.Code != "read_only" {
			t.Errorf("%s: %v", e.Code, e)
		}
	})
}

// TestClockEntities: a sensor, its deviation and a button.
func TestClockEntities(t *testing.T) {
	polled(t, func(h *house) { withClock(h, new(atomic.Int64)) }, func(h *house) {
		found := map[string]string{}
		for _, e := range h.device.Entities() {
			found[e.ID] = e.Platform + " " + e.Quantity + " " + e.Category + " " + e.Name
		}
		for id, want := range map[string]string{"clock": "sensor clock diagnostic Clock",
			"clock_deviation": "sensor clock_deviation diagnostic Clock deviation",
			"clock_set":       "button clock_set config Set clock"} {
			if got := found["SN00000001_"+id]; got != want {
				t.Errorf("%s: %q", id, got)
			}
		}
	})
}
