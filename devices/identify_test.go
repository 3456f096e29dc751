package devices

import (
	"strings"
	"testing"
	"time"

	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

func setSerial(u *sim.Unit, serial string) {
	for i := 0; i < 10; i += 2 {
		u.Set(protocol.HoldingRegister, uint16(3+i/2), uint16(serial[i])<<8|uint16(serial[i+1]))
	}
}

func TestIdentified(t *testing.T) {
	polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 2, 0x104) }, func(h *house) {
		told := h.sink.told()
		if len(told) != 1 || !told[0].Online || !told[0].Identified || told[0].Reason != "" {
			t.Fatalf("told %+v", told)
		}
		want := Identity{Serial: "SN00000001", Traits: "lv", Version: "260"}
		if told[0].Identity != want || h.device.ID() != want.Serial || len(h.device.Points()) != 15 {
			t.Errorf("identity %+v", told[0].Identity)
		}
		first := h.line.Journal().Since(0)[0]
		if first.Range != (protocol.Range{Addr: 0, Count: 8}) {
			t.Errorf("the first read was %v, not the identification in one go", first)
		}
	})
}

// The variant decides the scale of what is written: 54 V is 5400 in one and 540 in the other.
func TestVariantIsReadAndNeverGuessed(t *testing.T) {
	polled(t, func(h *house) { h.unit.Set(protocol.HoldingRegister, 0, 6) }, func(h *house) {
		if e := h.refusal("voltage_max", 54.0); e.Code != write.CodeOutOfRange || e.Fields["min"] != "160" {
			t.Errorf("%s %v", e.Code, e.Fields)
		}
		if _, err := h.write("voltage_max", 400.0); err != nil || h.word(201) != 4000 {
			t.Errorf("%v; the inverter holds %d", err, h.word(201))
		}
	})
}

func TestNotTheDevice(t *testing.T) {
	known := &Identity{Serial: "SN00000001", Traits: "lv"}
	for name, c := range map[string]struct {
		set    func(h *house)
		reason string
		code   string
	}{
		"wrong kind": {func(h *house) { h.unit.Set(protocol.HoldingRegister, 0, 3) },
			"unit 1 is no House inverter: its kind is 3, accepted are 5, 6", write.CodeNotIdentified},
		"wrong kind of a known device": {func(h *house) {
			h.cfg.Known = known
			h.unit.Set(protocol.HoldingRegister, 0,
				3)
		},
			"unit 1 is no House inverter", write.CodeNotIdentified},
		"another serial number": {func(h *house) { h.cfg.Known = known; setSerial(h.unit, "SN00000002") },
			"another device answers at unit 1: its serial number is SN00000002, not SN00000001",
			write.CodeNotIdentified},
		"a serial number with a slash": {func(h *house) { setSerial(h.unit, "AB/0000001") },
			`unit 1 gives the serial number "AB/0000001", which cannot be its id ('/' is not allowed in it: `,
			write.CodeNotIdentified},
		"a serial number of zeros": {func(h *house) { setSerial(h.unit, "0000000000") },
			`unit 1 gives the serial number "0000000000", which cannot be its id (nothing but zeros`,
			write.CodeNotIdentified},
		"no serial number": {func(h *house) { h.unit.Set(protocol.HoldingRegister, 3, make([]uint16, 5)...) },
			"unit 1 gives no serial number (the device holds no text): give it an id: in the configuration",
			write.CodeNotIdentified},
	} {
		polled(t, c.set, func(h *house) {
			h.pass(10 * time.Second)
			s := h.device.Status()
			if s.Online || s.Identified || !strings.HasPrefix(s.Reason, c.reason) {
				t.Errorf("%s: status %+v", name, s)
			}
			e := h.refusal("current_max", 10.0)
			if e.Code != c.code || !strings.Contains(e.Error(), c.reason) || len(h.writes(0)) != 0 {
				t.Errorf("%s: %s %v, writes %v", name, e.Code, e, h.writes(0))
			}
			if n := len(h.sink.of("power")); n != 0 {
				t.Errorf("%s: %d values of somebody else were reported", name, n)
			}
		})
	}
}

// The id of the configuration counts where the device gives no serial number, or none that can be an id.
func TestIDOfTheConfiguration(t *testing.T) {
	for _, serial := range []string{"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "AB/0000001"} {
		polled(t, func(h *house) {
			h.cfg.ID = "shed"
			setSerial(h.unit, serial)
		}, func(h *house) {
			if _, err := h.write("current_max", 10.0); err != nil || h.device.ID() != "shed" {
				t.Errorf("%q: %q: %v", serial, h.device.ID(), err)
			}
		})
	}
}

// A serial number ends at its first NUL: what the device leaves behind it is no part of the id.
func TestSerialEndsAtItsNul(t *testing.T) {
	polled(t, func(h *house) { setSerial(h.unit, "SN12\x00\x07\x1B\xC0ab") }, func(h *house) {
		if s := h.device.Status(); !s.Identified || s.Identity.Serial != "SN12" {
			t.Errorf("status %+v", s)
		}
	})
}

// A device that is known from before has its entities at once, and still nothing is written before it has been
// identified.
func TestWriteIdentifiesFirst(t *testing.T) {
	inHouse(t, func(h *house) { h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "lv"} }, func(h *house) {
		if h.device.Status().Identified || len(h.device.Entities()) == 0 {
			t.Errorf("before: %+v", h.device.Status())
		}
		h.running.Go(func() { _ = h.device.writer.Run(h.ctx) }) // and nobody polls
		if _, err := h.write("current_max", 10.0); err != nil {
			t.Fatal(err)
		}
		if all := h.line.Journal().Since(0); all[0].Write() ||
			!all[0].Range.Contains(protocol.Range{Addr: 0, Count: 8}) {
			t.Errorf("first came %v", all[0])
		}
		if told := h.sink.told(); len(told) != 1 || !told[0].Identified {
			t.Errorf("told %+v", told)
		}
	})
}

func TestUnknownDeviceIsNotWritable(t *testing.T) {
	inHouse(t, nil, func(h *house) {
		if e := h.refusal("current_max", 10.0); e.Code != write.CodeNotIdentified || e.Stage != write.StageNotSent {
			t.Errorf("%s: %v", e.Code, e)
		}
		if h.device.ID() != "" || h.device.Points() != nil || h.device.Entities() != nil {
			t.Error("a device that was never seen has an id or points")
		}
	})
}

// Behind a new connection there may be another device: with the address of the first it must not get its values.
func TestIdentifiedAgainOnEachConnection(t *testing.T) {
	polled(t, nil, func(h *house) {
		setSerial(h.unit, "SN00000002")
		h.unit.Set(protocol.HoldingRegister, 100, 4711)
		h.hangUp()
		e := h.refusal("current_max", 10.0)
		if e.Code != write.CodeNotIdentified || len(h.writes(0)) != 0 {
			t.Errorf("%s: %v", e.Code, e)
		}
		h.pass(10 * time.Second)
		if s := h.device.Status(); s.Online || s.Identified || s.Identity.Serial != "SN00000001" {
			t.Errorf("status %+v", s)
		}
		if got := h.sink.last("power").Value.Num; got == 4711 {
			t.Error("a value of the other device was reported")
		}
		setSerial(h.unit, "SN00000001")
		h.pass(time.Minute)
		if s := h.device.Status(); !s.Online || h.sink.last("power").Value.Num != 4711 {
			t.Errorf("back, but %+v", s)
		}
	})
}

func TestPollNoticesANewConnection(t *testing.T) {
	polled(t, nil, func(h *house) {
		setSerial(h.unit, "SN00000002")
		h.unit.Set(protocol.HoldingRegister, 100, 4711)
		h.hangUp()
		h.pass(10 * time.Second)
		if s := h.device.Status(); s.Online || !strings.Contains(s.Reason, "another device") ||
			h.sink.last("power").Value.Num == 4711 {
			t.Errorf("status %+v, power %v", s, h.sink.last("power").Value)
		}
	})
}

// The cache may say another variant than the device: a version of the profile has moved a kind, or its firmware was
// changed. A value checked against the one is not written to the other, which has another scale.
func TestWriteIsCheckedAgainstTheVariantThatAnswers(t *testing.T) {
	inHouse(t, func(h *house) {
		h.cfg.Known = &Identity{Serial: "SN00000001", Traits: "lv"}
		h.unit.Set(protocol.HoldingRegister, 0, 6)
	}, func(h *house) {
		h.running.Go(func() { _ = h.device.writer.Run(h.ctx) })
		before := h.word(201)
		e := h.refusal("voltage_max", 54.0)
		if e.Code != write.CodeOutOfRange || e.Fields["min"] != "160" || h.word(201) != before ||
			len(h.writes(0)) != 0 {
			t.Errorf("%s %v; the inverter holds %d, writes %v", e.Code, e.Fields, h.word(201), h.writes(0))
		}
		if _, err := h.write("voltage_max", 400.0); err != nil || h.word(201) != 4000 {
			t.Errorf("%v; the inverter holds %d", err, h.word(201))
		}
	})
}
