package forecast

import (
	"encoding/binary"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol/plan"
)

// planner plans the reads of one device. Most cases of a family have most of their points in common, and points that
// are the same are planned once.
type planner struct {
	of    devices.Config
	plans map[string]readPlan // by points
}

type readPlan struct {
	reads []plan.Read
	err   error
}

// plan returns the cost of polling points, of which shown have an entity.
func (p *planner) plan(shown int, points []profile.Point) Plan {
	timing := devices.TimingOf(p.of.Line)
	all := p.reads(points)
	cost := Plan{Points: shown, Reads: all.reads, Err: all.err}
	cost.Time, cost.Longest = plan.Cost(cost.Reads, timing), plan.Longest(cost.Reads, timing)
	for _, r := range cost.Reads {
		cost.Registers += int(r.Range.Count)
	}
	for _, class := range []profile.Interval{profile.Now, profile.Normal, profile.Slow} {
		var of []profile.Point
		for _, point := range points {
			if point.Interval == class {
				of = append(of, point)
			}
		}
		wire := plan.Cost(p.reads(of).reads, timing) // its error is in Err already
		if class == profile.Now {
			cost.Now = wire
		}
		if every := p.of.Intervals[class]; every > 0 {
			cost.Load += wire.Seconds() / every.Seconds()
		}
	}
	return cost
}

func (p *planner) reads(points []profile.Point) readPlan {
	var key []byte
	for _, point := range points {
		key = append(append(key, point.Key...), 0)
		for _, r := range point.Ranges {
			key = binary.LittleEndian.AppendUint16(append(key, byte(r.Table)), r.Addr)
			key = binary.LittleEndian.AppendUint16(key, r.Count)
		}
	}
	known, ok := p.plans[string(key)]
	if !ok {
		known.reads, known.err = devices.ReadPlan(points, p.of.Line)
		p.plans[string(key)] = known
	}
	return known
}
