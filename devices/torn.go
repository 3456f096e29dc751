package devices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// provingRounds is how often the parts of a value are read again until they are known to be of one moment.
const provingRounds = 4

// errTorn: the parts of a value could not be had of one moment.
var errTorn = errors.New("its words lie apart and change while they are read")

// torn reports whether the parts of a point, all there, are not known to be of one moment. It reads again what it takes to know.
func (p *poller) torn(ctx context.Context, f *fetch, point int) bool {
	from, to := f.layout.itemsOf(point)
	parts := f.got[from:to]
	if len(parts) < 2 || slices.ContainsFunc(parts, func(a answer) bool { return a.words == nil }) {
		return false
	}
	of := f.layout.points[point]
	before := p.apart[of.Key]
	req := f.req
	req.Deadline = time.Now().Add(f.within)
	err := prove(ctx, p.d.poll, req, of, parts, before)
	p.apart[of.Key] = slices.Clone(parts)
	if err == nil || ctx.Err() != nil {
		return err != nil
	}
	if p.misses[of.Key]++; p.misses[of.Key] == failuresToLose {
		p.none(ctx, of.Key, err.Error())
	}
	return true
}

// prove makes sure that the parts of a point, each read for itself, are of one moment: a carry from one word to the next between two reads
// would make a value that never was (Deye keeps high words far from the low ones). It is so if all parts but the one read last hold
// the same when they are read again behind it: they held it when the last was read. Otherwise the new words count and it is tried
// with the next. before are the parts of an earlier cycle: a counter whose parts behind the first have not moved since has not carried.
func prove(ctx context.Context, ask exchange, req protocol.Request, p profile.Point, parts, before []answer) error {
	if ofOneRequest(parts) || isCounter(p) && stoodStill(parts, before) {
		return nil
	}
	for range provingRounds {
		moved := false
		order := byTime(parts)
		for _, i := range order[:len(order)-1] {
			again, err := readPart(ctx, ask, req, p.Ranges[i])
			if err != nil {
				return fmt.Errorf("read again %v: %w", p.Ranges[i], err)
			}
			moved = moved || !slices.Equal(again.words, parts[i].words)
			parts[i] = again
		}
		if !moved {
			return nil
		}
	}
	return errTorn
}

// ofOneRequest reports whether one reply has brought all parts.
func ofOneRequest(parts []answer) bool {
	return !slices.ContainsFunc(parts, func(a answer) bool { return a.over != parts[0].over || !a.at.Equal(parts[0].at) })
}

// isCounter reports whether the value never falls but to begin anew.
func isCounter(p profile.Point) bool { return p.Entity.StateClass == "total_increasing" }

// stoodStill reports whether all parts but the one read first are as they were before.
func stoodStill(parts, before []answer) bool {
	if len(before) != len(parts) {
		return false
	}
	for _, i := range byTime(parts)[1:] {
		if !slices.Equal(parts[i].words, before[i].words) {
			return false
		}
	}
	return true
}

// byTime returns the parts' indexes in the order in which they were read.
func byTime(parts []answer) []int {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return parts[a].at.Compare(parts[b].at) })
	return order
}
