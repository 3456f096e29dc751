package sim

import (
	"cmp"
	"encoding/binary"
	"time"

	"solarhub/protocol"
)

// Exception codes that a simulated unit or gateway gives by itself. Source: MODBUS Application Protocol V1.1b3, 7.
const (
	illegalFunction = 1
	illegalAddress  = 2
	illegalValue    = 3
	gatewayNoAnswer = 11
)

// query is a request PDU that has been understood.
type query struct {
	function byte
	op       protocol.Op
	over     protocol.Range
	words    []uint16 // of a write
}

// kinds says for each known function what it does. Source: MODBUS Application Protocol V1.1b3, 6.
var kinds = map[byte]struct {
	op    protocol.Op
	table protocol.Table
	most  int
}{
	1:  {protocol.Read, protocol.Coil, protocol.MaxReadBits},
	2:  {protocol.Read, protocol.DiscreteInput, protocol.MaxReadBits},
	3:  {protocol.Read, protocol.HoldingRegister, protocol.MaxReadRegisters},
	4:  {protocol.Read, protocol.InputRegister, protocol.MaxReadRegisters},
	5:  {protocol.WriteSingle, protocol.Coil, 1},
	6:  {protocol.WriteSingle, protocol.HoldingRegister, 1},
	15: {protocol.WriteMultiple, protocol.Coil, protocol.MaxWriteBits},
	16: {protocol.WriteMultiple, protocol.HoldingRegister, protocol.MaxWriteRegisters},
}

// parse reads a request PDU. What can be read is in the query even if there is an exception code.
func parse(pdu []byte) (query, byte) {
	if len(pdu) == 0 {
		return query{}, illegalFunction
	}
	q := query{function: pdu[0]}
	kind, known := kinds[q.function]
	if !known {
		return q, illegalFunction
	}
	q.op = kind.op
	q.over.Table = kind.table
	if len(pdu) < 5 {
		return q, illegalValue
	}
	q.over.Addr = binary.BigEndian.Uint16(pdu[1:])
	if kind.op == protocol.WriteSingle {
		return q, q.single(pdu)
	}
	q.over.Count = binary.BigEndian.Uint16(pdu[3:])
	switch {
	case q.over.Count == 0 || int(q.over.Count) > kind.most:
		return q, illegalValue
	case kind.op == protocol.WriteMultiple:
		return q, q.multiple(pdu[5:])
	case len(pdu) != 5:
		return q, illegalValue
	}
	return q, 0
}

// single takes the value of functions 5 and 6.
func (q *query) single(pdu []byte) byte {
	q.over.Count = 1
	word := binary.BigEndian.Uint16(pdu[3:])
	if q.over.Table == protocol.Coil {
		if word != 0 && word != 0xFF00 {
			return illegalValue
		}
		word &= 1 << 15
		word >>= 15
	}
	q.words = []uint16{word}
	if len(pdu) != 5 {
		return illegalValue
	}
	return 0
}

// multiple takes the values of functions 15 and 16: a byte count and the data.
func (q *query) multiple(data []byte) byte {
	size := dataBytes(q.over)
	if len(data) != 1+size || int(data[0]) != size {
		return illegalValue
	}
	q.words = unpack(q.over, data[1:])
	return 0
}

// write reports whether the query is a write.
func (q query) write() bool { return q.op != protocol.Read }

// answer carries out a request PDU and returns the reply PDU, nil if the unit is silent.
func (u *Unit) answer(pdu []byte, now time.Time) []byte {
	u.tick(now)
	q, code := parse(pdu)
	if code != 0 {
		return exception(q.function, code)
	}
	words, hooks, code := u.carryOut(q, now)
	switch {
	case code != 0:
		return exception(q.function, code)
	case q.op == protocol.Read:
		data := pack(q.over, words)
		return append([]byte{q.function, byte(len(data))}, data...)
	}
	for _, f := range hooks {
		f(Write{Unit: u.id, Range: q.over, Words: q.words, At: now})
	}
	return append([]byte(nil), pdu[:5]...)
}

func (u *Unit) carryOut(q query, now time.Time) (words []uint16, hooks []func(Write), code byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.settle(now)
	if code := u.limits.refuse(q); code != 0 {
		return nil, nil, code
	}
	words, ok := u.read(q.over)
	if !ok {
		return nil, nil, cmp.Or(u.limits.Undefined, illegalAddress)
	}
	if !q.write() {
		return words, nil, 0
	}
	return nil, u.onWrite, u.write(q.over, q.words, now)
}

// refuse returns the exception code for a query that goes over the limits, or 0.
func (l Limits) refuse(q query) byte {
	most, count := 0, int(q.over.Count)
	switch {
	case q.op == protocol.WriteSingle:
		return l.RefuseSingle
	case q.op == protocol.WriteMultiple && l.RefuseMultiple != 0:
		return l.RefuseMultiple
	case q.op == protocol.WriteMultiple && !q.over.Table.Bits():
		most = l.WriteRegisters
	case q.op == protocol.Read && q.over.Table.Bits():
		most = l.ReadBits
	case q.op == protocol.Read:
		most = l.ReadRegisters
	}
	if most > 0 && count > most {
		return cmp.Or(l.TooLong, illegalValue)
	}
	return 0
}

// exception is the reply PDU of a refusal, nil for Silence.
func exception(function, code byte) []byte {
	if code == Silence {
		return nil
	}
	return []byte{function | 0x80, code}
}

// dataBytes returns how many bytes the values of r take.
func dataBytes(r protocol.Range) int {
	if r.Table.Bits() {
		return (int(r.Count) + 7) / 8
	}
	return 2 * int(r.Count)
}

// pack makes bytes of words, eight bits to a byte or two bytes to a word.
func pack(r protocol.Range, words []uint16) []byte {
	b := make([]byte, dataBytes(r))
	for i, w := range words {
		if !r.Table.Bits() {
			binary.BigEndian.PutUint16(b[2*i:], w)
		} else if w != 0 {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// unpack is the way back.
func unpack(r protocol.Range, b []byte) []uint16 {
	words := make([]uint16, r.Count)
	for i := range words {
		if r.Table.Bits() {
			words[i] = uint16(b[i/8] >> (i % 8) & 1)
		} else {
			words[i] = binary.BigEndian.Uint16(b[2*i:])
		}
	}
	return words
}
