package plan

import (
	"cmp"
	"slices"
	"sort"

	"solarhub/protocol"
)

// walls are the holes of one table, by address. None is empty and none lies inside another, so that their ends ascend, too.
type walls []protocol.Range

// wallsOf sorts holes by table.
func wallsOf(holes []protocol.Range) map[protocol.Table]walls {
	holes = slices.Clone(holes)
	slices.SortFunc(holes, func(a, b protocol.Range) int {
		return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(b.Count, a.Count))
	})
	of := map[protocol.Table]walls{}
	for _, h := range holes {
		known := of[h.Table]
		if n := len(known); h.Count > 0 && (n == 0 || h.End() > known[n-1].End()) {
			of[h.Table] = append(known, h)
		}
	}
	return of
}

// next returns the first hole that ends behind addr: the one that addr lies in, or the next above it.
func (w walls) next(addr uint16) (hole protocol.Range, ok bool) {
	i := sort.Search(len(w), func(i int) bool { return w[i].End() > uint32(addr) })
	if i == len(w) {
		return protocol.Range{}, false
	}
	return w[i], true
}
