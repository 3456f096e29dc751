package link

import (
	"encoding/binary"
	"fmt"

	"solarhub/protocol"
)

// Sizes of a Modbus TCP ADU. Source: MODBUS Messaging on TCP/IP V1.0b, 3.1.3 and 4.1.
const (
	mbapHeader = 7                        // transaction, protocol, length, unit
	mbapMin    = 3                        // smallest length field: unit, function, one byte
	mbapMax    = 254                      // largest length field: unit and a PDU of 253
	mbapFrame  = mbapHeader - 1 + mbapMax // largest ADU: 260 bytes
)

// nextMBAP returns the first whole ADU of a Modbus TCP stream, nil if more bytes are needed. An error means that the
// stream can no longer be trusted: there is no way back to a frame's beginning but a new connection.
func nextMBAP(b []byte) ([]byte, error) {
	if len(b) >= 4 {
		if protocol := binary.BigEndian.Uint16(b[2:]); protocol != 0 {
			return nil, fmt.Errorf("not Modbus TCP: protocol id %d, not 0", protocol)
		}
	}
	if len(b) < 6 {
		return nil, nil
	}
	length := int(binary.BigEndian.Uint16(b[4:]))
	if length < mbapMin || length > mbapMax {
		return nil, fmt.Errorf("not Modbus TCP: length field %d, not %d..%d", length, mbapMin, mbapMax)
	}
	if len(b) < 6+length {
		return nil, nil
	}
	return b[:6+length], nil
}

// replyIn returns what an ADU of Modbus TCP is as a reply; its shape is zero if it is none.
func replyIn(frame []byte) reply {
	pdu := frame[mbapHeader:]
	r := reply{unit: protocol.UnitID(frame[mbapHeader-1]), adu: frame}
	f, data := pdu[0]&^0x80, pdu[1:]
	switch {
	case !isFunction(f):
	case pdu[0] != f:
		if len(data) == 1 {
			r.exception, r.shape.function = true, f
		}
	case f > 4:
		if len(data) == 4 {
			r.shape = shape{function: f, echo: [4]byte(data)}
		}
	case len(data) == 1+int(data[0]):
		r.shape = shape{function: f, size: int(data[0])}
	}
	return r
}

// misfit says in what a reply's ADU, from the unit id on, does not answer req; empty if it does. Without the checksum
// an RTU frame is such an ADU, too.
func misfit(req protocol.Request, adu []byte) string {
	if protocol.UnitID(adu[0]) != req.Unit {
		return fmt.Sprintf("from unit %d", adu[0])
	}
	function, data := req.Function(), adu[2:]
	switch {
	case adu[1] == function|0x80:
		if len(data) != 1 {
			return fmt.Sprintf("an exception of %d bytes, not 1", len(data))
		}
		return ""
	case adu[1] != function:
		return fmt.Sprintf("for function %d, not %d", adu[1], function)
	case req.Op == protocol.Read:
		if want := req.Range.DataBytes(); len(data) != 1+want || int(data[0]) != want {
			return fmt.Sprintf("with %d data bytes and a byte count of %d, not %d", len(data)-1, data[0], want)
		}
		return ""
	}
	want := echoOf(req)
	if len(data) != 4 || [4]byte(data) != want {
		return fmt.Sprintf("echoing % x, not % x", data, want)
	}
	return ""
}

// echoOf returns the data of the reply to a write: the address, then the value of a single write or the quantity.
func echoOf(req protocol.Request) (data [4]byte) {
	binary.BigEndian.PutUint16(data[:], req.Range.Addr)
	second := req.Range.Count
	if req.Op == protocol.WriteSingle {
		second = req.Words[0]
		if req.Range.Table == protocol.Coil {
			second *= 0xFF00
		}
	}
	binary.BigEndian.PutUint16(data[2:], second)
	return data
}
