// Package plan finds the cheapest set of reads that covers a set of ranges. It is pure: from the ranges, the limits of
// the device and the wire-time model it computes the reads.
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
	MaxRegisters uint16           // per read. Defaults to 125, the limit of the standard. Not for bits
	Holes        []protocol.Range // no read may touch them
	NamedOnly    bool             // no read may touch what lies between items
	Starts       []protocol.Range // no read may pass over the first register of one, but begin there
}

// Read is one planned request.
type Read struct {
	Range protocol.Range
	Items []int // indexes of the items that it covers, ascending
}

// Plan returns the reads that cover every item at the least cost, ordered by table and address. It never splits an item
// over two reads. Items may repeat, overlap, or lie inside each other. The error names an item that cannot be read: it
// is longer than a read may be, or empty, or it touches a hole.
//
// The plan is optimal. This is why: sort the items by their start.
//
//	address  100                 110                 120                 130
//	item 0   [=========]
//	item 1      [===]                                                          inside item 0, read with it
//	item 2           [=====]
//	item 3                             [==]
//	item 4                                                [========]
//	         |---- read A ----|        |--------- read B -----------|
//
// An item inside an earlier one costs nothing, so only the others count. Both their starts and their ends ascend. If a
// read covers items 2 and 4, it also passes over item 3 and can as well cover it. So there is an optimal plan in which
// each read covers consecutive items, and the last read covers i+1 to j for some i. The best plan for the first j items
// is then the best plan for the first i, plus that read, with the i that costs least. cheapest tries them all.
func Plan(items []protocol.Range, limits Limits, timing protocol.Timing) ([]Read, error) {
	avoid := byTable(limits.Holes)
	order := make([]int, len(items))
	for i, item := range items {
		if err := limits.check(item, avoid[item.Table]); err != nil {
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
		within := bounds{avoid[t], limits.Starts, limits.NamedOnly}
		reads = append(reads, table(items, order[:n], within, limits.costs(items, order[:n], timing))...)
		order = order[n:]
	}
	return reads, nil
}

// Check returns why an item cannot be read, as Plan does, or nil.
func (l Limits) Check(item protocol.Range) error {
	return l.check(item, byTable(l.Holes)[item.Table])
}

func (l Limits) check(item protocol.Range, avoid holes) error {
	if item.Count == 0 || item.End() > 1<<16 {
		return fmt.Errorf("plan %v: empty or beyond address 65535", item)
	}
	if most := l.most(item.Table); item.Count > most {
		return fmt.Errorf("plan %v: longer than the %d that one read may have", item, most)
	}
	if hole, ok := avoid.next(item.Addr); ok && hole.Overlaps(item) {
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

// costs returns the time of a read for each count, up to the largest that a read of these items of one table may have.
func (l Limits) costs(items []protocol.Range, order []int, timing protocol.Timing) []time.Duration {
	first := items[order[0]]
	t, most := first.Table, uint32(0)
	for _, i := range order {
		most = max(most, items[i].End()-uint32(first.Addr))
	}
	costs := make([]time.Duration, min(most, uint32(l.most(t)))+1)
	for n := range costs {
		costs[n] = timing.Exchange(protocol.Read, protocol.Range{Table: t, Count: uint16(n)})
	}
	return costs
}

// run is an item together with the items inside it, which follow it in the order.
type run struct {
	protocol.Range
	first int // its place in the order
}

// table plans the items of one table, which are in the order of their starts.
func table(items []protocol.Range, order []int, within bounds, costs []time.Duration) []Read {
	runs := make([]run, 0, len(order))
	for place, i := range order {
		if n := len(runs); n == 0 || items[i].End() > runs[n-1].End() {
			runs = append(runs, run{items[i], place})
		}
	}
	from := cheapest(runs, within, costs)
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

// cheapest returns, for the first j runs of every j, the run with which the last read of their best plan begins. It
// looks once at each pair of runs that one read can cover.
func cheapest(runs []run, within bounds, costs []time.Duration) []int {
	ends := make([]uint32, len(runs)) // where a read that begins with the run has to end
	for i, r := range slices.Backward(runs) {
		ends[i] = uint32(r.Addr) + uint32(len(costs)-1)
		ends[i] = within.end(r, ends[i])
		if within.named && i+1 < len(runs) && uint32(runs[i+1].Addr) <= r.End() {
			ends[i] = min(ends[i], max(ends[i+1], r.End()))
		} else if within.named {
			ends[i] = min(ends[i], r.End())
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

// bounds are what no read passes over.
type bounds struct {
	avoid  holes
	starts []protocol.Range // of any table
	named  bool             // nor over what lies between items
}

// end returns where a read that begins with a run has to end, at most at an address.
func (b bounds) end(r run, most uint32) uint32 {
	if hole, ok := b.avoid.next(r.Addr); ok {
		most = min(most, uint32(hole.Addr))
	}
	for _, s := range b.starts {
		if s.Table == r.Table && s.Addr > r.Addr {
			most = min(most, max(uint32(s.Addr), r.End())) // an item is not cut
		}
	}
	return most
}

// Cost returns how long all reads take on the wire.
func Cost(reads []Read, timing protocol.Timing) time.Duration {
	var sum time.Duration
	for _, r := range reads {
		sum += timing.Exchange(protocol.Read, r.Range)
	}
	return sum
}

// Longest returns how long the longest of the reads takes: the most that a write waits if it is next.
func Longest(reads []Read, timing protocol.Timing) time.Duration {
	var longest time.Duration
	for _, r := range reads {
		longest = max(longest, timing.Exchange(protocol.Read, r.Range))
	}
	return longest
}
