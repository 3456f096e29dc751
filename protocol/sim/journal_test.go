package sim

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

func written(addr uint16) Exchange {
	return Exchange{Unit: 1, Function: 6, Op: protocol.WriteSingle, Range: holding(addr, 1)}
}

func TestJournalRing(t *testing.T) {
	j := newJournal(3)
	for range 5 {
		j.add(Exchange{}, false)
	}
	for _, tt := range []struct {
		since uint64
		first uint64
		n     int
	}{{0, 3, 3}, {2, 3, 3}, {3, 4, 2}, {5, 0, 0}, {9, 0, 0}} {
		got := j.Since(tt.since)
		if len(got) != tt.n || tt.n > 0 && got[0].N != tt.first {
			t.Errorf("since %d: %v", tt.since, got)
		}
		for i, e := range got {
			if e.N != tt.first+uint64(i) {
				t.Errorf("since %d: #%d at %d", tt.since, e.N, i)
			}
		}
	}
}

func TestJournalCounts(t *testing.T) {
	j := newJournal(10)
	now := time.Now()
	j.add(Exchange{ReplyAt: now, Gap: 5}, false)
	j.add(Exchange{ReplyAt: now, Exception: 2, Gap: 3, TooShort: true}, false)
	j.add(Exchange{Gap: -3, Op: protocol.WriteMultiple}, true)
	j.noise(4)
	j.lost(2)
	want := Counts{Requests: 3, Writes: 1, Replies: 2, Exceptions: 1, Faults: 1, TooShort: 1, Noise: 4, Lost: 2,
		ShortestGap: 3}
	if got := j.Counts(); got != want {
		t.Errorf("%+v", got)
	}
}

func TestJournalWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal(10)
		j.add(written(1), false)
		if e, err := j.Wait(t.Context(), 0, nil); err != nil || e.N != 1 {
			t.Error(e, err)
		}
		type result struct {
			e   Exchange
			err error
		}
		found := make(chan result, 1)
		go func() {
			e, err := j.Wait(t.Context(), j.Last(), func(e Exchange) bool { return e.Range.Addr == 1 })
			found <- result{e, err}
		}()
		synctest.Wait()
		j.add(written(2), false)
		synctest.Wait()
		j.add(written(1), false)
		if got := <-found; got.err != nil || got.e.N != 3 {
			t.Error(got)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := j.Wait(ctx, j.Last(), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

func TestJournalWrites(t *testing.T) {
	j := newJournal(10)
	writes, stop := j.Writes(2)
	j.add(Exchange{}, false)
	for addr := range uint16(3) {
		j.add(written(addr), false) // the third finds it full
	}
	for addr := range uint16(2) {
		if e := <-writes; e.Range.Addr != addr {
			t.Error(e)
		}
	}
	stop()
	stop()
	j.add(written(4), false)
	if e, open := <-writes; open {
		t.Error(e)
	}
}

func TestExchangeString(t *testing.T) {
	e := written(7)
	e.N, e.Exception, e.Fault = 4, 2, "late"
	if got := e.String(); got != "#4 unit 1 function 6 holding 7+1: exception 2: late" {
		t.Error(got)
	}
}

// A request is in the journal even if its client has gone before the reply is out: a write has been carried out all the
// same.
func TestJournalOfAReplyThatNobodyTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := NewUnit(1)
		u.Set(0, 7, 1)
		line := NewLine(Options{Turnaround: 20 * time.Millisecond}, u)
		line.Play(NewScript(1, Fault{Kind: Late, Delay: time.Second}))
		here, there := net.Pipe()
		done := make(chan error)
		go func() { done <- line.ServeConn(t.Context(), there, RTU) }()
		if _, err := here.Write(rtu(1, pdu(6, 7, 9)...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		here.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		got := line.Journal().Since(0)
		if len(got) != 1 || !got[0].CarriedOut || !got[0].Replied.IsZero() && got[0].Words[0] != 9 {
			t.Errorf("%+v", got)
		}
	})
}
