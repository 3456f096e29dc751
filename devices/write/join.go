package write

import (
	"cmp"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// mayJoin reports whether an entry may be written in one request with a group: parts of one register always,
// neighbouring registers where the line allows it. All have one settle time, and none needs arming that another does
// not.
func (w *Writer) mayJoin(group []*pointWrite, e *entry) bool {
	if len(group) == 0 {
		return true
	}
	first := group[0].p
	p, ok := w.device.Point(e.key)
	if !ok || e.alone || group[0].entry.alone || first.Button() || p.Button() || p.Write == nil ||
		isElsewhere(p) || isElsewhere(first) || len(p.Ranges) != 1 ||
		p.Write.Arm != first.Write.Arm || p.Write.Single != first.Write.Single ||
		w.settleTime(p) != w.settleTime(first) {
		return false
	}
	r := p.Ranges[0]
	for _, other := range group {
		if over := other.at(); over == r && p.Spec.Partial() && other.p.Spec.Partial() {
			return true
		} else if over.Overlaps(r) {
			return false
		}
	}
	all := coverOf(group)
	if !w.client.Line.Join || p.Write.Single || r.Table != all.Table ||
		uint32(r.Addr) != all.End() && r.End() != uint32(all.Addr) {
		return false
	}
	return all.Count+r.Count <= w.mostAtOnce()
}

// mostAtOnce returns the most registers that are written together: what one request can write and one can read back.
func (w *Writer) mostAtOnce() uint16 {
	return min(protocol.MaxWriteRegisters, cmp.Or(w.client.Line.MaxRegisters, protocol.MaxReadRegisters))
}

// settleTime returns the time between a write to the point and its read-back.
func (w *Writer) settleTime(p profile.Point) time.Duration {
	return cmp.Or(p.Write.Settle, w.client.Line.Settle)
}

// runs cuts a group into runs of neighbouring registers, by address.
func runs(group []*pointWrite) (all [][]*pointWrite) {
	sorted := slices.SortedStableFunc(slices.Values(group), func(a, b *pointWrite) int {
		return cmp.Or(cmp.Compare(a.at().Table, b.at().Table), cmp.Compare(a.at().Addr, b.at().Addr))
	})
	for _, p := range sorted {
		if n := len(all); n > 0 {
			if before := coverOf(all[n-1]); before.Table == p.at().Table && uint32(p.at().Addr) <= before.End() {
				all[n-1] = append(all[n-1], p)
				continue
			}
		}
		all = append(all, []*pointWrite{p})
	}
	return all
}

// coverOf returns the smallest range that contains all of a group.
func coverOf(group []*pointWrite) protocol.Range {
	all := group[0].at()
	for _, p := range group[1:] {
		end := max(all.End(), p.at().End())
		all.Addr = min(all.Addr, p.at().Addr)
		all.Count = uint16(end - uint32(all.Addr))
	}
	return all
}
