package ask

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// replies answers each read with the next words.
func replies(all ...uint16) (Exchange, *[]string) {
	var asked []string
	return func(_ context.Context, req protocol.Request) (protocol.Response, error) {
		asked = append(asked, req.Range.String())
		if len(asked) > len(all) {
			return protocol.Response{}, protocol.ErrTimeout
		}
		return protocol.Response{Words: []uint16{all[len(asked)-1]}, Sent: time.Now()}, nil
	}, &asked
}

// apart is a value whose high word lies far from the low one.
var apart = profile.Point{Key: "total", Spec: codec.Spec{Type: codec.U32, Scale: 1},
	Ranges: []protocol.Range{{Addr: 96, Count: 1}, {Addr: 550, Count: 1}}}

// A value in two words is read until the first held the same before and behind the second.
func TestAValueInTwoWords(t *testing.T) {
	for _, c := range []struct {
		words []uint16
		want  float64
		reads int
	}{
		{[]uint16{1, 5, 1}, 1<<16 + 5, 3},
		{[]uint16{0, 65535, 1, 3, 1}, 1<<16 + 3, 5}, // a carry between two reads
	} {
		ask, asked := replies(c.words...)
		r, err := Point(context.Background(), ask, protocol.Request{}, apart)
		if err != nil || r.Value.Num != c.want || len(*asked) != c.reads {
			t.Errorf("%v: %v, %v, asked %v", c.words, r.Value, err, *asked)
		}
	}
	ask, _ := replies(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	if _, err := Point(context.Background(), ask, protocol.Request{}, apart); !errors.Is(err, errInconsistent) {
		t.Errorf("words that never stand still: %v", err)
	}
	ask, _ = replies(1)
	if _, err := Point(context.Background(), ask, protocol.Request{}, apart); !errors.Is(err, protocol.ErrTimeout) {
		t.Errorf("no answer: %v", err)
	}
}

// A busy device is asked again a few times, later each time, and not behind the deadline; nothing else is repeated.
func TestPatiently(t *testing.T) {
	busy := protocol.ExceptionError{Code: protocol.ServerDeviceBusy}
	refused := protocol.ExceptionError{Code: protocol.IllegalDataAddress}
	for name, c := range map[string]struct {
		line   profile.LineSettings
		within time.Duration
		errs   []error
		tries  int
		ends   error
	}{
		"busy once":     {errs: []error{busy, nil}, tries: 2},
		"busy for good": {errs: []error{busy, busy, busy, busy, busy}, tries: 4, ends: busy},
		"never repeated": {line: profile.LineSettings{Busy: profile.Busy{Retries: -1}}, errs: []error{busy}, tries: 1,
			ends: busy},
		"refused":         {errs: []error{refused, nil}, tries: 1, ends: refused},
		"behind the time": {within: 10 * time.Millisecond, errs: []error{busy, nil}, tries: 1, ends: busy},
	} {
		client := Client{Line: c.line}
		req := protocol.Request{}
		if c.within > 0 {
			req.Deadline = time.Now().Add(c.within)
		}
		var due []time.Time
		err := client.Patiently(req, func(req protocol.Request) error {
			due = append(due, req.NotBefore)
			return c.errs[len(due)-1]
		})
		if len(due) != c.tries || fmt.Sprint(err) != fmt.Sprint(c.ends) {
			t.Errorf("%s: %d tries, %v", name, len(due), err)
		}
		if len(due) > 1 && time.Until(due[1]) < profile.DefaultBusyWait/2 {
			t.Errorf("%s: asked again at %v", name, due[1])
		}
	}
}

// What an error says of a device decides what is done next.
func TestWhatAnErrorSays(t *testing.T) {
	for code, want := range map[byte]string{2: "refusal", 3: "refusal", 6: "busy", 11: "silence"} {
		err := fmt.Errorf("read: %w", protocol.ExceptionError{Code: code})
		got := map[bool]string{IsRefusal(err): "refusal", IsBusy(err): "busy", IsSilence(err): "silence"}[true]
		if got != want {
			t.Errorf("exception %d is %q, want %q", code, got, want)
		}
	}
	if !IsSilence(protocol.ErrTimeout) || IsBusy(nil) || IsRefusal(nil) {
		t.Error("a timeout, or nothing")
	}
}

// A read that is garbled, and has no time to be sent again, was garbled and not dropped from the queue.
func TestGarbledAtTheEndOfItsTime(t *testing.T) {
	left := []error{protocol.ErrMisfit, protocol.ErrExpired}
	_, err := Again(func(context.Context, protocol.Request) (_ protocol.Response, err error) {
		err, left = left[0], left[1:]
		return protocol.Response{}, err
	})(t.Context(), protocol.Request{})
	if !errors.Is(err, protocol.ErrMisfit) || len(left) > 0 {
		t.Errorf("%v, not asked: %v", err, left)
	}
}
