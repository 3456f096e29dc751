package protocol

import (
	"errors"
	"io"
	"testing"
	"time"
)

var errUnplugged = errors.New("no such device")

func TestBusDownPollsFailAtOnce(t *testing.T) {
	l := &fakeLink{openErr: errUnplugged}
	onBus(t, l, func(t *testing.T, b *Bus) {
		begun := time.Now()
		for time.Since(begun) < 10*time.Minute {
			polled := time.Now()
			_, err := b.Do(t.Context(), at(PriorityPoll, 0))
			if !errors.Is(err, ErrDown) || !errors.Is(err, errUnplugged) {
				t.Fatal(err)
			}
			if !time.Now().Equal(polled) {
				t.Fatalf("the poll waited %v", time.Since(polled))
			}
			time.Sleep(500 * time.Millisecond)
		}
		// 1, 2, 4, 8, 16, 32, 60, 60...
		if n := len(l.opened); n < 13 || n > 18 {
			t.Errorf("tried %d times in 10 minutes", n)
		}
		for i, opened := range l.opened[1:] {
			pause, want := opened.Sub(l.opened[i]), min(time.Second<<i, time.Minute)
			if i > 6 {
				want = time.Minute
			}
			if pause < want*8/10 || pause > want*12/10+500*time.Millisecond {
				t.Errorf("pause %d is %v, want about %v", i, pause, want)
			}
		}
		if s := b.Stats(); s.DownSince != begun || !errors.Is(s.LastError, errUnplugged) || s.Openings != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// A write waits for a line that has just gone down, and tries it each second. For one that has been down for long it
// tries once, so that a person soon hears why.
func TestBusDownWritesTryAgain(t *testing.T) {
	l := &fakeLink{}
	gone := false
	l.answer = func(int, Request) error {
		if gone {
			return &LinkError{Op: "receive", Link: "fake", Err: io.EOF}
		}
		return nil
	}
	onBus(t, l, func(t *testing.T, b *Bus) {
		write := func(backAfter, least, most time.Duration, tries int) {
			t.Helper()
			before, begun := len(l.opened), time.Now()
			if backAfter > 0 {
				time.AfterFunc(backAfter, func() { gone = false; l.set(nil) })
			}
			req := at(PriorityWrite, 1)
			req.Deadline = begun.Add(30 * time.Second)
			_, err := b.Do(t.Context(), req)
			if back := backAfter > 0; back != (err == nil) || !back && (!errors.Is(err, ErrDown) ||
				!errors.Is(err, errUnplugged)) {
				t.Error(err)
			}
			if took := time.Since(begun); took < least || took > most {
				t.Errorf("it took %v, want %v to %v", took, least, most)
			}
			if n := len(l.opened) - before; n < tries-1 || n > tries+1 {
				t.Errorf("tried %d times, want about %d", n, tries)
			}
		}
		unplug := func() {
			for range 120 { // it comes up, and stays up
				_, _ = b.Do(t.Context(), at(PriorityPoll, 0))
				time.Sleep(time.Second)
			}
			gone = true
			l.set(errUnplugged)
			_, _ = b.Do(t.Context(), at(PriorityPoll, 0))
		}
		unplug()
		write(0, 4*time.Second, 6500*time.Millisecond, 6)
		write(0, 0, time.Second, 1)
		for range 200 { // into the long pauses
			_, _ = b.Do(t.Context(), at(PriorityPoll, 0))
			time.Sleep(time.Second)
		}
		write(0, 0, time.Second, 1)
		l.set(nil)
		gone = false
		unplug()
		write(2500*time.Millisecond, 2500*time.Millisecond, 4*time.Second, 4)
	})
}

// A line that opens and breaks at once must not be opened in a circle; one that had stayed up is reopened at once.
func TestBusBackoffEndsWhenUp(t *testing.T) {
	broken := false
	l := &fakeLink{answer: func(int, Request) error {
		if broken {
			return &LinkError{Op: "receive", Link: "fake", Err: io.EOF}
		}
		return nil
	}}
	onBus(t, l, func(t *testing.T, b *Bus) {
		broken = true
		for range 600 {
			_, err := b.Do(t.Context(), at(PriorityPoll, 0))
			if err == nil {
				t.Fatal("no error")
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := len(l.opened); n < 5 || n > 9 {
			t.Errorf("opened %d times in a minute", n)
		}
		broken = false
		for begun := time.Now(); time.Since(begun) < 2*time.Minute; time.Sleep(time.Second) {
			_, _ = b.Do(t.Context(), at(PriorityPoll, 0))
		}
		broken = true
		if _, err := b.Do(t.Context(), at(PriorityPoll, 0)); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		broken = false
		if resp, err := b.Do(t.Context(), at(PriorityPoll, 0)); err != nil || resp.Connection != b.Stats().Connection {
			t.Errorf("the line had stayed up and was not reopened at once: %v", err)
		}
		// It breaks again at once: the pauses begin anew with a second.
		broken = true
		_, _ = b.Do(t.Context(), at(PriorityPoll, 0))
		broken = false
		time.Sleep(1300 * time.Millisecond)
		if _, err := b.Do(t.Context(), at(PriorityPoll, 0)); err != nil {
			t.Errorf("the back-off had not ended: %v", err)
		}
	})
}

// A timeout is the unit's affair: the line stays open.
func TestBusTimeoutKeepsTheLine(t *testing.T) {
	l := &fakeLink{answer: func(n int, req Request) error {
		if n%2 == 0 {
			return &LinkError{Op: "receive", Link: "fake", Err: ErrTimeout}
		}
		return ExceptionError{Function: 3, Code: 2}
	}}
	onBus(t, l, func(t *testing.T, b *Bus) {
		for range 10 {
			_, _ = b.Do(t.Context(), at(PriorityPoll, 0))
		}
		s := b.Stats()
		if s.Openings != 1 || s.Timeouts != 5 || s.Exceptions != 5 || !s.DownSince.IsZero() {
			t.Errorf("%+v", s)
		}
		if s.Busy != time.Second {
			t.Errorf("busy for %v", s.Busy)
		}
	})
}
