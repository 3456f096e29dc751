package sim

import (
	"bytes"
	"encoding/binary"

	"solarhub/protocol"
)

// A frame of a GivEnergy dongle: 59 59 00 01, length of the rest, 01, kind, serial number of the dongle; of kind 2
// behind it the length of the rest in 8 bytes, then unit id, function, of answers a serial number, register, count or
// value, registers and a checksum. Source: dewet22/givenergy-modbus (framer.py, pdu).
type givFraming struct {
	manners
	*dongle
}

// GivEnergy is the framing of a dongle of GivEnergy. It takes requests for any serial number.
func GivEnergy(d Dongle) Framing {
	return givFraming{manners{name: "givenergy", checked: true, serial: true, envelope: 26, unsound: 26}, newDongle(d)}
}

var givStart = []byte{0x59, 0x59, 0, 1}

func (f givFraming) next(b []byte, _ bool) (r frame, noise, size int, err error) {
	for noise = range b {
		rest := b[noise:]
		if !bytes.HasPrefix(rest, givStart) && !bytes.HasPrefix(givStart, rest) {
			continue
		}
		if len(rest) < 6 {
			return frame{}, noise, 0, nil
		}
		size = 6 + int(binary.BigEndian.Uint16(rest[4:]))
		if size > 300 {
			continue
		}
		if len(rest) < size {
			return frame{}, noise, 0, nil
		}
		if size >= 34 && rest[7] == 2 && intact(rest[26:size]) {
			return frame{unit: protocol.UnitID(rest[26]), pdu: rest[27 : size-2], adu: rest[:size]}, noise, size, nil
		}
	}
	return frame{}, len(b), 0, nil
}

func (f givFraming) encode(r frame) []byte {
	asked := r.asked[27:]
	reply := f.reply(r.unit, r.pdu, asked)
	return f.beside(reply, f.beat, func() []byte { // the cloud asks for other registers
		other := bytes.Clone(asked)
		binary.BigEndian.PutUint16(other[1:], addrOf(asked)+1000)
		return f.reply(r.unit, r.pdu, other)
	}, func() []byte { // the dongle has no answer
		return f.frame(2, f.inner([]byte{byte(r.unit), 0, 0, 0, 0, 0}))
	}, func() []byte { // a frame whose end is missing. Source: 4 of 3,106 in givenergy-modbus's captures
		b := f.reply(r.unit, r.pdu, asked)
		clear(b[len(b)-4:])
		return b
	})
}

func (f givFraming) reply(unit protocol.UnitID, pdu, asked []byte) []byte {
	b := append([]byte{byte(unit), pdu[0]}, tenOf(f.Inverter)...)
	b = binary.BigEndian.AppendUint16(b, addrOf(asked))
	switch {
	case pdu[0]&0x80 != 0: // it has no code
		b = binary.BigEndian.AppendUint16(b, countOf(asked))
	case pdu[0] <= 4:
		b = append(binary.BigEndian.AppendUint16(b, uint16(pdu[1]/2)), pdu[2:]...)
	case len(pdu) >= 5:
		b = append(b, pdu[3:5]...)
	}
	return f.frame(2, f.inner(b))
}

// inner puts the length in front of what a frame is about, and the checksum behind it.
func (f givFraming) inner(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, checksum(b))
	return append(binary.BigEndian.AppendUint64(nil, uint64(len(b))), b...)
}

// beat is the sign of life.
func (f givFraming) beat() []byte { return f.frame(1, []byte{1}) }

func (f givFraming) frame(kind byte, rest []byte) []byte {
	b := binary.BigEndian.AppendUint16(bytes.Clone(givStart), uint16(12+len(rest)))
	b = append(b, 1, kind)
	return append(append(b, tenOf(f.Serial)...), rest...)
}
