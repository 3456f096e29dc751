package protocol

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Stats is what a bus has done since it was made.
type Stats struct {
	Requests   uint64 // exchanges begun, probes of the link not counted
	Replies    uint64 // of these, answered with data or an acknowledgement
	Exceptions uint64 // of these, refused by the device
	Timeouts   uint64 // of these, without a valid reply in time
	Failures   uint64 // of these, ended by a failure of the line
	Expired    uint64 // dropped from the queue because their deadline had passed
	Cancelled  uint64 // dropped from the queue because their caller had gone
	Refused    uint64 // dropped from the queue because the line was down
	Openings   uint64 // of the link, successful
	Frames     Frames // what came in and answered nothing, if the link counts it

	Queued     int           // now
	Connection uint64        // of the link; see Response
	Busy       time.Duration // time in exchanges
	Latency    Spread        // from the first byte of a request to the last of the reply
	WriteWait  Spread        // from the arrival of a write, or its NotBefore, to its first byte

	Since time.Time            // when Run began; zero before
	Units map[UnitID]UnitStats // of the units asked so far
	Link  LinkCondition        // what the link says of itself, if it does

	LastError   error     // of an exchange or an opening; nil if there was none
	LastErrorAt time.Time // when
	DownSince   time.Time // when the line went down; zero while it is up or was never tried
}

// UnitStats is the part of one unit.
type UnitStats struct {
	Requests, Replies, Exceptions, Busy, Timeouts uint64 // as in Stats; Busy: exceptions 5 and 6
	Latency                                       Spread // from the first byte of a request to the last of the reply
	Turnaround                                    Spread // the part of it that is not the bytes' time on the wire: the device, its gateway and the network
	WriteWait                                     Spread // as in Stats
}

// LinkCondition is what a link says of itself.
type LinkCondition struct {
	Gap          time.Duration // silence in force behind the last reply
	Latest       time.Duration // the longest after its request that a late reply came in; 0: none did
	Echoes       bool          // the line repeats what is sent
	Transactions bool          // replies came that fit the request but for their transaction id
	Units        bool          // replies came that fit the request but for their unit id
	LatencyTimer string        // of a USB adapter: empty where there is none or it is 1 ms, else what it is and why it could not be set
}

// Spread is the distribution of the last times measured; zero if there are none.
type Spread struct {
	Count         int // measured, at most 512
	P50, P95, Max time.Duration
}

// Stats returns a snapshot. It may be called from any goroutine.
func (b *Bus) Stats() Stats {
	b.mu.Lock()
	s := b.stats.Stats
	s.Queued = b.queue.len()
	latency, wait := b.stats.latency, b.stats.wait
	b.mu.Unlock()
	s.Latency, s.WriteWait = latency.spread(), wait.spread()
	if counting, ok := b.line.link.(interface{ Frames() Frames }); ok {
		s.Frames = counting.Frames()
	}
	return s
}

// recorder counts under the mutex of its bus.
type recorder struct {
	Stats
	latency, wait ring
}

func (r *recorder) exchanged(resp Response, err error, took time.Duration) {
	if errors.Is(err, ErrExpired) {
		r.Expired++
		return
	}
	if resp.Sent.IsZero() && !errors.Is(err, ErrTimeout) && !fatal(err) {
		r.Cancelled++
		return
	}
	r.Requests++
	r.Busy += took
	_, refused := errors.AsType[ExceptionError](err)
	switch {
	case refused:
		r.Exceptions++
	case err == nil:
		r.Replies++
	case errors.Is(err, ErrTimeout):
		r.Timeouts++
	default:
		r.Failures++
	}
	if err != nil {
		r.failed(err)
	}
	if !resp.Done.IsZero() {
		r.latency.add(resp.Done.Sub(resp.Sent))
	}
}

func (r *recorder) writeWait(d time.Duration) { r.wait.add(d) }

func (r *recorder) failed(err error) { r.LastError, r.LastErrorAt = err, time.Now() }

func (r *recorder) dropped(reason error) {
	switch {
	case errors.Is(reason, ErrExpired):
		r.Expired++
	case errors.Is(reason, ErrDown):
		r.Refused++
	case errors.Is(reason, context.Canceled), errors.Is(reason, context.DeadlineExceeded):
		r.Cancelled++
	}
}

func (r *recorder) lineDown() {
	if r.DownSince.IsZero() {
		r.DownSince = time.Now()
	}
}

func (r *recorder) opened(connection uint64) {
	r.Openings++
	r.Connection = connection
	r.DownSince = time.Time{}
}

// ring keeps the last durations. It is copied out of the lock whole and sorted outside.
type ring struct {
	last  [512]time.Duration
	count int
}

func (r *ring) add(d time.Duration) {
	r.last[r.count%len(r.last)] = d
	r.count++
}

func (r ring) spread() Spread {
	n := min(r.count, len(r.last))
	if n == 0 {
		return Spread{}
	}
	sorted := r.last[:n]
	slices.Sort(sorted)
	return Spread{Count: n, P50: sorted[(n-1)/2], P95: sorted[(n-1)*95/100], Max: sorted[n-1]}
}
