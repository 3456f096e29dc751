package plan

import (
	"cmp"
	"slices"
	"sort"

	"solarhub/protocol"
)

// holes are the holes of one table, by address. None is empty or lies inside another, so their ends ascend as well.
type holes []protocol.Range

// byTable sorts holes by table and address.
func byTable(all []protocol.Range) map[protocol.Table]holes {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b protocol.Range) int {
		return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(b.Count, a.Count))
	})
	sorted := map[protocol.Table]holes{}
	for _, h := range all {
		known := sorted[h.Table]
		if n := len(known); h.Count > 0 && (n == 0 || h.End() > known[n-1].End()) {
			sorted[h.Table] = append(known, h)
		}
	}
	return sorted
}

// next returns the first hole that ends after addr: the hole around addr, or the next one above it.
func (hs holes) next(addr uint16) (hole protocol.Range, ok bool) {
	i := sort.Search(len(hs), func(i int) bool { return hs[i].End() > uint32(addr) })
	if i == len(hs) {
		return protocol.Range{}, false
	}
	return hs[i], true
}
