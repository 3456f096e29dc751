package sim

import (
	"encoding/binary"

	"solarhub/protocol"
)

// RTU is unit id and checksum around the PDU. Source: MODBUS over Serial Line V1.02, 2.5.1.
var RTU Framing = rtuFraming{manners{name: "rtu", checked: true, serial: true, wire: true, gaps: true}}

type rtuFraming struct{ manners }

const mostRTU = 1 + mostPDU + 2

func (rtuFraming) next(b []byte, silent bool) (f frame, noise, size int, err error) {
	f, noise, size = nextRTU(b, silent)
	return f, noise, size, nil
}

func (rtuFraming) encode(r frame) []byte {
	b := append([]byte{byte(r.unit)}, r.pdu...)
	return binary.LittleEndian.AppendUint16(b, checksum(b))
}

// checksum is CRC-16 with the reflected polynomial 0xA001, bit by bit: a second opinion on the tables of others.
// Source: MODBUS over Serial Line V1.02, 6.2.2.
func checksum(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc = carryOn(crc, c)
	}
	return crc
}

func carryOn(crc uint16, c byte) uint16 {
	crc ^= uint16(c)
	for range 8 {
		low := crc & 1
		crc = crc>>1 ^ 0xA001*low
	}
	return crc
}

// nextRTU cuts the first request out of b. It returns how many bytes in front of it are noise, and its length, 0 if
// there is none yet; noise is counted then, too. With silent no more bytes are coming: what is not whole is noise.
func nextRTU(b []byte, silent bool) (f frame, noise, size int) {
	open := len(b) // where a request may begin whose end cannot be told by its function
	for i := range b {
		rest := b[i:]
		size, known := lengthRTU(rest)
		switch {
		case known && size > 0 && size <= mostRTU && len(rest) >= size:
			if intact(rest[:size]) {
				return cutRTU(rest, size), i, size
			}
		case silent && !known && mayBegin(rest):
			if size = anyLength(rest); size > 0 {
				return cutRTU(rest, size), i, size
			}
		case !silent && known && size <= mostRTU:
			return frame{}, min(open, i), 0
		case !silent && !known && mayBegin(rest):
			// A sound request with a known function behind it goes first: this is more likely to be noise.
			open = min(open, i)
		}
	}
	return frame{}, open, 0
}

func cutRTU(b []byte, size int) frame {
	return frame{unit: protocol.UnitID(b[0]), pdu: b[1 : size-2], adu: b[:size]}
}

// intact reports whether the last two bytes are the checksum of the others.
func intact(b []byte) bool {
	return len(b) >= 4 && checksum(b[:len(b)-2]) == binary.LittleEndian.Uint16(b[len(b)-2:])
}

// lengthRTU returns the length of the request that b begins with, 0 if more bytes are needed to tell, and whether its
// function tells it at all.
func lengthRTU(b []byte) (size int, known bool) {
	if len(b) < 2 {
		return 0, false
	}
	kind, known := kinds[b[1]]
	switch {
	case !known:
		return 0, false
	case kind.op != protocol.WriteMultiple:
		return 8, true
	case len(b) < 7:
		return 0, true
	}
	return 9 + int(b[6]), true
}

// mayBegin reports whether a request of a function without a known length may begin with b. Source of the functions'
// range: MODBUS Application Protocol V1.1b3, 4.1.
func mayBegin(b []byte) bool {
	return len(b) < 2 || b[1] >= 1 && b[1] <= 127 && len(b) < mostRTU
}

// anyLength finds the end of a request whose function does not tell its length: where a checksum fits. Up to 1 in 65536
// of such finds is a coincidence.
func anyLength(b []byte) int {
	crc, found := uint16(0xFFFF), 0
	for i, c := range b[:min(len(b), mostRTU)] {
		// A checksum carried on over itself is 0.
		if crc = carryOn(crc, c); crc == 0 && i >= 3 {
			found = i + 1
		}
	}
	return found
}
