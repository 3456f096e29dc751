package devices

import (
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// A device that was replaced is refused with a sentence that says what to do, and its successor goes on with its id.
func TestReplaced(t *testing.T) {
	polled(t, nil, func(h *house) {
		err := h.device.Replace(h.ctx, "SN00000002")
		if err == nil || !strings.Contains(err.Error(), "not been replaced") {
			t.Errorf("there is no other: %v", err)
		}
		setSerial(h.unit, "SN00000002")
		h.unit.Set(protocol.HoldingRegister, 0, 6)
		h.unit.Set(protocol.HoldingRegister, 100, 4711)
		h.hangUp()
		h.pass(10 * time.Second)
		s := h.device.Status()
		if s.Online || s.Stranger != "SN00000002" ||
			!strings.Contains(s.Reason, "`solarhub replace SN00000001 SN00000002`") {
			t.Errorf("status %+v", s)
		}
		if err := h.device.Replace(h.ctx, "SN00000003"); err == nil || h.device.Status().Online {
			t.Errorf("a third one was taken: %v", err)
		}
		if err := h.device.Replace(h.ctx, "SN00000002"); err != nil {
			t.Fatal(err)
		}
		h.pass(10 * time.Second)
		s = h.device.Status()
		taken := Identity{Serial: "SN00000002", As: "SN00000001", Traits: "hv", Version: s.Identity.Version}
		if !s.Online || s.Stranger != "" || s.Identity != taken || h.device.ID() != "SN00000001" ||
			h.sink.last("power").Value.Num != 4711 {
			t.Errorf("taken over, but %+v", s)
		}
		if _, err := h.write("voltage_max", 400.0); err != nil {
			t.Error(err)
		}
		h.hangUp()
		h.pass(10 * time.Second)
		if s := h.device.Status(); !s.Online || h.device.ID() != "SN00000001" {
			t.Errorf("on the next connection: %+v", s)
		}
		setSerial(h.unit, "SN00000001") // it was repaired
		h.hangUp()
		h.pass(6 * time.Minute) // the third hang-up in a row: connections of such a server count as one for a while
		if err := h.device.Replace(h.ctx, "SN00000001"); err != nil || h.device.Identity().As != "" ||
			h.device.ID() != "SN00000001" {
			t.Errorf("back: %v, %+v", err, h.device.Status())
		}
	})
}

// What has replaced another device has its id at any other address too, and after it was forgotten takes its own.
func TestReplacedAndMoved(t *testing.T) {
	polled(t, func(h *house) { h.cfg.Replaced = map[string]string{"SN00000001": "SN00000000"} }, func(h *house) {
		if id := h.device.ID(); id != "SN00000000" {
			t.Errorf("the id is %s", id)
		}
	})
}

// Forget takes whoever answers, as at the first start.
func TestForget(t *testing.T) {
	polled(t, nil, func(h *house) {
		setSerial(h.unit, "SN00000002")
		h.hangUp()
		h.pass(10 * time.Second)
		h.device.Forget()
		h.pass(time.Minute)
		if s := h.device.Status(); !s.Online || h.device.ID() != "SN00000002" || s.Identity.As != "" {
			t.Errorf("forgotten, but %+v", s)
		}
	})
}

// Without a serial number the model tells devices apart.
func TestModelGuardsAnIDOfTheConfiguration(t *testing.T) {
	polled(t, func(h *house) {
		h.cfg.Profile = houseWith(t, "version: {at: 2, type: u16}", "model: {at: 120, type: u16}")
		h.cfg.ID = "shed"
		h.unit.Set(protocol.HoldingRegister, 120, 7)
		setSerial(h.unit, "0000000000")
	}, func(h *house) {
		if s := h.device.Status(); !s.Online || h.device.ID() != "shed" {
			t.Fatalf("status %+v", s)
		}
		h.unit.Set(protocol.HoldingRegister, 120, 8)
		h.hangUp()
		h.pass(10 * time.Second)
		if s := h.device.Status(); s.Online || !strings.Contains(s.Reason, `its model is "8", not "7"`) {
			t.Errorf("another model: %+v", s)
		}
	})
}
