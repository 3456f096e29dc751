package poll

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// answering is a device that is asked by a function.
type answering struct {
	points []profile.Point
	do     func(r protocol.Range) error
}

func (a answering) Selection(version uint64) (Selection, bool) {
	return Selection{Version: 1, Points: a.points}, version != 1
}

func (a answering) Do(_ context.Context, req protocol.Request) (protocol.Response, error) {
	return protocol.Response{Words: make([]uint16, req.Range.Count), Sent: time.Now()}, a.do(req.Range)
}

func (answering) Report(context.Context, []ask.Reading) {}

// A request that did not go out teaches nothing of the length of reads, and no hole.
func TestNothingIsLearntFromWhatWasNotAsked(t *testing.T) {
	var points []profile.Point
	for i := range uint16(64) {
		points = append(points, profile.Point{Key: fmt.Sprint("r", i), Interval: profile.Now,
			Ranges: []protocol.Range{{Addr: 100 + i, Count: 1}}})
	}
	for nth := 1; nth <= 6; nth++ { // of the probes behind the halves
		asked, halves, longest := 0, 0, uint16(0)
		p := New(Config{}, ask.Client{}, answering{points, func(r protocol.Range) error {
			switch asked++; {
			case halves < 2 && r.Count == 32:
				halves++
				asked = 0
			case halves == 2 && asked == nth+1: // the first is the whole once more
				return protocol.ErrExpired
			case r.Count > 50:
				return protocol.ExceptionError{Function: 3, Code: protocol.IllegalDataValue}
			}
			return nil
		}}, zerolog.Nop())
		for range 100 {
			p.Step(t.Context())
			if longest = p.Longest().Registers; longest > 0 {
				break
			}
			p.schedule.anew()
		}
		if holes := p.Holes(); longest != 50 || len(holes) > 0 {
			t.Errorf("probe %d was not asked: learnt %d, holes %v", nth, longest, holes)
		}
	}
}
