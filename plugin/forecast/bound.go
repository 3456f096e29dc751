package forecast

import (
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// boundOf returns what one device does to the wait of a write on its line.
func boundOf(d Device) protocol.WriteBound {
	timing := devices.TimingOf(d.Config.Line)
	var b protocol.WriteBound
	longest := protocol.Range{Count: 1}
	for _, v := range d.Cases {
		b.Poll = max(b.Poll, plan.Longest(v.All.Reads, timing))
		for _, r := range v.All.Reads {
			if timing.Exchange(protocol.Read, r.Range) > timing.Exchange(protocol.Read, longest) {
				longest = r.Range
			}
		}
		b.Write = max(b.Write, v.write)
	}
	b.Dead = timing.Unanswered(d.Config.Line.Pace, longest)
	if timing.Serial != nil || d.Config.Line.Quirks.Transactions == protocol.ShapeTransactions {
		b.Late = 2 * b.Dead
	}
	identity, _ := devices.IdentityPlan(d.Config.Profile, d.Config.Line) // checked when the profile was loaded
	for _, r := range identity {
		b.Identify += timing.Exchange(protocol.Read, r.Range)
	}
	return b
}

// writeTime returns how long the longest exchange of a write to one of the points takes on the wire.
func writeTime(points []profile.Point, l profile.LineSettings) time.Duration {
	timing, written := devices.TimingOf(l), longestWrite(points, l)
	return max(timing.Exchange(protocol.WriteMultiple, written), timing.Exchange(protocol.Read, written),
		longestStep(points, timing))
}

// widest joins the bounds of two devices on one line.
func widest(a, b protocol.WriteBound) protocol.WriteBound {
	return protocol.WriteBound{
		Poll: max(a.Poll, b.Poll), Dead: max(a.Dead, b.Dead), Late: max(a.Late, b.Late), Write: max(a.Write, b.Write),
		Identify: max(a.Identify, b.Identify),
	}
}

// longestStep returns the longest exchange around a write, with the wait behind it: the line is held meanwhile.
func longestStep(points []profile.Point, timing protocol.Timing) (longest time.Duration) {
	for _, p := range points {
		if p.Write == nil || p.Write.Around == nil {
			continue
		}
		for _, s := range slices.Concat(p.Write.Around.Before, p.Write.Around.After) {
			longest = max(longest, timing.Exchange(protocol.WriteMultiple, s.Range())+s.Wait)
		}
	}
	return longest
}

// longestWrite returns the most registers that one write carries: those of a point or its group or, where neighbours
// are joined, of all that lie together.
func longestWrite(points []profile.Point, l profile.LineSettings) protocol.Range {
	longest := protocol.Range{Count: 1}
	var written []protocol.Range
	for _, p := range points {
		if p.Write == nil {
			continue
		}
		if g := p.Write.Group; g != nil {
			longest.Count = max(longest.Count, g.Range.Count)
		} else if ranges, _ := p.WriteTo(); len(ranges) == 1 {
			written = append(written, ranges[0])
		}
	}
	slices.SortFunc(written, func(a, b protocol.Range) int { return int(a.Addr) - int(b.Addr) })
	var run protocol.Range
	for _, r := range written {
		if l.Join && r.Table == run.Table && uint32(r.Addr) <= run.End() && run.Count > 0 {
			run.Count = uint16(max(run.End(), r.End()) - uint32(run.Addr))
		} else {
			run = r
		}
		most := max(r.Count, min(run.Count, l.MaxRegisters, protocol.MaxWriteRegisters))
		longest.Count = max(longest.Count, most)
	}
	return longest
}
