package devices

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// wakes are the ways in which a device that has just woken up gives no serial number.
var wakes = map[string]func(h *house){
	"zeros":     func(h *house) { setSerial(h.unit, "0000000000") },
	"blank":     func(h *house) { setSerial(h.unit, "          ") },
	"NULs":      func(h *house) { setSerial(h.unit, strings.Repeat("\x00", 10)) },
	"0xFFFF":    func(h *house) { setSerial(h.unit, strings.Repeat("\xFF", 10)) },
	"exception": refuseSerial(2),
	"failure":   refuseSerial(4),
}

func refuseSerial(code uint8) func(h *house) {
	return func(h *house) {
		h.fault(sim.Fault{Match: sim.Match{Range: protocol.Range{Addr: 3, Count: 5}}, Kind: sim.Exception, Code: code})
	}
}

// A known device that gives no serial number yet is read, and not written to until it gives it.
func TestSerialNumberIsWaitedFor(t *testing.T) {
	for name, wake := range wakes {
		for _, id := range []string{"", "shed"} {
			t.Run(fmt.Sprint(name, " ", id), func(t *testing.T) {
				inHouse(t, func(h *house) {
					h.cfg.ID = id
					h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "lv", Version: "0"}
				}, func(h *house) {
					wake(h)
					h.running.Go(func() { _ = h.device.Run(h.ctx) })
					h.unit.Set(protocol.HoldingRegister, 100, 4711)
					h.pass(10 * time.Second)
					s := h.device.Status()
					if !s.Online || !s.Unproven || h.device.ID() != "SN00000001" ||
						h.sink.last("power").Value.Num != 4711 {
						t.Fatalf("status %+v, power %v", s, h.sink.last("power").Value)
					}
					e := h.refusal("current_max", 10.0)
					if e.Code != write.CodeNotIdentified || len(h.writes(0)) != 0 ||
						!strings.Contains(e.Error(), "no serial number at the moment") {
						t.Errorf("%s: %v", e.Code, e)
					}
					h.fault()
					setSerial(h.unit, "SN00000001")
					if _, err := h.write("current_max", 10.0); err != nil {
						t.Errorf("the number is back: %v", err)
					}
				})
			})
		}
	}
}

// The number is asked for again though nobody writes, and the values are not all read anew for it.
func TestSerialNumberComesBack(t *testing.T) {
	polled(t, nil, func(h *house) {
		setSerial(h.unit, "0000000000")
		h.hangUp()
		h.pass(time.Minute)
		if s := h.device.Status(); !s.Online || !s.Unproven {
			t.Fatalf("status %+v", s)
		}
		since := h.line.Journal().Last()
		h.pass(time.Minute)
		if n := len(h.reads(since, 20)); n > 0 {
			t.Errorf("what is read once was read %d times more", n)
		}
		setSerial(h.unit, "SN00000001")
		h.pass(15 * time.Second)
		if s := h.device.Status(); !s.Online || s.Unproven || s.Reason != "" {
			t.Errorf("the number is back, but %+v", s)
		}
	})
}

// Whoever gives no serial number for long, or is otherwise not as the device was, is not believed.
func TestSerialNumberIsNotWaitedForWithoutEnd(t *testing.T) {
	polled(t, nil, func(h *house) {
		setSerial(h.unit, "0000000000")
		h.hangUp()
		h.pass(serialWithin - time.Minute)
		if s := h.device.Status(); !s.Online {
			t.Errorf("status %+v", s)
		}
		h.pass(2 * time.Minute)
		if s := h.device.Status(); s.Online || !strings.HasPrefix(s.Reason, "unit 1 gives no serial number") {
			t.Errorf("status %+v", s)
		}
		h.pass(3 * time.Hour)
		if s := h.device.Status(); s.Online {
			t.Errorf("it began anew: %+v", s)
		}
		setSerial(h.unit, "SN00000001")
		h.pass(20 * time.Minute)
		if s := h.device.Status(); !s.Online || s.Unproven {
			t.Errorf("the number is back, but %+v", s)
		}
	})
	polled(t, nil, func(h *house) {
		setSerial(h.unit, "0000000000")
		h.unit.Set(protocol.HoldingRegister, 0, 6)
		h.hangUp()
		h.pass(10 * time.Second)
		if s := h.device.Status(); s.Online || s.Identity.Traits != "lv" {
			t.Errorf("another kind: %+v", s)
		}
	})
}
