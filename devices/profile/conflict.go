package profile

import (
	"fmt"

	"solarhub/protocol"
)

// conflict is a contradiction between a point and an earlier point of the same variant.
type conflict struct {
	point int    // its index
	with  int    // the index of the earlier point
	key   string // the key to report it at: key, name or at
	text  string
}

// conflicts returns the points that share a key, share a name within their part, or overlap an earlier point while one
// of the two can be written. Two points may read the same register.
func conflicts(points []Point) []conflict {
	var found []conflict
	keys, names := map[string]int{}, map[[2]string]int{}
	for i, p := range points {
		if j, ok := keys[p.Key]; ok {
			found = append(found, conflict{i, j, "key", fmt.Sprintf("key %q is taken", p.Key)})
		} else if p.Key != "" {
			keys[p.Key] = i
		}
		place := [2]string{p.Part, p.Name}
		if j, ok := names[place]; ok {
			found = append(found, conflict{i, j, "name",
				fmt.Sprintf("name %q is taken by %s in the same part", p.Name, points[j].Key)})
		} else if p.Name != "" {
			names[place] = i
		}
	}
	return append(found, overlaps(points)...)
}

// register is one address. A claim is the bits of it that belong to a point.
type register struct {
	table protocol.Table
	addr  uint16
}

type claim struct {
	register
	point int
	bits  uint16
}

// maxConflicts is how many overlaps are reported. A file that writes one register thousands of times has millions.
const maxConflicts = 1000

// overlaps returns the pairs of points that share bits of a register while one of the two can be written: each pair
// once, with the first such register.
func overlaps(points []Point) []conflict {
	var found []conflict
	claims := map[register][]claim{}
	seen := map[[2]int]bool{}
	for i, p := range points {
		for _, mine := range claimed(i, p) {
			for _, other := range claims[mine.register] {
				pair := [2]int{i, other.point}
				q := points[other.point]
				if mine.bits&other.bits == 0 || p.Write == nil && q.Write == nil || other.point == i || seen[pair] {
					continue
				}
				if seen[pair] = true; len(found) > maxConflicts {
					return found
				}
				text := fmt.Sprintf("%s and %s share bits of %s %d and one of them is written: give them masks that "+
					"do not overlap",
					q.Key, p.Key, mine.table, mine.addr)
				found = append(found, conflict{i, other.point, "at", text})
			}
			claims[mine.register] = append(claims[mine.register], mine)
		}
	}
	return found
}

// claimed returns the registers of a point with the bits that belong to it.
func claimed(point int, p Point) []claim {
	masks := p.Spec.CompareMask()
	var claims []claim
	for _, r := range p.Ranges {
		for n := range min(int(r.Count), len(masks)) {
			claims = append(claims, claim{register{r.Table, r.Addr + uint16(n)}, point, masks[n]})
		}
		masks = masks[min(int(r.Count), len(masks)):]
	}
	return claims
}
