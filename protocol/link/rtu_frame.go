package link

import "solarhub/protocol"

// An RTU frame has no length field and no start mark: what is a frame follows from the function code and the checksum.
// Source: MODBUS over Serial Line V1.02, 2.5.1; MODBUS Application Protocol V1.1b3, 6.
const (
	rtuException = 5   // unit, function, code, checksum
	rtuEcho      = 8   // reply to a write
	rtuMax       = 256 // largest ADU
)

// parseResult is what the bytes at some place look like.
type parseResult uint8

const (
	nothing parseResult = iota // no reply begins here
	partial                    // a reply may begin here; more bytes are needed
	damaged                    // a reply's head, but the checksum is wrong
	whole
)

// parseReply reads the reply that b begins with. size is the length of the reply, 0 while it is not known.
func parseReply(b []byte) (r reply, size int, looks parseResult) {
	if len(b) == 0 {
		return reply{}, 0, partial
	}
	if len(b) < 3 {
		return reply{unit: protocol.UnitID(b[0])}, 0, partialIf(len(b) < 2 || isFunction(b[1]&^0x80))
	}
	r = reply{unit: protocol.UnitID(b[0]), exception: b[1]&0x80 != 0, shape: shape{function: b[1] &^ 0x80}}
	size = r.rtuLength(b)
	if size == 0 {
		return reply{}, 0, nothing
	}
	if len(b) < size {
		return r, size, partial
	}
	r.adu = b[:size]
	if crc16(b[:size-2]) != uint16(b[size-2])|uint16(b[size-1])<<8 {
		return r, size, damaged
	}
	return r, size, whole
}

// paddedEnd returns the length of a refusal with more bytes in front of its checksum than its code, 0 if the checksum
// is not there.
func paddedEnd(b []byte) int {
	crc := uint16(0xFFFF)
	for i, c := range b {
		if crc = crc>>8 ^ crcTable[byte(crc)^c]; crc == 0 && i >= rtuException {
			return i + 1 // a checksum carried on over itself is 0
		}
	}
	return 0
}

func partialIf(yes bool) parseResult {
	if yes {
		return partial
	}
	return nothing
}

func isFunction(f byte) bool { return f >= 1 && f <= 6 || f == 15 || f == 16 }

// rtuLength returns the length that the reply has by its head and fills in its shape; 0 if this is the head of none.
func (r *reply) rtuLength(b []byte) int {
	switch f := r.shape.function; {
	case !isFunction(f):
		return 0
	case r.exception:
		return rtuException
	case f > 4:
		if len(b) >= 6 {
			r.shape.echo = [4]byte(b[2:6])
		}
		return rtuEcho
	}
	r.shape.size = int(b[2])
	if r.shape.size == 0 || r.shape.size > 250 {
		return 0
	}
	return 3 + r.shape.size + 2
}

// crcTable is CRC-16 with the reflected polynomial 0xA001. Source: MODBUS over Serial Line V1.02, 6.2.2.
var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
		table[i] = crc
	}
	return table
}()

func crc16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc = crc>>8 ^ crcTable[byte(crc)^c]
	}
	return crc
}
