package protocol

import (
	"time"
)

// Stats is what a bus has done since it was made.
type Stats struct {
	Requests   uint64 // exchanges begun, probes of the link not counted
	Replies    uint64 // of these, answered with data or an acknowledgement
	Exceptions uint64 // of these, refused by the device
	Timeouts   uint64 // of these, without a valid reply in time
	Misfits    uint64 // of these, answered with what is no answer to them
	Failures   uint64 // of these, ended by a failure of the line
	Expired    uint64 // dropped from the queue because their deadline had passed
	Cancelled  uint64 // dropped from the queue because their caller had gone
	Refused    uint64 // dropped from the queue because the line was down
	Openings   uint64 // of the link, successful
	Frames     Frames // what came in and answered nothing, if the link counts it

	Queued     int           // now
	Connection uint64        // of the link; see Response
	Busy       time.Duration // time in exchanges
	// Load is the share of the last minute, or of the time since Since, in which the line was in use: exchanges, and
	// silences that a request had to wait for.
	Load      float64
	Latency   Spread // from the first byte of a request to the last of the reply
	WriteWait Spread // from the arrival of a write, or its NotBefore, to its first byte

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
	Unreached                                     uint64 // exceptions 10 and 11: a gateway gets nothing from the unit
	Misfits                                       uint64 // as in Stats
	Latency                                       Spread // from the first byte of a request to the last of the reply
	// Turnaround is the part of Latency that the bytes do not take on the wire: the device, its gateway and the
	// network.
	Turnaround Spread
	WriteWait  Spread // as in Stats
}

// LinkCondition is what a link says of itself.
type LinkCondition struct {
	Gap          time.Duration // silence in force behind the last reply
	Latest       time.Duration // the longest after its request that a late reply came in; 0: none did
	Echoes       bool          // the line repeats what is sent: a request came back
	Transactions bool          // replies came that fit the request but for their transaction id
	// Units says that replies came that fit the request but for their unit id; UnitID is that of the last one.
	Units  bool
	UnitID UnitID
	// Closes says that the other end closes each connection behind a reply or a few. It is used so.
	Closes bool
	// Plain says that what should be a Solarman stick speaks Modbus TCP. It is used so.
	Plain bool
	// LatencyTimer is that of a USB adapter. It is empty where there is none or it is 1 ms; else it says what it is and
	// why it could not be set.
	LatencyTimer string
	// Moved is the port at which the adapter of a serial line was found again, and Lasting a name that always leads to
	// it. They are empty where the port is still the one that was given, and where it was given by a name that lasts.
	Moved, Lasting string
}

// Frames counts what came in on a link and answered nothing, since the link was made.
type Frames struct {
	Damaged uint64 // replies to a request of ours with a wrong checksum
	Late    uint64 // replies to an earlier request that had timed out, or that may be
	Foreign uint64 // frames of other units or transactions, and those of no known request
	Noise   uint64 // single bytes that belong to no frame
}

// Spread is the distribution of the last times measured; zero if there are none.
type Spread struct {
	Count         int // measured, at most 512
	P50, P95, Max time.Duration
}

// Stats returns a snapshot. It may be called from any goroutine.
func (b *Bus) Stats() Stats {
	b.mu.Lock()
	counted, queued := b.stats.clone(), b.queue.len()
	b.mu.Unlock()
	s := counted.snapshot(time.Now())
	s.Queued = queued
	if l, ok := b.link.Link.(interface{ Frames() Frames }); ok {
		s.Frames = l.Frames()
	}
	if l, ok := b.link.Link.(interface{ Condition() LinkCondition }); ok {
		s.Link = l.Condition()
	}
	return s
}
