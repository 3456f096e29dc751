package sim

import (
	"encoding/binary"
)

// A frame of a LuxPower dongle: A1 1A, protocol, length of the rest, 01, kind, serial number of the dongle; of kind C2
// behind it the length of the rest, 00 or 01, function, serial number of the inverter, register, data and a checksum.
// All of it is little endian. Source: celsworth/lxp-bridge (packet.rs), joyfulhouse/pylxpweb (dongle.py).
type luxFraming struct {
	manners
	*dongle
}

// LuxPower is the framing of a dongle of LuxPower or EG4, which knows its inverters by their serial numbers.
func LuxPower(d Dongle) Framing {
	return luxFraming{manners{name: "luxpower", checked: true, serial: true, envelope: 30, unsound: 20}, newDongle(d)}
}

func (f luxFraming) next(b []byte, _ bool) (r frame, noise, size int, err error) {
	for noise = range b {
		rest := b[noise:]
		if rest[0] != 0xA1 || len(rest) > 1 && rest[1] != 0x1A {
			continue
		}
		if len(rest) < 6 {
			return frame{}, noise, 0, nil
		}
		size = 6 + int(binary.LittleEndian.Uint16(rest[4:]))
		if size > 300 {
			continue
		}
		if len(rest) < size {
			return frame{}, noise, 0, nil
		}
		if pdu := f.pduIn(rest[:size]); pdu != nil {
			return frame{unit: f.unitOf(rest[22:32]), pdu: pdu, adu: rest[:size]}, noise, size, nil
		}
	}
	return frame{}, len(b), 0, nil
}

// pduIn returns the request in a frame, nil if there is none that is sound and for this dongle.
func (f luxFraming) pduIn(b []byte) []byte {
	dongle := string(b[8:min(18, len(b))])
	if len(b) < 38 || b[7] != 0xC2 || !intact(b[20:]) || dongle != string(tenOf(f.Serial)) && dongle[0] != 0 {
		return nil
	}
	pdu := []byte{b[21], b[33], b[32]}
	data := b[34 : len(b)-2]
	pdu = append(pdu, data[1], data[0])
	if len(data) > 2 {
		pdu = append(append(pdu, data[2]), turned(data[3:])...)
	}
	return pdu
}

// turned returns registers with their bytes the other way round.
func turned(data []byte) []byte {
	b := append([]byte(nil), data...)
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
	return b
}

func (f luxFraming) encode(r frame) []byte {
	asked := f.pduIn(r.asked)
	data := r.pdu[1:]
	switch {
	case r.pdu[0]&0x80 != 0:
	case r.pdu[0] <= 4:
		data = append([]byte{data[0]}, turned(data[1:])...)
	default:
		data = turned(data[2:]) // the register stands in front of it
	}
	reply := f.modbus(f.serialOf(r.unit), r.pdu[0], addrOf(asked), data)
	return f.beside(reply, f.beat, func() []byte { // the cloud asks for other registers
		return f.modbus(f.serialOf(1), 4, addrOf(asked)+1000, []byte{2, 1, 2})
	}, func() []byte { // or somebody else's inverter sends a block unasked
		return f.modbus(f.serialOf(9), r.pdu[0], addrOf(asked), data)
	})
}

// beat is the sign of life.
func (f luxFraming) beat() []byte { return f.frame(2, 0xC1, []byte{0}) }

func (f luxFraming) modbus(inverter []byte, function byte, addr uint16, data []byte) []byte {
	b := append([]byte{1, function}, inverter...)
	b = append(binary.LittleEndian.AppendUint16(b, addr), data...)
	b = binary.LittleEndian.AppendUint16(b, checksum(b))
	return f.frame(5, 0xC2, append(binary.LittleEndian.AppendUint16(nil, uint16(len(b))), b...))
}

func (f luxFraming) frame(version, kind byte, rest []byte) []byte {
	b := []byte{0xA1, 0x1A, version, 0}
	b = binary.LittleEndian.AppendUint16(b, uint16(12+len(rest)))
	b = append(b, 1, kind)
	return append(append(b, tenOf(f.Serial)...), rest...)
}
