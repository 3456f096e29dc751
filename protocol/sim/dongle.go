package sim

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"

	"solarhub/protocol"
)

// Dongle is a dongle of a maker's own between its clients and inverters. The zero value has no serial numbers and sends
// nothing but answers.
type Dongle struct {
	Serial   string // of the dongle, 10 characters
	Inverter string // the serial number of unit 1, 10 characters; that of others ends with another character
	// Odd is the share of answers, 0 to 1, beside which something else travels: a sign of life or what the cloud has
	// asked for, one before and one behind, each drawn by itself.
	Odd  float64
	Seed uint64 // of what is drawn
}

// dongle is what the connections to one share.
type dongle struct {
	Dongle
	mu     sync.Mutex
	random *rand.Rand
}

func newDongle(d Dongle) *dongle {
	return &dongle{Dongle: d, random: rand.New(rand.NewPCG(d.Seed, 1))}
}

// beside puts other frames around a reply, if any are drawn.
func (d *dongle) beside(reply []byte, others ...func() []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append(append(d.other(others), reply...), d.other(others)...)
}

func (d *dongle) other(others []func() []byte) []byte {
	if d.Odd <= 0 || d.random.Float64() >= d.Odd {
		return nil
	}
	return others[d.random.IntN(len(others))]()
}

// serialOf returns the serial number of the inverter with a unit id.
func (d *dongle) serialOf(unit protocol.UnitID) []byte {
	s := tenOf(d.Inverter)
	s[9] += byte(unit) - 1
	return s
}

// unitOf returns the unit id of the inverter with a serial number. Without one it is the first.
func (d *dongle) unitOf(serial []byte) protocol.UnitID {
	if serial[9] == 0 {
		return 1
	}
	return protocol.UnitID(serial[9] - tenOf(d.Inverter)[9] + 1)
}

// tenOf returns a serial number as frames have it.
func tenOf(serial string) []byte {
	b := make([]byte, 10)
	copy(b, serial)
	return b
}

// addrOf and countOf return the first register of a request's PDU, and its count of registers, or its value.
func addrOf(pdu []byte) uint16  { return binary.BigEndian.Uint16(pdu[1:]) }
func countOf(pdu []byte) uint16 { return binary.BigEndian.Uint16(pdu[3:]) }
