package sim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"solarhub/protocol"
)

// Exchange is one request and what became of it. Times that did not happen are zero.
type Exchange struct {
	N          uint64 // counts from 1
	Connection uint64 // of ServeTCP and its like: counts from 1; a pty that is plugged in again is a new one
	Unit       protocol.UnitID
	Function   byte
	Op         protocol.Op
	Range      protocol.Range
	Words      []uint16 // of a write
	Request    []byte   // the ADU as it came
	Reply      []byte   // all bytes that were sent for it, with faults
	Exception  byte     // the code in the reply, 0 for none
	Fault      string   // what went wrong on purpose: a Kind, or off, foreign unit, too soon, silent; empty for nothing
	CarriedOut bool     // the unit has seen it; a write is stored as the unit behaves

	At      time.Time // the first byte of the request was here
	Arrived time.Time // the last byte of the request was here
	// Received: the last byte would have passed on a wire that takes its time; Arrived if the line is not paced.
	Received time.Time
	ReplyAt  time.Time // just before the first byte of the reply was sent
	Replied  time.Time // just before the last byte of the reply was sent

	Gap      time.Duration // from the last byte sent on this connection to At; 0 for the first request
	TooShort bool          // Gap was below t3.5 of the line's Serial
}

// Write reports whether the request is a write.
func (e Exchange) Write() bool { return e.Op != protocol.Read }

// String returns the exchange for logs: "#4 unit 1 function 16 holding 128+2: late".
func (e Exchange) String() string {
	s := fmt.Sprintf("#%d unit %d function %d %s", e.N, e.Unit, e.Function, e.Range)
	if e.Exception != 0 {
		s += fmt.Sprintf(": exception %d", e.Exception)
	}
	if e.Fault != "" {
		s += ": " + e.Fault
	}
	return s
}

// Counts is what a line has seen since it began.
type Counts struct {
	Requests    int // understood as requests
	Writes      int // of them
	Replies     int // requests that were answered, right or wrong
	Exceptions  int // answers that were exceptions
	Faults      int // requests on which a fault of the script was played
	TooShort    int // requests that came sooner than t3.5 after the last byte sent
	Noise       int // bytes that were no request
	Lost        int // bytes that came while a unit that loses them was busy
	ShortestGap time.Duration
}

// Journal is the last exchanges of a line and counters of all. Safe for concurrent use.
type Journal struct {
	keep int

	mu      sync.Mutex
	last    uint64
	ring    []Exchange
	oldest  int // in the ring, once it is full
	counts  Counts
	changed chan struct{} // closed at the next exchange
	writes  map[chan Exchange]struct{}
}

func newJournal(keep int) *Journal {
	return &Journal{keep: keep, changed: make(chan struct{}), writes: map[chan Exchange]struct{}{}}
}

// Counts returns the counters as they are now.
func (j *Journal) Counts() Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.counts
}

// Last returns the number of the newest exchange, 0 before the first.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.last
}

// Since returns the exchanges behind number n that are still kept, oldest first. Since(0) is all.
func (j *Journal) Since(n uint64) []Exchange {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.since(n)
}

func (j *Journal) since(n uint64) []Exchange {
	size := len(j.ring)
	behind := int(min(j.last-min(n, j.last), uint64(size)))
	found := make([]Exchange, behind)
	for i := range found {
		found[i] = j.ring[(j.oldest+size-behind+i)%size]
	}
	return found
}

// Wait returns the first exchange behind number n that match accepts; nil accepts all. It waits for it until ctx ends.
func (j *Journal) Wait(ctx context.Context, n uint64, match func(Exchange) bool) (Exchange, error) {
	for {
		j.mu.Lock()
		found, last, changed := j.since(n), j.last, j.changed
		j.mu.Unlock()
		for _, e := range found {
			if match == nil || match(e) {
				return e, nil
			}
		}
		n = last
		select {
		case <-changed:
		case <-ctx.Done():
			return Exchange{}, fmt.Errorf("wait for an exchange behind #%d: %w", n, ctx.Err())
		}
	}
}

// Writes returns a channel of the writes from now on, each when its exchange is over, and a function that ends it and
// closes the channel. A line never waits for a reader: a write that finds the channel full is left out, so make it as
// large as the test needs.
func (j *Journal) Writes(size int) (writes <-chan Exchange, stop func()) {
	c := make(chan Exchange, size)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.writes[c] = struct{}{}
	return c, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		if _, on := j.writes[c]; on {
			delete(j.writes, c)
			close(c)
		}
	}
}

// add numbers and keeps an exchange that is over.
func (j *Journal) add(e Exchange, played bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	e.N = j.last
	if len(j.ring) < j.keep {
		j.ring = append(j.ring, e)
	} else {
		j.ring[j.oldest] = e
		j.oldest = (j.oldest + 1) % j.keep
	}
	j.counts.count(e, played)
	close(j.changed)
	j.changed = make(chan struct{})
	if !e.Write() {
		return
	}
	for c := range j.writes {
		select {
		case c <- e:
		default:
		}
	}
}

func (c *Counts) count(e Exchange, played bool) {
	c.Requests++
	for _, n := range []struct {
		counter *int
		yes     bool
	}{
		{&c.Writes, e.Write()},
		{&c.Replies, !e.ReplyAt.IsZero()},
		{&c.Exceptions, e.Exception != 0 && !e.ReplyAt.IsZero()},
		{&c.Faults, played},
		{&c.TooShort, e.TooShort},
	} {
		if n.yes {
			*n.counter++
		}
	}
	if e.Gap > 0 && (c.ShortestGap == 0 || e.Gap < c.ShortestGap) {
		c.ShortestGap = e.Gap
	}
}

// noise counts bytes that were no request, lost those that nobody listened to.
func (j *Journal) noise(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Noise += n
}

func (j *Journal) lost(n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.counts.Lost += n
}
