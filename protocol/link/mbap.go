package link

import (
	"encoding/binary"
	"fmt"

	"solarhub/protocol"
)

// Sizes of a Modbus TCP ADU. Source: MODBUS Messaging on TCP/IP V1.0b, 3.1.3 and 4.1.
const (
	mbapHeader = 7                        // transaction, protocol, length, unit
	mbapHead   = mbapHeader + 2           // by which a reply is known: header, function, byte count or exception code
	mbapEcho   = mbapHeader + 5           // reply to a write
	mbapMax    = 254                      // largest length field: unit and a PDU of 253
	mbapFrame  = mbapHeader - 1 + mbapMax // largest ADU: 260 bytes
)

// mbapSize returns the length of an ADU by its function code and byte count, 0 if these do not tell. Its first
// mbapHead bytes are in b. The length field is no more than a hint: devices copy it from the request
// (node-red-contrib-modbus #146), count a byte too many (modbus-proxy PR #62, grid-x/modbus #52), or pad a refusal to
// the length of its request (grid-x/modbus #46).
func mbapSize(b []byte) int {
	switch f := b[mbapHeader]; {
	case !isFunction(f &^ 0x80):
		return 0
	case f&0x80 != 0:
		return mbapHead
	case f > 4:
		return mbapEcho
	case b[mbapHeader+1] == 0 || b[mbapHeader+1] > 250:
		return 0
	}
	return mbapHead + int(b[mbapHeader+1])
}

// mbapDeclared returns the length of an ADU by its length field.
func mbapDeclared(b []byte) int { return mbapHeader - 1 + int(binary.BigEndian.Uint16(b[4:])) }

// mayBeMBAP reports whether an ADU may begin with the bytes, of which there are less than mbapHead.
func mayBeMBAP(b []byte) bool {
	for i, c := range b[min(2, len(b)):] {
		if i < 2 && c != 0 || i == mbapHeader-2 && !isFunction(c&^0x80) {
			return false
		}
	}
	return true
}

// replyIn returns what an ADU of Modbus TCP is as a reply; its shape is zero if it is none.
func replyIn(frame []byte) reply {
	pdu := frame[mbapHeader:]
	r := reply{unit: protocol.UnitID(frame[mbapHeader-1]), adu: frame}
	f, data := pdu[0]&^0x80, pdu[1:]
	switch {
	case !isFunction(f):
	case pdu[0] != f:
		r.exception, r.shape.function = true, f
	case f > 4:
		if len(data) == 4 {
			r.shape = shape{function: f, echo: [4]byte(data)}
		}
	case len(data) == 1+int(data[0]):
		r.shape = shape{function: f, size: int(data[0])}
	}
	return r
}

// misfitHead says in what the first three bytes of a reply, from the unit id on, do not answer req; empty if they do.
// What is behind the code of a refusal means nothing: some devices pad it.
func misfitHead(req protocol.Request, adu []byte) string {
	function := req.Function()
	switch {
	case protocol.UnitID(adu[0]) != req.Unit:
		return fmt.Sprintf("from unit %d", adu[0])
	case adu[1] == function|0x80:
	case adu[1] != function:
		return fmt.Sprintf("for function %d, not %d", adu[1], function)
	case req.Op == protocol.Read:
		if want := req.Range.DataBytes(); int(adu[2]) != want {
			return fmt.Sprintf("with a byte count of %d, not %d", adu[2], want)
		}
	}
	return ""
}

// misfit says in what a reply's ADU, from the unit id on, does not answer req; empty if it does. Without the checksum
// an RTU frame is such an ADU, too.
func misfit(req protocol.Request, adu []byte) string {
	wrong, data := misfitHead(req, adu), adu[2:]
	switch {
	case wrong != "" || adu[1]&0x80 != 0:
		return wrong
	case req.Op == protocol.Read:
		if want := req.Range.DataBytes(); len(data) != 1+want {
			return fmt.Sprintf("with %d data bytes, not %d", len(data)-1, want)
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
