package sim

import (
	"encoding/binary"

	"solarhub/protocol"
)

// A Solarman V5 frame: A5, length of the payload, control code, sequence, serial number, payload, sum, 15. All of it is
// little endian but the RTU frame that ends the payload. Source: jmccrohan/pysolarmanv5, docs/solarmanv5_protocol.rst.
const (
	headV5    = 11 // in front of the payload
	aroundV5  = 13 // all but the payload
	beforeRTU = 15 // bytes of a request's payload in front of the RTU frame
	longestV5 = 1024

	requestV5 = 0x4510
	answerV5  = 0x1510
	beatV5    = 0x4710

	silentV5 = 5 // the code of a stick whose inverter is silent. Source: jmccrohan/pysolarmanv5 #48
	otherV5  = 6 // and of one that is asked with another serial number. Source: jmccrohan/pysolarmanv5 #14
)

// v5Framing is a stick's frames around RTU. Its replies may have other frames beside them.
type v5Framing struct {
	manners
	stick *stick
}

func (f v5Framing) next(b []byte, _ bool) (r frame, noise, size int, err error) {
	for noise = range b {
		v, size, whole := cutV5(b[noise:])
		switch {
		case size > 0 && !whole:
			return frame{}, noise, 0, nil
		case size == 0 || v.code != requestV5 || !intact(v.behind(beforeRTU)):
			continue
		}
		rtu := v.behind(beforeRTU)
		return frame{transaction: uint16(v.sequence), unit: protocol.UnitID(rtu[0]), pdu: rtu[1 : len(rtu)-2],
			adu: b[noise : noise+size]}, noise, size, nil
	}
	return frame{}, len(b), 0, nil
}

func (f v5Framing) encode(r frame) []byte {
	s := f.stick
	s.mu.Lock()
	defer s.mu.Unlock()
	rtu := RTU.encode(r)
	if s.oddly() {
		rtu = append(rtu, 0, 0) // a checksum over a checksum
	}
	var b []byte
	if s.oddly() {
		b = append(b, s.another()...)
	}
	b = append(b, s.answer(byte(r.transaction), rtu)...)
	if s.oddly() {
		b = append(b, s.another()...)
	}
	return b
}

// v5 is a frame.
type v5 struct {
	code     uint16
	sequence byte
	serial   uint32
	payload  []byte
}

// cutV5 cuts the frame that b begins with. Its size is 0 if none does.
func cutV5(b []byte) (v v5, size int, whole bool) {
	if b[0] != 0xA5 {
		return v, 0, false
	}
	if len(b) < headV5 {
		return v, headV5, false
	}
	n := int(binary.LittleEndian.Uint16(b[1:]))
	if size = aroundV5 + n; n > longestV5 || b[3] != 0x10 {
		return v, 0, false
	}
	if len(b) < size {
		return v, size, false
	}
	if b[size-1] != 0x15 || b[size-2] != sumV5(b[:size-2]) {
		return v, 0, false
	}
	v = v5{binary.LittleEndian.Uint16(b[3:]), b[5], binary.LittleEndian.Uint32(b[7:]), b[headV5 : size-2]}
	return v, size, true
}

// behind returns the payload from a byte on.
func (v v5) behind(n int) []byte { return v.payload[min(n, len(v.payload)):] }

func sumV5(b []byte) (sum byte) {
	for _, c := range b[1:] {
		sum += c
	}
	return sum
}
