package devices

import (
	"slices"
	"testing"
	"time"

	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// A number can be a serial number; one with all bits alike is none.
func TestNumericSerial(t *testing.T) {
	for _, c := range []struct {
		words []uint16
		id    string // empty: it gives none
	}{
		{[]uint16{0x7EF6, 0x8A21}, "2130086433"}, {[]uint16{0, 0}, ""}, {[]uint16{0xFFFF, 0xFFFF}, ""},
		{[]uint16{0, 16690}, "16690"},
	} {
		polled(t, func(h *house) {
			h.cfg.Profile = houseWith(t, "serial: {at: 3, type: text, length: 5}", "serial: {at: 3, type: u32}")
			h.unit.Set(protocol.HoldingRegister, 3, c.words...)
		}, func(h *house) {
			h.pass(5 * time.Second)
			if s := h.device.Status(); s.Identity.Serial != c.id || s.Identified != (c.id != "") {
				t.Errorf("%04X: %+v", c.words, s)
			}
		})
	}
}

// A number of another device at the same place is another device, as a text is.
func TestAnotherNumericSerial(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Profile = houseWith(t, "serial: {at: 3, type: text, length: 5}", "serial: {at: 3, type: u32}")
		h.unit.Set(protocol.HoldingRegister, 3, 0x7EF6, 0x8A21)
		h.cfg.Known = &Identity{Serial: "2130086434", Traits: "lv"}
	}, func(h *house) {
		if s := h.device.Status(); s.Online || s.Identified {
			t.Errorf("%+v", s)
		}
	})
}

// The hour and minute leave in one request, and flags beside a time stay.
func TestTimesAsTheyAre(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Profile = houseWith(t, "at: 206, time: decimal", "at: 206, time: packed, mask: 0x1FFF",
			"{key: hidden, name: Hidden, at: 120, type: u16, every: now,",
			"{key: hidden, name: Hidden, at: 210, type: u32, time: hour_minute, every: now, show: true, write: {},")
		h.unit.Set(protocol.HoldingRegister, 206, 0xAE1E)
		h.unit.Set(protocol.HoldingRegister, 210, 23, 30)
	}, func(h *house) {
		if got := h.sink.last("window_start").Value.String(); got != "14:30" {
			t.Errorf("shown %s", got)
		}
		if got := h.sink.last("hidden").Value.String(); got != "23:30" {
			t.Errorf("shown %s", got)
		}
		if _, err := h.write("window_start", "06:05"); err != nil || h.word(206) != 0xA605 {
			t.Errorf("%v; the inverter holds %04X", err, h.word(206))
		}
		from := h.line.Journal().Last()
		if _, err := h.write("hidden", "05:00"); err != nil {
			t.Error(err)
		}
		writes := h.writes(from)
		if len(writes) != 1 || !slices.Equal(writes[0].Words, []uint16{5, 0}) {
			t.Errorf("writes %+v", writes)
		}
		h.unit.Set(protocol.HoldingRegister, 210, 99, 30)
		h.pass(5 * time.Second)
		if got := h.sink.last("hidden").Value.String(); got != "unknown" {
			t.Errorf("99 is shown as %s", got)
		}
	})
}

// shown returns the entity of a point as the host is told of it now.
func (h *house) shown(key string) Entity {
	all := h.device.Entities()
	i := slices.IndexFunc(all, func(e Entity) bool { return e.Key == key })
	if i < 0 {
		h.t.Fatalf("%s is no entity", key)
	}
	return all[i]
}

// What the device itself held can be written back, and nothing else beyond the limits.
func TestWhatTheDeviceHeldIsRestored(t *testing.T) {
	polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 200, 350) }, func(h *house) {
		if e := h.shown("current_max"); e.Min != 0 || e.Max != 350 || h.device.Widened() != 1 {
			t.Errorf("shown %v..%v, widened %d times", e.Min, e.Max, h.device.Widened())
		}
		for _, value := range []float64{100, 350, 185, 350.0000000001} {
			if _, err := h.write("current_max", value); err != nil {
				t.Errorf("%v: %v", value, err)
			}
		}
		if h.word(200) != 350 {
			t.Errorf("the inverter holds %d", h.word(200))
		}
		for _, value := range []float64{349, 351, 186, 250} {
			if e := h.refusal("current_max", value); e.Code != write.CodeOutOfRange || e.Fields["max"] != "185" {
				t.Errorf("%v: %s %v", value, e.Code, e.Fields)
			}
		}
	})
}

// The proof outlives a restart, and another device has none.
func TestWhatTheDeviceHeldOutlivesARestart(t *testing.T) {
	var learned Learned
	polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 200, 350) },
		func(h *house) { learned = h.device.Learned() })
	for _, serial := range []string{"SN00000001", "SN00000002"} {
		polled(t, func(h *house) {
			h.cfg.Learned = learned
			h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "lv"}
			setSerial(h.unit, serial)
		}, func(h *house) {
			if e := h.shown("current_max"); e.Max != 350 {
				t.Errorf("shown up to %v", e.Max)
			}
			if serial != "SN00000001" {
				h.device.Forget()
				h.pass(10 * time.Second)
				e := h.refusal("current_max", 350.0)
				if e.Code != write.CodeOutOfRange || h.shown("current_max").Max != 185 {
					t.Errorf("%s: %v", e.Code, e)
				}
				return
			}
			if _, err := h.write("current_max", 350.0); err != nil || h.word(200) != 350 {
				t.Errorf("%v; the inverter holds %d", err, h.word(200))
			}
		})
	}
}

// A number by which devices say that they have none is no proof, and only the newest of many are kept.
func TestWhatIsNoProof(t *testing.T) {
	polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 200, 0xFFFF) }, func(h *house) {
		for raw := uint16(0x7FFF); raw <= 0x8000; raw++ {
			h.unit.Set(protocol.HoldingRegister, 200, raw)
			_, _ = h.device.Read(h.ctx, "current_max")
		}
		if held := h.device.Learned().Held; len(held) != 0 {
			t.Errorf("held %v", held)
		}
		for raw := range uint16(20) {
			h.unit.Set(protocol.HoldingRegister, 200, 300+raw)
			_, _ = h.device.Read(h.ctx, "current_max")
		}
		if held := h.device.Learned().Held["current_max"]; len(held) != 8 || held[0].Num != 312 {
			t.Errorf("held %v", held)
		}
	})
}

// A raw number that nobody knows is shown as what it is, and is written back only where the device held it.
func TestUnlistedOptions(t *testing.T) {
	polled(t, func(h *house) {
		h.unit.Set(protocol.HoldingRegister, 204, 10)
		h.unit.Set(protocol.HoldingRegister, 101, 7)
	}, func(h *house) {
		for key, want := range map[string]string{"mode": "10 (unknown)", "status": "7 (unknown)"} {
			e := h.shown(key)
			if got := h.sink.last(key).Value.Any(); got != want || !slices.Contains(e.Options, want) ||
				len(e.Options) != len(e.Labels) || e.Labels[2] != want {
				t.Errorf("%s is %v of %v, %v", key, got, e.Options, e.Labels)
			}
		}
		for _, value := range []string{"selling_first", "10 (unknown)"} {
			if _, err := h.write("mode", value); err != nil {
				t.Errorf("%s: %v", value, err)
			}
		}
		if h.word(204) != 10 {
			t.Errorf("the inverter holds %d", h.word(204))
		}
		for _, value := range []string{"11 (unknown)", "1 (unknown)", "70000 (unknown)", "010 (unknown)", "10"} {
			if e := h.refusal("mode", value); e.Code != write.CodeUnknownOption ||
				e.Fields["options"] != "selling_first, own_use_first" {
				t.Errorf("%s: %s %v", value, e.Code, e.Fields)
			}
		}
	})
}

// A window that ends at 24:00 can end there again; elsewhere nothing says that the device takes it.
func TestEndOfDayIsRestored(t *testing.T) {
	for held, ok := range map[uint16]bool{2400: true, 2300: false} {
		polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 206, held) }, func(h *house) {
			if _, err := h.write("window_start", "06:00"); err != nil {
				t.Fatal(err)
			}
			_, err := h.write("window_start", "24:00")
			if (err == nil) != ok || ok != (h.word(206) == 2400) {
				t.Errorf("%v; the inverter holds %d", err, h.word(206))
			}
		})
	}
}

// The words by which a host says that it has no value are no value of anything.
func TestTheWordsForNoValueAreNeverWritten(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Profile = houseWith(t, "{key: hidden, name: Hidden, at: 120, type: u16, every: now,",
			"{key: hidden, name: Hidden, at: 120, type: text, length: 8, write: {},")
		h.unit.Set(protocol.HoldingRegister, 120, make([]uint16, 8)...)
	}, func(h *house) {
		for _, key := range []string{"hidden", "window_start", "current_max", "mode", "charging"} {
			for _, value := range []string{"unknown", "unavailable"} {
				e := h.refusal(key, value)
				if e.Code != write.CodeWrongType && e.Code != write.CodeUnknownOption || e.Fields["value"] != value {
					t.Errorf("%s: %s %v", key, e.Code, e.Fields)
				}
			}
		}
		if n := len(h.writes(0)); n != 0 {
			t.Errorf("%d writes", n)
		}
	})
}

// A device whose values cannot be true since it was identified is identified anew: its order of words may be another.
func TestTheOrderIsAskedForAgain(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Profile = houseWith(t, "traits:\n", "traits:\n  byte_order: {at: 1, values: {little: 0, big: 1}}\n",
			"{key: hidden, name: Hidden, at: 120, type: u16, every: now,",
			"{key: hidden, name: Hidden, at: 120, type: f32, order: {little: cdab, big: abcd}, unit: W, class: power, "+
				"every: now, show: true,")
		h.unit.Set(protocol.HoldingRegister, 120, 0x5000, 0x449A)
	}, func(h *house) {
		h.pass(2 * time.Minute)
		h.unit.Set(protocol.HoldingRegister, 1, 1)
		h.unit.Set(protocol.HoldingRegister, 120, 0x449A, 0x5000)
		h.pass(time.Minute)
		if got := slices.Compact(h.sink.of("hidden")); !slices.Equal(got, []string{"1234.5"}) &&
			!slices.Equal(got, []string{"1234.5", "unknown", "1234.5"}) {
			t.Errorf("shown %v", got)
		}
		from := h.line.Journal().Last()
		h.unit.Set(protocol.HoldingRegister, 120, 0x5000, 0x449A) // and no register tells it
		h.pass(10 * time.Minute)
		identified := slices.DeleteFunc(h.line.Journal().Since(from),
			func(e sim.Exchange) bool { return e.Range.Addr != 0 })
		if got := h.sink.last("hidden").Value.String(); got != "unknown" || len(identified) > 11 {
			t.Errorf("shown %v after %d identifications", got, len(identified))
		}
	})
}
