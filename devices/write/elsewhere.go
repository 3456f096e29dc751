package write

import (
	"context"
	"math"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Some values are written to other registers than they are read from, or in another encoding, and a value with a power
// of ten in a register of its own is written without it. Such a value is read back as it is read, and it is confirmed
// when that is the value that was wanted.

// isElsewhere reports whether a point is written in another way than it is read.
func isElsewhere(p profile.Point) bool {
	return p.Write != nil && (p.Write.Ranges != nil || p.Write.Spec != nil)
}

// writtenAt returns the registers that are written; none of a point that is read only.
func writtenAt(p profile.Point) protocol.Range {
	ranges := p.Ranges
	if p.Write != nil {
		ranges, _ = p.WriteTo()
	}
	if len(ranges) == 0 {
		return protocol.Range{}
	}
	return ranges[0]
}

func writeSpec(p profile.Point) codec.Spec {
	_, spec := p.WriteTo()
	return spec
}

// readElsewhere reads back the points of a run that are not read where they are written, and returns the others.
func (w *Writer) readElsewhere(ctx context.Context, x protocol.Exchanger, run []*pointWrite,
	deadline time.Time) (rest []*pointWrite) {
	for _, p := range run {
		if !isElsewhere(p.p) {
			rest = append(rest, p)
			continue
		}
		req := w.client.Request(protocol.PriorityWrite, 0)
		req.Deadline = deadline
		found, err := ask.Point(ctx, x.Exchange, req, p.p)
		if p.unread = err; err == nil {
			p.found = &found
		}
	}
	return rest
}

// readTargets reads the registers of which a point that is read elsewhere is only a part.
func (w *Writer) readTargets(ctx context.Context, x protocol.Exchanger, run []*pointWrite, deadline time.Time) {
	for _, p := range run {
		if p.unread != nil || !isElsewhere(p.p) || !writeSpec(p.p).Partial() {
			continue
		}
		req := w.client.Request(protocol.PriorityWrite, 0)
		req.Op, req.Range, req.Deadline = protocol.Read, p.at(), deadline
		resp, err := x.Exchange(ctx, req)
		p.target, p.unread = resp.Words, err
	}
}

// holds reports whether what was read is what is wanted.
func (p *pointWrite) holds(found ask.Reading) bool {
	if p.isRight != nil {
		return p.isRight(p.p, found)
	}
	if isElsewhere(p.p) && !p.p.Button() {
		return sameValue(p.value, found.Value)
	}
	return p.p.Spec.Same(p.words, found.Raw)
}

// sameValue compares what is wanted with what was read, but for the noise of floats.
func sameValue(wanted, found codec.Value) bool {
	if wanted.Kind == codec.KindNumber && found.Kind == codec.KindNumber {
		return math.Abs(wanted.Num-found.Num) <= 1e-9*math.Max(1, math.Abs(wanted.Num))
	}
	return wanted == found
}

// Holds reports whether a reading of a point is of the value.
func Holds(p profile.Point, v codec.Value, r ask.Reading) bool {
	if isElsewhere(p) {
		return sameValue(v, r.Value)
	}
	words, err := p.Spec.Encode(v, r.Raw)
	return err == nil && p.Spec.Same(words, r.Raw)
}

// overlapsAny reports whether a point shares a register, read or written, with a range.
func overlapsAny(p profile.Point, over protocol.Range) bool {
	return reach(p).Overlaps(over) || slices.ContainsFunc(p.Ranges, over.Overlaps)
}
