package ask

import (
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Reading is a value of a point, with its registers as they were read and the moment at which the read began.
type Reading struct {
	Key    string // of the point
	Value  codec.Value
	Raw    []uint16
	ReadAt time.Time
}

// consistentReads is how often the words of a value are read again until they are known to be of one moment.
const consistentReads = 8

// errInconsistent: the words of a value could not be read as they were at one moment.
var errInconsistent = errors.New("its words lie apart and change while they are read")

// Point reads one point. Words that lie apart are read in turn until all but one have been read again and held the
// same: high, low, high. They held it when that one was read, so the value is one that the device has had. Without this
// a carry between two reads makes a value that never was (Deye keeps high words far from the low ones).
func Point(ctx context.Context, ask Exchange, req protocol.Request, p profile.Point) (Reading, error) {
	if over, near := together(p); near {
		return pointIn(ctx, ask, req, p, over)
	}
	parts := make([]part, len(p.Ranges))
	for i, same := 0, 0; same < len(parts)-1 || parts[len(parts)-1].words == nil; i++ {
		if i == len(parts)+consistentReads {
			return Reading{}, errInconsistent
		}
		now, err := readPart(ctx, ask, req, p.Ranges[i%len(parts)])
		if err != nil {
			return Reading{}, err
		}
		before := &parts[i%len(parts)]
		if same++; !slices.Equal(before.words, now.words) {
			same, *before = 0, now
		}
	}
	r := Reading{Key: p.Key, ReadAt: parts[0].at}
	for _, part := range parts {
		r.Raw = append(r.Raw, part.words...)
		if part.at.Before(r.ReadAt) {
			r.ReadAt = part.at
		}
	}
	r.Value = p.Spec.Decode(r.Raw)
	return r, nil
}

// together returns the range of one read that brings a value with its power of ten.
func together(p profile.Point) (over protocol.Range, near bool) {
	if !p.Spec.ScaleWord {
		return over, false
	}
	over = p.Ranges[0]
	for _, r := range p.Ranges[1:] {
		end := max(over.End(), r.End())
		over.Addr = min(over.Addr, r.Addr)
		if end-uint32(over.Addr) > protocol.MaxReadRegisters || r.Table != over.Table {
			return over, false
		}
		over.Count = uint16(end - uint32(over.Addr))
	}
	return over, true
}

// pointIn reads a point in one read.
func pointIn(ctx context.Context, ask Exchange, req protocol.Request, p profile.Point,
	over protocol.Range) (Reading, error) {
	whole, err := readPart(ctx, ask, req, over)
	if err != nil {
		return Reading{}, err
	}
	r := Reading{Key: p.Key, ReadAt: whole.at}
	for _, one := range p.Ranges {
		from := one.Addr - over.Addr
		r.Raw = append(r.Raw, whole.words[from:from+one.Count]...)
	}
	r.Value = p.Spec.Decode(r.Raw)
	return r, nil
}

// part is what one range of a point held.
type part struct {
	words []uint16
	at    time.Time
}

// readPart reads one range.
func readPart(ctx context.Context, ask Exchange, req protocol.Request, over protocol.Range) (part, error) {
	req.Op, req.Range, req.Words = protocol.Read, over, nil
	resp, err := ask(ctx, req)
	return part{words: resp.Words, at: resp.Sent}, err
}
