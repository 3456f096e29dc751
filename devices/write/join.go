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
	if first := group[0].p; first.Write.Group != nil {
		return w.inGroup(group, e)
	}
	first := group[0].p
	p, ok := w.find(e.key)
	if !ok || e.alone || group[0].entry.alone || p.Write == nil || p.Write.Group != nil || first.Button() ||
		p.Button() || isElsewhere(p) || isElsewhere(first) || len(p.Ranges) != 1 || !w.alike(p, first) {
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

// inGroup reports whether an entry belongs to the group of the profile that is written. Then it goes with it, even if a
// busy device was to be asked later.
func (w *Writer) inGroup(group []*pointWrite, e *entry) bool {
	g := groupOf(group)
	return g != nil && slices.Contains(g.Members, e.key)
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

// requests cuts what is to be written into requests: a group of the profile is one.
func requests(writes []*pointWrite) [][]*pointWrite {
	if groupOf(writes) != nil {
		return [][]*pointWrite{writes}
	}
	return runs(writes)
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
