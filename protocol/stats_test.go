package protocol

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestRing(t *testing.T) {
	var r ring
	if s := r.spread(); s != (Spread{}) {
		t.Errorf("empty: %+v", s)
	}
	for i := range 1000 {
		r.add(time.Duration(i+1) * time.Millisecond)
	}
	// The last 512: 489..1000 ms.
	want := Spread{Count: 512, P50: 744 * time.Millisecond, P95: 974 * time.Millisecond, Max: time.Second}
	if s := r.spread(); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
	r = ring{}
	r.add(5)
	if s := r.spread(); s != (Spread{1, 5, 5, 5}) {
		t.Errorf("one: %+v", s)
	}
}

func TestRecorder(t *testing.T) {
	sent := Response{Sent: time.Now(), Done: time.Now().Add(time.Millisecond)}
	link := func(err error) error { return fmt.Errorf("read: %w", &LinkError{Op: "receive", Link: "x", Err: err}) }
	for _, tt := range []struct {
		name string
		resp Response
		err  error
		got  func(s Stats) uint64
	}{
		{"reply", sent, nil, func(s Stats) uint64 { return s.Replies }},
		{"exception", sent, fmt.Errorf("read: %w", ExceptionError{3, 2}), func(s Stats) uint64 { return s.Exceptions }},
		{"timeout", Response{Sent: time.Now()}, link(ErrTimeout), func(s Stats) uint64 { return s.Timeouts }},
		{"broken", Response{Sent: time.Now()}, link(errHungUp), func(s Stats) uint64 { return s.Failures }},
		{"expired", Response{}, fmt.Errorf("read: %w", ErrExpired), func(s Stats) uint64 { return s.Expired }},
		{"cancelled", Response{}, fmt.Errorf("read: %w", context.Canceled), func(s Stats) uint64 { return s.Cancelled }},
	} {
		r := &recorder{}
		r.exchanged(tt.resp, tt.err, time.Millisecond)
		sum := r.Replies + r.Exceptions + r.Timeouts + r.Failures
		if tt.got(r.Stats) != 1 || sum != r.Requests || sum+r.Expired+r.Cancelled != 1 {
			t.Errorf("%s: %+v", tt.name, r.Stats)
		}
		if tt.err != nil && r.Requests == 1 && !errors.Is(r.LastError, tt.err) {
			t.Errorf("%s: last error %v", tt.name, r.LastError)
		}
	}
}
