// Package protocol is Modbus on a line: the words of the standard, the bus that lets many callers share a link, and the
// model of how long an exchange takes. Package link has the links themselves. Neither knows a device or a host.
package protocol

import (
	"fmt"
	"time"
)

// UnitID is the address of a device on a line: 1..247 on a serial line (0 is broadcast and never read), any byte on
// TCP. Source: MODBUS over Serial Line V1.02, 2.2; MODBUS Messaging on TCP/IP V1.0b, 4.4.2.
type UnitID uint8

// Table is one of the four address spaces of a Modbus device.
type Table uint8

// The tables. The zero value is the one that nearly every solar device uses.
const (
	HoldingRegister Table = iota // 16 bits, read by function 3, written by 6 and 16
	InputRegister                // 16 bits, read by function 4
	Coil                         // 1 bit, read by function 1, written by 5 and 15
	DiscreteInput                // 1 bit, read by function 2
)

// String returns the word used in profiles, errors and logs: holding, input, coil, discrete.
func (t Table) String() string {
	switch t {
	case HoldingRegister:
		return "holding"
	case InputRegister:
		return "input"
	case Coil:
		return "coil"
	case DiscreteInput:
		return "discrete"
	}
	return fmt.Sprintf("table(%d)", uint8(t))
}

// Bits reports whether the table holds single bits; each then travels as one word, 0 or 1, in Request and Response.
func (t Table) Bits() bool { return t == Coil || t == DiscreteInput }

// Limits of one request. Source: MODBUS Application Protocol V1.1b3, 6.1, 6.3, 6.11, 6.12.
const (
	MaxReadRegisters  = 125
	MaxWriteRegisters = 123
	MaxReadBits       = 2000
	MaxWriteBits      = 1968
)

// Range is a run of registers or bits: zero-based PDU address and count. Addr+Count is at most 65536.
type Range struct {
	Table Table
	Addr  uint16
	Count uint16
}

// End returns the address behind the last one, in 32 bits because it can be 65536.
func (r Range) End() uint32 { return uint32(r.Addr) + uint32(r.Count) }

// Contains reports whether all of o lies in r.
func (r Range) Contains(o Range) bool {
	return r.Table == o.Table && r.Addr <= o.Addr && o.End() <= r.End()
}

// Overlaps reports whether r and o share an address.
func (r Range) Overlaps(o Range) bool {
	return r.Table == o.Table && uint32(r.Addr) < o.End() && uint32(o.Addr) < r.End()
}

// DataBytes returns the data bytes of the reply to a read of the range: two for each register, one for up to eight
// bits.
func (r Range) DataBytes() int {
	if r.Table.Bits() {
		return (int(r.Count) + 7) / 8
	}
	return 2 * int(r.Count)
}

// String returns the range as errors and logs show it: "holding 588+2".
func (r Range) String() string { return fmt.Sprintf("%s %d+%d", r.Table, r.Addr, r.Count) }

// Op says what a request does with its range.
type Op uint8

// The operations; the function code follows from Op and Table.
const (
	Read          Op = iota // functions 1 to 4
	WriteSingle             // functions 5 and 6; Count is 1
	WriteMultiple           // functions 15 and 16
)

// Priority orders the queue of a Bus. A lower number goes first.
type Priority uint8

// The priorities, most urgent first.
const (
	PriorityWrite Priority = iota // set-values and their read-backs
	PriorityRead                  // what a person waits for: read now, identification
	PriorityPoll                  // the regular poll; yields to everything
)

// Pace is what one device needs of the line. Zero values mean the default of the link.
type Pace struct {
	// Gap is the silence from the END of the device's reply to the next request. On a serial line it is at least t3.5.
	Gap     time.Duration
	Timeout time.Duration // from the last byte of the request to the last byte of the reply
	// First is the timeout until the unit has replied once on this connection, where it is longer than Timeout.
	First time.Duration
}

// Request is one exchange with one unit.
type Request struct {
	Unit      UnitID
	Op        Op
	Range     Range
	Words     []uint16 // for writes: Range.Count words; nil for reads
	Priority  Priority
	NotBefore time.Time // the request stays queued until then (a register settles); zero: at once
	Deadline  time.Time // the first byte must be out by then, or the request is dropped with ErrExpired; zero: only ctx
	Pace      Pace
}

// Response is the reply to a Request that the device carried out.
type Response struct {
	Words      []uint16  // for reads: Range.Count words; for writes nil
	Sent       time.Time // just before the first byte of the request went out
	Done       time.Time // when the last byte of the reply was in
	Connection uint64    // counts the openings of the link: a change means that something else may answer now
}
