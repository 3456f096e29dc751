package devices

import (
	"slices"
	"testing"
	"time"

	"solarhub/protocol"
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
