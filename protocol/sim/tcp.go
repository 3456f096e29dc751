package sim

import (
	"encoding/binary"
	"fmt"

	"solarhub/protocol"
)

// TCP is a header with transaction id and length. Source: MODBUS Messaging on TCP/IP V1.0b, 3.1.3.
var TCP Framing = tcpFraming{manners{name: "tcp", numbered: true, envelope: headerTCP - 3}}

type tcpFraming struct{ manners }

const headerTCP = 7 // transaction, protocol, length, unit

func (tcpFraming) next(b []byte, _ bool) (f frame, noise, size int, err error) {
	f, size, err = nextTCP(b)
	return f, 0, size, err
}

func (tcpFraming) encode(r frame) []byte {
	b := binary.BigEndian.AppendUint16(nil, r.transaction)
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(1+len(r.pdu)))
	return append(append(b, byte(r.unit)), r.pdu...)
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
