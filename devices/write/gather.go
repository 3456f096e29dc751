package write

import (
	"cmp"
	"context"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// A scene sets its entities one by one, within a few milliseconds. So a value that can leave in one request with others
// waits for them, with the line held already: on a busy line the time has passed by then.
const (
	gatherFor  = 30 * time.Millisecond // for the next, from the arrival of the last
	gatherMost = 100 * time.Millisecond
)

// gather waits for what can leave with the entry that is written next.
func (w *Writer) gather(ctx context.Context) {
	for {
		until := w.queue.gathering(func(e *entry) bool { return !e.from.After(time.Now()) && w.mayGo(e) })
		if !until.After(time.Now()) {
			return
		}
		timer := time.NewTimer(time.Until(until))
		select {
		case <-timer.C:
		case <-w.queue.wake:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// companions returns the keys of the points that can leave in one request with p: those of its group, or settings that
// are its neighbours where the line joins them.
func (w *Writer) companions(p profile.Point) (keys []string) {
	if g := p.Write.Group; g != nil {
		return slices.DeleteFunc(slices.Clone(g.Members), func(key string) bool { return key == p.Key })
	}
	if !w.client.Line.Join || !joins(p) {
		return nil
	}
	var run []profile.Point
	for _, o := range w.device.Points() {
		if o.Key == p.Key || o.Write != nil && joins(o) && w.alike(o, p) && w.mayWrite(o) == nil {
			run = append(run, o)
		}
	}
	slices.SortFunc(run, func(a, b profile.Point) int { return cmp.Compare(a.Ranges[0].Addr, b.Ranges[0].Addr) })
	var end uint32
	found := false
	for _, o := range run {
		if r := o.Ranges[0]; uint32(r.Addr) > end && !found {
			keys = nil
		} else if uint32(r.Addr) > end {
			break
		}
		end = max(end, o.Ranges[0].End())
		if found = found || o.Key == p.Key; o.Key != p.Key {
			keys = append(keys, o.Key)
		}
	}
	return keys
}

// joins reports whether a point can be written together with its neighbours.
func joins(p profile.Point) bool {
	return !p.Button() && !isElsewhere(p) && len(p.Ranges) == 1 && p.Write.Group == nil && !p.Write.Single
}

// alike reports whether two points are written in the same way: neither needs arming that the other does not, both need
// the same time to settle, and the same goes before and after.
func (w *Writer) alike(p, o profile.Point) bool {
	return p.Write.Arm == o.Write.Arm && p.Write.Single == o.Write.Single && p.Write.Around == o.Write.Around &&
		w.settleTime(p) == w.settleTime(o) && p.Ranges[0].Table == o.Ranges[0].Table
}

// reach returns the registers that a write to the point changes: those of its group, if it has one.
func reach(p profile.Point) protocol.Range {
	if p.Write != nil && p.Write.Group != nil {
		return p.Write.Group.Range
	}
	return writtenAt(p)
}
