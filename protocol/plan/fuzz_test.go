package plan_test

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Whatever is wanted: what can be read is planned, each item once, within the limits, for no more than the greedy plan
// costs and no more than one read for each item; what cannot is refused.
func FuzzPlan(f *testing.F) {
	f.Add([]byte{0, 0, 2, 0, 5, 1, 0, 40, 4}, []byte{0, 3, 1}, uint16(40), uint8(20), true)
	f.Add([]byte{0xFF, 0xFE, 2, 0, 0, 1}, []byte{0xFF, 0x00, 0x20}, uint16(0), uint8(0), false)
	f.Add([]byte{0, 0, 0x82, 0, 1, 0x81, 0, 1, 1, 0, 1, 1}, []byte{}, uint16(200), uint8(255), true)
	f.Add([]byte{0, 4, 2}, []byte{0, 5, 0, 0, 5, 0}, uint16(1), uint8(1), false)
	f.Fuzz(func(t *testing.T, wanted, holes []byte, most uint16, turnaround uint8, serial bool) {
		items, limits := ranges(wanted), plan.Limits{MaxRegisters: most, Holes: ranges(holes)}
		timing := timings(time.Duration(turnaround) * time.Millisecond)[0]
		if !serial {
			timing.Serial = nil
		}
		reads, err := plan.Plan(items, limits, timing)
		if impossible := slices.ContainsFunc(items,
			func(i protocol.Range) bool { return !readable(i, limits) }); impossible != (err != nil) {
			t.Fatalf("items %v, limits %v: %v", items, limits, err)
		}
		if err != nil {
			return
		}
		valid(t, items, reads, limits)
		var single time.Duration
		for _, i := range items {
			single += timing.Exchange(protocol.Read, i)
		}
		cost := plan.Cost(reads, timing)
		if cost > single || plan.Longest(reads, timing) > cost {
			t.Fatalf("items %v, limits %v: %v, one read each %v", items, limits, cost, single)
		}
		sorted := slices.SortedFunc(slices.Values(items),
			func(a, b protocol.Range) int { return int(a.Addr) - int(b.Addr) })
		if sameTable := !slices.ContainsFunc(items,
			func(i protocol.Range) bool { return i.Table != protocol.HoldingRegister }); sameTable && len(items) > 0 {
			if other := greedy(sorted, cleaned(limits), timing); cost > other {
				t.Fatalf("items %v, limits %v: %v, greedy %v", items, limits, cost, other)
			}
		}
	})
}

// ranges reads ranges from three bytes each: the address, then the count, the highest bits of which say coil.
func ranges(b []byte) (all []protocol.Range) {
	for c := range slices.Chunk(b[:len(b)/3*3], 3) {
		r := protocol.Range{Addr: binary.BigEndian.Uint16(c), Count: uint16(c[2] & 0x3F)}
		if c[2] >= 0xC0 {
			r.Table = protocol.Coil
		}
		all = append(all, r)
	}
	return all[:min(len(all), 200)]
}

// readable says the long way whether an item can be read.
func readable(item protocol.Range, limits plan.Limits) bool {
	limits = cleaned(limits)
	return item.Count > 0 && item.End() <= 1<<16 && (item.Table.Bits() || item.Count <= limits.MaxRegisters) &&
		!slices.ContainsFunc(limits.Holes, item.Overlaps)
}

// cleaned returns the limits as they count.
func cleaned(limits plan.Limits) plan.Limits {
	if limits.MaxRegisters == 0 || limits.MaxRegisters > protocol.MaxReadRegisters {
		limits.MaxRegisters = protocol.MaxReadRegisters
	}
	limits.Holes = slices.DeleteFunc(slices.Clone(limits.Holes), func(h protocol.Range) bool { return h.Count == 0 })
	return limits
}
