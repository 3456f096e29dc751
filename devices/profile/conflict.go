package profile

import (
	"fmt"
	"slices"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// conflict is a contradiction between a point and an earlier point of the same variant.
type conflict struct {
	point int    // its index
	with  int    // the index of the earlier point
	key   string // the key to report it at: key, name or at
	text  string
}

// conflicts returns the points that one device can have together and that share a key, share a name within their part,
// or overlap an earlier point while one of the two can be written. Two points may read the same register.
func conflicts(entries []entry) []conflict {
	var found []conflict
	keys, names := map[string][]int{}, map[[2]string][]int{}
	for i, e := range entries {
		p := e.point
		if j := e.firstWith(entries, keys[p.Key]); j >= 0 {
			found = append(found, conflict{i, j, "key", fmt.Sprintf("key %q is taken", p.Key)})
		}
		place := [2]string{p.Part, p.Name}
		if j := e.firstWith(entries, names[place]); j >= 0 && entries[j].point.Key != p.Key {
			found = append(found, conflict{i, j, "name",
				fmt.Sprintf("name %q is taken by %s in the same part", p.Name, entries[j].point.Key)})
		}
		if p.Key != "" {
			keys[p.Key] = append(keys[p.Key], i)
		}
		if p.Name != "" {
			names[place] = append(names[place], i)
		}
		if len(found) > maxConflicts {
			return found
		}
	}
	return append(found, overlaps(entries)...)
}

// firstWith returns the first of some entries that one device can have together with e, -1 if there is none.
func (e entry) firstWith(entries []entry, others []int) int {
	i := slices.IndexFunc(others, func(j int) bool { return e.when.canMeet(entries[j].when) })
	if i < 0 {
		return -1
	}
	return others[i]
}

// register is one address. A claim is the bits of it that belong to a point.
type register struct {
	table protocol.Table
	addr  uint16
	model int  // of SunSpec, in which addr is an offset; 0: the address space
	apart bool // of the addresses that are only written, see Write.Apart
}

type claim struct {
	register
	point   int
	bits    uint16
	written bool
}

// maxConflicts is how many overlaps are reported. A file that writes one register thousands of times has millions.
const maxConflicts = 1000

// overlaps returns the pairs of points that share bits of a register while one of the two can be written there: each
// pair once, with the first such register.
func overlaps(entries []entry) []conflict {
	var found []conflict
	claims := map[register][]claim{}
	seen := map[[2]int]bool{}
	for i, e := range entries {
		for _, mine := range claimed(i, e) {
			for _, other := range claims[mine.register] {
				pair := [2]int{i, other.point}
				if mine.bits&other.bits == 0 || !mine.written && !other.written || other.point == i || seen[pair] ||
					!e.when.canMeet(entries[other.point].when) {
					continue
				}
				if seen[pair] = true; len(found) > maxConflicts {
					return found
				}
				text := fmt.Sprintf("%s and %s share bits of %s %d and one of them is written: give them masks that "+
					"do not overlap", entries[other.point].point.Key, e.point.Key, mine.table, mine.addr)
				found = append(found, conflict{i, other.point, "at", text})
			}
			claims[mine.register] = append(claims[mine.register], mine)
		}
	}
	return found
}

// claimed returns the registers of a point with the bits that belong to it.
func claimed(point int, e entry) []claim {
	p := e.point
	if p.Write == nil || p.Write.Ranges == nil {
		return e.claims(point, p.Ranges, p.Spec, p.Write != nil)
	}
	ranges, spec := p.WriteTo()
	return slices.Concat(e.claims(point, p.Ranges, p.Spec, false), e.claims(point, ranges, spec, true))
}

func (e entry) claims(point int, ranges []protocol.Range, s codec.Spec, written bool) (claims []claim) {
	masks := s.CompareMask()
	for _, r := range ranges {
		for n := range min(int(r.Count), len(masks)) {
			for _, m := range e.models() {
				at := register{r.Table, r.Addr + uint16(n), m, written && e.point.Write.Apart}
				claims = append(claims, claim{at, point, masks[n], written})
			}
		}
		masks = masks[min(int(r.Count), len(masks)):]
	}
	return claims
}

// checkConflicts adds a finding for each contradiction between two points.
func (l *loader) checkConflicts() {
	if l.full() {
		return
	}
	for _, c := range conflicts(l.p.entries) {
		f := fields{l.reader, l.nodes[c.point].Place()}
		f.fail(c.key, "%s (the other is in line %d)", c.text, l.nodes[c.with].Line)
	}
}
