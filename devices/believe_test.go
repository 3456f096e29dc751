package devices

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// withCounters gives the house a state of charge and two counters in one block.
func withCounters(h *house) {
	p := houseWith(h.t, "  - {key: hidden,", `  - {is: battery_soc, at: 300, every: now, source: maker}
  - {is: pv_energy_today, at: 301, scale: 0.1, every: now, source: maker}
  - {is: pv_energy, at: 302, type: u32, scale: 0.1, every: now, source: maker}
  - {is: pv_power, at: 304, every: now, source: maker}
  - {key: hidden,`)
	unit, err := simulate.Unit(p, profile.Traits{"kind": "lv"}, "SN00000001")
	if err != nil {
		h.t.Fatal(err)
	}
	h.cfg.Profile, h.unit, h.cfg.Zone = p, unit, time.UTC
	h.hold(50, 32, 53548)
}

// hold sets the state of charge and both counters.
func (h *house) hold(soc, today uint16, total uint32) {
	h.unit.Set(protocol.HoldingRegister, 300, soc, today, uint16(total>>16), uint16(total))
}

// course returns the values of a point in the order in which they were passed on, each once.
func (h *house) course(key string) string {
	var all []string
	for _, text := range h.sink.of(key) {
		if n := len(all); n == 0 || all[n-1] != text {
			all = append(all, text)
		}
	}
	return strings.Join(all, " ")
}

// TestWakingInverter: both counters read 0 for 40 s. Neither 0 is shown, and the other values are as they were.
func TestWakingInverter(t *testing.T) {
	polled(t, withCounters, func(h *house) {
		h.pass(6 * time.Hour)
		h.hold(51, 0, 0)
		h.pass(40 * time.Second)
		h.hold(52, 32, 53548)
		h.pass(time.Minute)
		for key, want := range map[string]string{"pv_energy": "5354.8", "pv_energy_today": "3.2",
			"battery_soc": "50 51 52"} {
			if got := h.course(key); got != want {
				t.Errorf("%s: %s, want %s", key, got, want)
			}
		}
	})
}

// TestBeyondItsRange: a state of charge of 24,710 % is read once more at once and is then unknown, with the reason. It
// costs one request, and the values beside it are as they were.
func TestBeyondItsRange(t *testing.T) {
	polled(t, withCounters, func(h *house) {
		since := h.line.Journal().Last()
		h.hold(24710, 32, 53548)
		h.pass(2 * time.Second)
		soc := h.sink.last("battery_soc").Value
		if soc.Kind != codec.KindNone || !strings.Contains(soc.Str, "24710 %") {
			t.Errorf("the state of charge is %v (%s)", soc, soc.Str)
		}
		h.pass(time.Minute)
		if n := len(h.reads(since, 300)); n != 1 {
			t.Errorf("it was read again %d times", n)
		}
		got, err := h.device.Read(h.ctx, "battery_soc")
		if err != nil || got.Value.Str != soc.Str || got.Raw[0] != 24710 {
			t.Errorf("%+v, %v", got, err)
		}
		if odd, total := h.device.Implausible(); len(odd) != 1 || odd[0].Reason != soc.Str || total < 30 {
			t.Errorf("%+v, %d", odd, total)
		}
		if got := h.course("pv_energy") + " " + fmt.Sprint(h.device.Status().Online); got != "5354.8 true" {
			t.Errorf("beside it: %s", got)
		}
		h.hold(64, 32, 53548)
		h.pass(2 * time.Second)
		if odd, _ := h.device.Implausible(); h.sink.last("battery_soc").Value != codec.Number(64) || len(odd) != 0 {
			t.Errorf("%+v, %v", h.sink.last("battery_soc"), odd)
		}
	})
}

// TestMarksOfAnEarlierRun: the counter of the cache counts from the first reading on.
func TestMarksOfAnEarlierRun(t *testing.T) {
	polled(t, func(h *house) {
		withCounters(h)
		h.hold(50, 0, 0)
		h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "lv"}
		h.cfg.Kept = map[string]Kept{"pv_energy": {Value: 5354.8, At: time.Now().Add(-time.Minute)},
			"pv_energy_today": {Value: 3.2, At: time.Now().Add(-time.Minute)}}
	}, func(h *house) {
		h.pass(40 * time.Second)
		if got := h.course("pv_energy") + h.course("pv_energy_today"); got != "" {
			t.Errorf("shown: %s", got)
		}
		h.hold(50, 33, 53549)
		h.pass(2 * time.Second)
		if got := h.course("pv_energy") + " " + h.course("pv_energy_today"); got != "5354.9 3.3" {
			t.Errorf("shown: %s", got)
		}
	})
}
