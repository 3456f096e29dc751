package sim

import (
	"encoding/binary"
	"fmt"
	"time"

	"solarhub/protocol"
)

// Framing is how a PDU is wrapped for the line.
type Framing uint8

// The framings.
const (
	TCP Framing = iota // a header with transaction id and length. Source: MODBUS Messaging on TCP/IP V1.0b, 3.1.3
	RTU                // unit id and checksum. Source: MODBUS over Serial Line V1.02, 2.5.1
)

// String returns the word for messages: tcp, rtu.
func (f Framing) String() string {
	if f == TCP {
		return "tcp"
	}
	return "rtu"
}

const (
	headerTCP = 7   // transaction, protocol, length, unit
	mostPDU   = 253 // Source: MODBUS Application Protocol V1.1b3, 4.1
	mostRTU   = 1 + mostPDU + 2
)

// frame is a message between its times: a request that has been cut out of a stream, or a reply to be sent.
type frame struct {
	transaction uint16 // TCP only
	unit        protocol.UnitID
	pdu         []byte
	adu         []byte // as received
	at          time.Time
	arrived     time.Time
}

// encode wraps a frame.
func (f Framing) encode(r frame) []byte {
	if f == RTU {
		b := append([]byte{byte(r.unit)}, r.pdu...)
		return binary.LittleEndian.AppendUint16(b, checksum(b))
	}
	b := binary.BigEndian.AppendUint16(nil, r.transaction)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(r.pdu)))
	return append(append(b, byte(r.unit)), r.pdu...)
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

// nextTCP cuts the first request out of b and returns its length, 0 if more bytes are needed. An error means that the
// stream is not Modbus TCP and cannot be trusted any more.
func nextTCP(b []byte) (frame, int, error) {
	if len(b) < headerTCP {
		return frame{}, 0, nil
	}
	if id := binary.BigEndian.Uint16(b[2:]); id != 0 {
		return frame{}, 0, fmt.Errorf("not Modbus TCP: protocol id %d, not 0", id)
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length < 2 || length > 1+mostPDU {
		return frame{}, 0, fmt.Errorf("not Modbus TCP: length field %d, not 2..%d", length, 1+mostPDU)
	}
	size := headerTCP - 1 + length
	if len(b) < size {
		return frame{}, 0, nil
	}
	return frame{
		transaction: binary.BigEndian.Uint16(b),
		unit:        protocol.UnitID(b[6]),
		pdu:         b[headerTCP:size],
		adu:         b[:size],
	}, size, nil
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
