package devices

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// The campaign's devices have three blocks of 20 registers, so that all reads look alike. In each register lies a
// number that says which unit, which point and which version it is: whatever is mixed up, by a register, a read or a
// unit, shows.
//
//	measured   two blocks of ten points, each of two registers; all move on to the next version every tick
//	written    six points of one register written by function 16, a part of a register, three by function 6,
//	           five of two registers
const (
	firstMeasured  = 1000
	secondMeasured = 2000
	firstWritten   = 3000
	tick           = 37 * time.Millisecond
)

// kept is a point that is written to.
type kept struct {
	key   string
	id    int
	addr  uint16
	count uint16
	mask  uint16 // 0: all
}

// written returns the points that are written to.
func written() (all []kept) {
	addr := uint16(firstWritten)
	for i := range 15 {
		k := kept{key: fmt.Sprintf("w%d", i), id: i, addr: addr, count: 1}
		switch {
		case i == 6:
			k.mask = 0x0FFF
		case i > 9:
			k.count = 2
		}
		all = append(all, k)
		addr += k.count
	}
	return all
}

// number returns the version as the point's value: unique among all points of all units that are as wide.
func (k kept) number(unit protocol.UnitID, version int) float64 {
	switch {
	case k.mask != 0:
		return float64(version)
	case k.count == 1: // 5 bits of 32: ten points of each unit have one register
		return float64((int(unit)&2*8+k.id)<<11 | version)
	}
	return float64(int(unit)<<28 | k.id<<20 | version)
}

// words returns a number as registers.
func (k kept) words(n float64) []uint16 {
	if k.count == 2 {
		return []uint16{uint16(uint32(n) >> 16), uint16(uint32(n))}
	}
	if k.mask != 0 {
		return []uint16{0xA000 | uint16(n)}
	}
	return []uint16{uint16(n)}
}

// holds returns the number in the registers of a write, which may begin before the point and end behind it; ok is false
// if the point is not in it.
func (k kept) holds(e sim.Exchange) (n float64, ok bool) {
	if !e.Range.Contains(protocol.Range{Addr: k.addr, Count: k.count}) {
		return 0, false
	}
	w := e.Words[k.addr-e.Range.Addr:]
	if k.count == 2 {
		return float64(uint32(w[0])<<16 | uint32(w[1])), true
	}
	if k.mask != 0 {
		return float64(w[0] & k.mask), true
	}
	return float64(w[0]), true
}

func campaignProfile(turnaround time.Duration) (*profile.Profile, error) {
	var y strings.Builder
	fmt.Fprintf(&y, `
profile: campaign
name: Campaign
manufacturer: House
sources: {maker: "The maker's paper"}
line: {unit: 1, turnaround: %v, max_registers: 40, source: maker}
identify:
  serial: {at: 3, type: text, length: 5}
  source: maker
traits:
  kind: {at: 0, values: {a: 5, b: 6}}
parts: {battery: Battery}
defaults: {write: multiple}
points:
`, turnaround)
	for i := range 20 {
		addr, every := firstMeasured+2*i, "now"
		if i >= 10 {
			addr, every = secondMeasured+2*(i-10), "normal"
		}
		fmt.Fprintf(&y, "  - {key: m%d, name: Measured %d, at: %d, type: u32, every: %s, show: true, source: maker}\n",
			i, i, addr, every)
	}
	for _, k := range written() {
		form, limit, with := "type: u16", uint32(65535), "{min: 0, max: %d}"
		switch {
		case k.mask != 0:
			form, limit = fmt.Sprintf("type: u16, mask: 0x%04X", k.mask), uint32(k.mask)
		case k.count == 2:
			form, limit = "type: u32", 1<<32-1
		case k.id > 6:
			with = "{with: single, min: 0, max: %d}"
		case k.id < 6: // what is checked against the other variant would be written one lower
			form, with = "type: u16, offset: {a: 0, b: 1}", "{min: {a: 0, b: 1}, max: %d}"
		}
		fmt.Fprintf(&y, "  - {key: %s, name: Kept %d, at: %d, %s, every: normal, show: true, write: %s, source: "+
			"maker}\n",
			k.key, k.id, k.addr, form, fmt.Sprintf(with, limit))
	}
	return profile.Load("campaign.yaml", []byte(y.String()))
}

// moving is what the measured registers of all units have held: version i from times[i] to until[i+1].
type moving struct {
	units        []*sim.Unit
	mu           sync.Mutex
	times, until []time.Time // just before the version came, and when it was there in all registers
}

func (m *moving) move() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.times = append(m.times, time.Now())
	for _, u := range m.units {
		for block, addr := range []uint16{firstMeasured, secondMeasured} {
			var words []uint16
			for i := range 10 {
				n := uint32(measured(u.ID(), 10*block+i, len(m.times)-1))
				words = append(words, uint16(n>>16), uint16(n))
			}
			u.Set(protocol.HoldingRegister, addr, words...)
		}
	}
	m.until = append(m.until, time.Now())
}

// run moves them until ctx ends.
func (m *moving) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			m.move()
		case <-ctx.Done():
			return
		}
	}
}

func measured(unit protocol.UnitID, id, version int) float64 {
	return float64(int(unit)<<28 | (16+id)<<20 | version)
}

// held reports whether the point had the value at some moment between two.
func (m *moving) held(unit protocol.UnitID, id int, v codec.Value, from, to time.Time) bool {
	version := int(v.Num) & (1<<20 - 1)
	if v.Num != measured(unit, id, version) || version >= len(m.times) || m.times[version].After(to) {
		return false
	}
	return version == len(m.times)-1 || !m.until[version+1].Before(from)
}

// campaignUnit makes a unit of the campaign with version 0 of everything that is written to.
func campaignUnit(id protocol.UnitID) *sim.Unit {
	u := sim.NewUnit(id)
	u.Set(protocol.HoldingRegister, 3, 0x4341, 0x4D50, 0x4149, 0x474E, 0x3030+uint16(id))
	u.Set(protocol.HoldingRegister, 0, 5)
	for _, k := range written() {
		u.Set(protocol.HoldingRegister, k.addr, k.words(k.number(id, 0))...)
	}
	return u
}
