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
		{"broken", Response{Sent: time.Now()}, link(errGone), func(s Stats) uint64 { return s.Failures }},
		{"expired", Response{}, fmt.Errorf("read: %w", ErrExpired), func(s Stats) uint64 { return s.Expired }},
		{"cancelled", Response{}, fmt.Errorf("read: %w", context.Canceled),
			func(s Stats) uint64 { return s.Cancelled }},
	} {
		r := newRecorder(nil)
		r.exchanged(readOf(0, 1), tt.resp, tt.err, time.Now(), time.Now().Add(time.Millisecond))
		sum := r.Replies + r.Exceptions + r.Timeouts + r.Failures
		if tt.got(r.Stats) != 1 || sum != r.Requests || sum+r.Expired+r.Cancelled != 1 {
			t.Errorf("%s: %+v", tt.name, r.Stats)
		}
		if tt.err != nil && r.Requests == 1 && !errors.Is(r.LastError, tt.err) {
			t.Errorf("%s: last error %v", tt.name, r.LastError)
		}
	}
}

// What is told of a unit is only its own, and what the wire takes is not the device's.
func TestUnitStats(t *testing.T) {
	r := newRecorder(&serialLink{})
	sent := time.Now()
	wire := DefaultSerial.Chars(8 + 5 + 2*10)
	reply := Response{Sent: sent, Done: sent.Add(wire + 20*time.Millisecond)}
	r.exchanged(readOf(0, 10), reply, nil, sent, reply.Done)
	no := Response{Sent: sent, Done: sent.Add(DefaultSerial.Chars(8+5) + 3*time.Millisecond)}
	r.exchanged(readOf(0, 10), no, fmt.Errorf("read: %w", ExceptionError{3, 6}), sent, no.Done)
	other := readOf(0, 1)
	other.Unit = 2
	r.exchanged(other, Response{Sent: sent}, &LinkError{Op: "receive", Link: "x", Err: ErrTimeout}, sent,
		sent.Add(time.Second))
	r.writeWait(2, 7*time.Millisecond)
	s := r.clone().snapshot(sent.Add(time.Second))
	one := Spread{Count: 1, P50: 7 * time.Millisecond, P95: 7 * time.Millisecond, Max: 7 * time.Millisecond}
	if u := s.Units[2]; u.Requests != 1 || u.Timeouts != 1 || u.Replies != 0 || u.WriteWait != one ||
		u.Latency != (Spread{}) {
		t.Errorf("unit 2: %+v", u)
	}
	u := s.Units[1]
	if u.Requests != 2 || u.Replies != 1 || u.Exceptions != 1 || u.Busy != 1 || u.Timeouts != 0 ||
		u.Latency.Max != wire+20*time.Millisecond {
		t.Errorf("unit 1: %+v", u)
	}
	if u.Turnaround.P50 != 3*time.Millisecond || u.Turnaround.Max != 20*time.Millisecond {
		t.Errorf("turnaround %+v", u.Turnaround)
	}
	tcp := newRecorder(&fakeLink{})
	tcp.exchanged(readOf(0, 10), reply, nil, sent, reply.Done)
	if u := tcp.clone().snapshot(reply.Done).Units[1]; u.Turnaround != u.Latency || u.Latency.Count != 1 {
		t.Errorf("TCP: %+v", u)
	}
}

func TestLoad(t *testing.T) {
	begun := time.Unix(1_000_000_003, 0)
	at := func(s float64) time.Time { return begun.Add(time.Duration(s * float64(time.Second))) }
	for _, tt := range []struct {
		name  string
		taken [][2]float64
		now   float64
		want  float64
	}{
		{"nothing", nil, 10, 0},
		{"no time", nil, 0, 0},
		{"half of ten seconds", [][2]float64{{0, 2}, {4, 7}}, 10, 0.5},
		{"all the time", [][2]float64{{0, 300}}, 300, 1},
		{"once, long ago", [][2]float64{{0, 20}}, 200, 0},
		{"half of each second", [][2]float64{{230, 235}, {240, 245}, {250, 255}, {260, 265}, {270, 275}, {280, 285},
			{290, 295}}, 300, 0.5},
	} {
		var l load
		for _, span := range tt.taken {
			l.add(at(span[0]), at(span[1]))
		}
		if got := l.share(begun, at(tt.now)); got < tt.want-0.06 || got > tt.want+0.06 {
			t.Errorf("%s: %.3f, want %.2f", tt.name, got, tt.want)
		}
	}
}

// serialLink tells its setting.
type serialLink struct{ fakeLink }

func (*serialLink) Serial() Serial { return DefaultSerial }

var errGone = errors.New("gone")
