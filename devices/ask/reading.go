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

// consistentTries is how often the words of a value are read until they are known to be of one moment.
const consistentTries = 5

// errInconsistent: the words of a value could not be read as they were at one moment.
var errInconsistent = errors.New("its words lie apart and change while they are read")

// Point reads one point. Words that lie apart are read in turn, all but the last twice: high, low, high. If they held
// the same before and after, they held it when the last was read, so the value is one that the device has had. Without
// this a carry between two reads makes a value that never was (Deye keeps high words far from the low ones).
func Point(ctx context.Context, ask Exchange, req protocol.Request, p profile.Point) (Reading, error) {
	parts := make([]part, len(p.Ranges))
	if err := readAll(ctx, ask, req, p.Ranges, parts); err != nil {
		return Reading{}, err
	}
	firsts := len(parts) - 1
	for tries := 1; firsts > 0; tries++ {
		again := slices.Clone(parts)
		if err := readAll(ctx, ask, req, p.Ranges[:firsts], again); err != nil {
			return Reading{}, err
		}
		if slices.EqualFunc(parts[:firsts], again[:firsts], part.holdsSame) {
			break
		}
		if tries == consistentTries {
			return Reading{}, errInconsistent
		}
		parts = again
		if err := readAll(ctx, ask, req, p.Ranges[firsts:], parts[firsts:]); err != nil {
			return Reading{}, err
		}
	}
	r := Reading{Key: p.Key, ReadAt: parts[0].at}
	for _, part := range parts {
		r.Raw = append(r.Raw, part.words...)
	}
	r.Value = p.Spec.Decode(r.Raw)
	return r, nil
}

// part is what one range of a point held.
type part struct {
	words []uint16
	at    time.Time
}

func (a part) holdsSame(b part) bool { return slices.Equal(a.words, b.words) }

// readAll reads one range after the other.
func readAll(ctx context.Context, ask Exchange, req protocol.Request, ranges []protocol.Range, parts []part) error {
	for i, over := range ranges {
		req.Op, req.Range, req.Words = protocol.Read, over, nil
		resp, err := ask(ctx, req)
		if err != nil {
			return err
		}
		parts[i] = part{words: resp.Words, at: resp.Sent}
	}
	return nil
}
