package poll

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// A register that is never answered as it should be is soon left alone for a while, whatever comes in place of a reply,
// and also where it was answered before.
func TestOneRegisterIsNeverAnswered(t *testing.T) {
	points := []profile.Point{{Key: "a", Ranges: []protocol.Range{{Addr: 10, Count: 1}}},
		{Key: "b", Ranges: []protocol.Range{{Addr: 1000, Count: 1}}}}
	for name, err := range map[string]error{
		"nothing":                     protocol.ErrTimeout,
		"another size":                protocol.ErrMisfit,
		"another size, on a line":     errors.Join(protocol.ErrMisfit, protocol.ErrTimeout),
		"another size, once answered": errors.Join(protocol.ErrMisfit, protocol.ErrTimeout, errors.New("later")),
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			p := New(Config{}, ask.Client{}, answering{points, func(r protocol.Range) error {
				time.Sleep(20 * time.Millisecond)
				if r.Addr != 1000 {
					return nil
				}
				if asked++; asked < 10 && name == "another size, once answered" {
					return nil
				}
				return err
			}}, zerolog.Nop())
			for end := time.Now().Add(30 * time.Minute); time.Now().Before(end); {
				p.Step(t.Context())
			}
			if len(p.Refused()) != 1 || asked > 80 {
				t.Errorf("%s: asked %d times in half an hour, refused %v", name, asked, p.Refused())
			}
		})
	}
}

// A block of which no register is answered as it should be keeps the others waiting for seconds at most.
func TestASearchHoldsNothingUp(t *testing.T) {
	points := []profile.Point{{Key: "a", Ranges: []protocol.Range{{Addr: 10, Count: 1}}}}
	for i := range uint16(100) {
		points = append(points, profile.Point{Key: fmt.Sprint("b", i),
			Ranges: []protocol.Range{{Addr: 1000 + i, Count: 1}}})
	}
	for name, odd := range map[string]struct {
		err   error
		after time.Duration
	}{
		"busy":                    {protocol.ExceptionError{Code: protocol.ServerDeviceBusy}, 20 * time.Millisecond},
		"another size":            {protocol.ErrMisfit, 60 * time.Millisecond},
		"another size, on a line": {errors.Join(protocol.ErrMisfit, protocol.ErrTimeout), time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			var longest time.Duration
			last := time.Now()
			p := New(Config{}, ask.Client{}, answering{points, func(r protocol.Range) error {
				if r.Addr >= 1000 {
					time.Sleep(odd.after)
					return odd.err
				}
				time.Sleep(20 * time.Millisecond)
				longest, last = max(longest, time.Since(last)), time.Now()
				return nil
			}}, zerolog.Nop())
			for end := time.Now().Add(30 * time.Minute); time.Now().Before(end); {
				p.Step(t.Context())
			}
			if longest > 15*time.Second {
				t.Errorf("%s: nothing else was asked for %v", name, longest)
			}
		})
	}
}
