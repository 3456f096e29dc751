package devices

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// mayJoin reports whether a point may be written in one request with others: parts of one register always, neighbouring registers
// where the line allows it. All have one settle time, and none needs arming that another does not.
func (d *Device) mayJoin(together []*member, p profile.Point) bool {
	first := together[0].p
	if first.Button() || p.Button() || len(p.Ranges) != 1 || p.Write.Arm != first.Write.Arm ||
		p.Write.Single != first.Write.Single || d.settle(p) != d.settle(first) {
		return false
	}
	r := p.Ranges[0]
	for _, m := range together {
		if over := m.at(); over == r && p.Spec.Partial() && m.p.Spec.Partial() {
			return true
		} else if over.Overlaps(r) {
			return false
		}
	}
	all := coverOf(together)
	if !d.cfg.Line.Join || p.Write.Single || r.Table != all.Table || uint32(r.Addr) != all.End() && r.End() != uint32(all.Addr) {
		return false
	}
	return all.Count+r.Count <= d.mostAtOnce()
}

// mostAtOnce returns the most registers that are written together: what one request can write and one can read back.
func (d *Device) mostAtOnce() uint16 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return min(protocol.MaxWriteRegisters, d.limits(d.points).MaxRegisters)
}

// settle returns the time between a write to the point and its read-back.
func (d *Device) settle(p profile.Point) time.Duration {
	return cmp.Or(p.Write.Settle, d.cfg.Line.Settle)
}

// runs cuts members into groups of neighbouring registers, in their order.
func runs(members []*member) (all [][]*member) {
	sorted := slices.SortedStableFunc(slices.Values(members), func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.at().Table, b.at().Table), cmp.Compare(a.at().Addr, b.at().Addr))
	})
	for _, m := range sorted {
		if n := len(all); n > 0 {
			if last := coverOf(all[n-1]); last.Table == m.at().Table && uint32(m.at().Addr) <= last.End() {
				all[n-1] = append(all[n-1], m)
				continue
			}
		}
		all = append(all, []*member{m})
	}
	return all
}

// coverOf returns the smallest range that contains all members.
func coverOf(members []*member) protocol.Range {
	all := members[0].at()
	for _, m := range members[1:] {
		if r := m.at(); r.Addr < all.Addr {
			all = union(r, all)
		} else {
			all = union(all, r)
		}
	}
	return all
}

// untilEnded returns a context that ends when n of the callers have gone. Its values are those of the first.
func untilEnded(n int, callers []*job) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(callers[0].ctx))
	var left atomic.Int32
	left.Store(int32(n))
	stops := make([]func() bool, len(callers))
	for i, j := range callers {
		stops[i] = context.AfterFunc(j.ctx, func() {
			if left.Add(-1) == 0 {
				cancel()
			}
		})
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
