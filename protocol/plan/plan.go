// Package plan finds the cheapest set of reads that covers wanted ranges. It is pure: ranges, limits and the wire-time
// model in, reads out.
package plan

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"solarhub/protocol"
)

// Limits are what the device allows.
type Limits struct {
	MaxRegisters uint16           // per read; 0 or above the standard's 125 counts as 125. Bits are limited by the standard alone
	Holes        []protocol.Range // no read may touch them
}

// Read is one planned request.
type Read struct {
	Range protocol.Range
	Items []int // the items it covers, as indexes of what Plan was given, ascending
}

// Plan returns the reads that cover every item at the least cost, ordered by table and address. An item is never split
// over two reads; items may repeat, overlap or lie in each other. The error names the item that cannot be read: longer
// than a read may be, empty, or touching a hole.
//
// The plan is optimal. Of items sorted by start, one that ends no later than an earlier one ends lies inside it and is
// read with it; the rest have ascending starts and ends, and some optimal plan covers them in consecutive runs: if a
// read of i and k skipped j between them, it would span j all the same, so j costs nothing there. The best plan of the
// first j is therefore the best of the first i plus one read of i+1..j, for the cheapest i.
func Plan(items []protocol.Range, limits Limits, timing protocol.Timing) ([]Read, error) {
	walls := wallsOf(limits.Holes)
	order := make([]int, len(items))
	for i, item := range items {
		if err := check(item, limits, walls[item.Table]); err != nil {
			return nil, err
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(items[a].Table, items[b].Table), cmp.Compare(items[a].Addr, items[b].Addr),
			cmp.Compare(items[b].Count, items[a].Count), cmp.Compare(a, b))
	})
	var reads []Read
	for len(order) > 0 {
		n := 1
		for n < len(order) && items[order[n]].Table == items[order[0]].Table {
			n++
		}
		t := items[order[0]].Table
		reads = append(reads, table(items, order[:n], walls[t], costs(t, limits, timing))...)
		order = order[n:]
	}
	return reads, nil
}

func check(item protocol.Range, limits Limits, holes walls) error {
	if item.Count == 0 || item.End() > 1<<16 {
		return fmt.Errorf("plan %v: empty or beyond address 65535", item)
	}
	if most := limits.most(item.Table); item.Count > most {
		return fmt.Errorf("plan %v: longer than the %d that one read may have", item, most)
	}
	if hole, ok := holes.next(item.Addr); ok && hole.Overlaps(item) {
		return fmt.Errorf("plan %v: touches %v, which must not be read", item, hole)
	}
	return nil
}

// most returns the largest count of one read.
func (l Limits) most(t protocol.Table) uint16 {
	if t.Bits() {
		return protocol.MaxReadBits
	}
	if l.MaxRegisters == 0 || l.MaxRegisters > protocol.MaxReadRegisters {
		return protocol.MaxReadRegisters
	}
	return l.MaxRegisters
}

// costs returns what a read of a table costs by its count, up to the largest it may have.
func costs(t protocol.Table, limits Limits, timing protocol.Timing) []time.Duration {
	costs := make([]time.Duration, limits.most(t)+1)
	for n := range costs {
		costs[n] = timing.Exchange(protocol.Read, protocol.Range{Table: t, Count: uint16(n)})
	}
	return costs
}

// run is an item with all that lie inside it: they follow it in the order.
type run struct {
	protocol.Range
	first int // its place in the order
}

// table plans the items of one table, given in the order of their starts.
func table(items []protocol.Range, order []int, holes walls, costs []time.Duration) []Read {
	runs := make([]run, 0, len(order))
	for place, i := range order {
		if n := len(runs); n == 0 || items[i].End() > runs[n-1].End() {
			runs = append(runs, run{items[i], place})
		}
	}
	from := cheapest(runs, holes, costs)
	var reads []Read
	for j, end := len(runs), len(order); j > 0; j = from[j] {
		first, last := runs[from[j]], runs[j-1]
		read := Read{Range: first.Range, Items: slices.Sorted(slices.Values(order[first.first:end]))}
		read.Range.Count = uint16(last.End() - uint32(first.Addr))
		reads = append(reads, read)
		end = first.first
	}
	slices.Reverse(reads)
	return reads
}

// cheapest returns, for each number of runs, where its last read begins. It looks at each pair of runs that one read may
// span once.
func cheapest(runs []run, holes walls, costs []time.Duration) []int {
	ends := make([]uint32, len(runs)) // how far a read that begins with the run may go
	for i, r := range runs {
		ends[i] = uint32(r.Addr) + uint32(len(costs)-1)
		if hole, ok := holes.next(r.Addr); ok {
			ends[i] = min(ends[i], uint32(hole.Addr))
		}
	}
	best := make([]time.Duration, len(runs)+1)
	from := make([]int, len(runs)+1)
	for j := 1; j <= len(runs); j++ {
		best[j] = -1
		end := runs[j-1].End()
		for i := j - 1; i >= 0 && end <= ends[i]; i-- {
			cost := best[i] + costs[end-uint32(runs[i].Addr)]
			if best[j] < 0 || cost < best[j] {
				best[j], from[j] = cost, i
			}
		}
	}
	return from
}

// Cost returns the time on the wire of all reads.
func Cost(reads []Read, timing protocol.Timing) time.Duration {
	var sum time.Duration
	for _, r := range reads {
		sum += timing.Exchange(protocol.Read, r.Range)
	}
	return sum
}

// Longest returns the longest single exchange of the reads: what a write that is next in turn waits for at most.
func Longest(reads []Read, timing protocol.Timing) time.Duration {
	var longest time.Duration
	for _, r := range reads {
		longest = max(longest, timing.Exchange(protocol.Read, r.Range))
	}
	return longest
}
