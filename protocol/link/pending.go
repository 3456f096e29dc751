package link

import (
	"bytes"
	"slices"
	"time"

	"solarhub/protocol"
)

// An RTU reply carries neither an address nor a number, and the numbers of some Modbus TCP gateways cannot be trusted. A reply
// that comes after its request has been given up looks like the reply to any later read of the same size, and a device or
// logger that queues requests may answer a given-up request and its repetition both, arbitrarily late. What saves us is the
// order: a unit answers in the order it was asked. So for each unit we keep the requests that may still be answered, oldest
// first, and believe no reply that one of them could have caused.
//
// Adapters and gateways also send a reply twice. Such a copy follows its original, within copyWithin and before the unit's
// next reply, and looks like the reply to a second request of the same shape:
//
//   - what is there before a request goes out is dropped, and a request waits until the line is silent;
//   - where nothing has come by the time that the request is out, what comes then is no copy; where that cannot be seen (a network in
//     between, a virtual port, a slow latency timer, more than 19200 baud) a reply that is equal to the one before it is not
//     believed: the read counts as given up and is asked again;
//   - a write whose reply would look like the last one waits until no copy of that can come any more.
//
// A probe is not waited for once an earlier answer has made the way free. If its own answer then fails to come before that to
// the next request, it may have come with a wrong length and in that one's place: the first such reply is not believed either.
//
// What cannot be told apart: a copy that is held back for longer, or behind a later reply; the reply to another client's
// request for as many registers of the same unit; and a late reply that names another unit.

// shape is all that a reply tells of its request.
type shape struct {
	function byte    // without the error bit
	size     int     // reads: the byte count
	echo     [4]byte // writes: address, then value or quantity
}

// shapeOf returns the shape of the reply to req.
func shapeOf(req protocol.Request) shape {
	if req.Op == protocol.Read {
		return shape{function: req.Function(), size: req.Range.DataBytes()}
	}
	return shape{function: req.Function(), echo: echoOf(req)}
}

// reply is a sound reply, as it lies in the receive buffer.
type reply struct {
	unit      protocol.UnitID
	shape     shape
	exception bool
	adu       []byte
}

// fits reports whether a request of shape s can have caused the reply.
func (r reply) fits(s shape) bool {
	return s == r.shape || r.exception && s.function == r.shape.function
}

// owed is a request that was given up and may still be answered.
type owed struct {
	shape   shape
	sent    time.Time
	at      time.Time // when it was given up
	doubted bool      // because of a reply that may have been another's
	open    bool      // a probe that was not waited for: its answer is on its way, if there is one
}

// How long and how many answers are remembered. Nothing that holds an answer back for a minute is known; the bound keeps
// a unit from being asked probes for ever if it answers none.
const (
	oweFor  = time.Minute
	maxOwed = 64
)

// copyWithin is how long behind a reply a copy of it may come. It follows directly; the rest is what a network may hold it back.
const copyWithin = 100 * time.Millisecond

// debts are the answers that one unit owes, oldest first.
type debts struct {
	owed []owed
}

// forget drops what is older than oweFor.
func (d *debts) forget(now time.Time) {
	for len(d.owed) > 0 && now.Sub(d.owed[0].at) >= oweFor {
		d.owed = d.owed[1:]
	}
}

// add remembers a request that was given up.
func (d *debts) add(o owed) {
	if len(d.owed) == maxOwed {
		d.owed = d.owed[1:]
	}
	d.owed = append(d.owed, o)
}

// owes reports whether an answer of shape s may still come: the next request of that shape could not tell it from its own.
func (d *debts) owes(s shape) bool {
	for _, o := range d.owed {
		if o.shape == s {
			return true
		}
	}
	return false
}

// oldest returns the place of the oldest request that could have caused the reply, -1 if none could.
func (d *debts) oldest(r reply) int {
	for i, o := range d.owed {
		if r.fits(o.shape) {
			return i
		}
	}
	return -1
}

// account is what is remembered of the replies of one unit.
type account struct {
	debts
	last   reply     // the last sound reply; its bytes are in kept
	lastAt time.Time // when it was seen
	kept   [mbapFrame]byte
	warned bool // a reply was not believed for the sake of an open probe, and none was since
}

// standing is what a reply is.
type standing uint8

const (
	unasked  standing = iota // of no request that is remembered
	late                     // an earlier request may have caused it
	repeated                 // the last reply again
	awaited                  // the request in flight may have caused it, and no other
)

// judgement is what is thought of a reply.
type judgement struct {
	is    standing
	again bool      // it is equal to the last reply and came so soon behind it that it may be a copy
	bent  bool      // it may be the answer to an open probe, with the wrong length
	last  time.Time // when the last reply was seen
	cause owed      // of a late one: the request that was given up
}

// judge takes a sound reply that came in at a time and is looked at now. own is the shape of the request in flight to the
// unit, zero if there is none.
//
// The oldest request that could have caused the reply is taken for its cause: whatever the real one is, it is not older, so
// everything up to the oldest has been answered or dropped. (The real one may be younger: then it stays remembered, which
// costs a probe and never a value.) What may be a copy settles nothing.
func (a *account) judge(r reply, own shape, at, now time.Time) judgement {
	j := judgement{again: at.Sub(a.lastAt) < copyWithin && bytes.Equal(r.adu, a.last.adu), last: a.lastAt}
	i := a.oldest(r)
	switch {
	case i >= 0 && (j.again || a.owed[i].doubted), i < 0 && j.again && !r.fits(own):
		j.is = repeated
	case i >= 0:
		j.is, j.cause = late, a.owed[i]
	case r.fits(own):
		j.is = awaited
		j.bent = !a.warned && a.awaits(own.function)
		a.warned = a.warned || j.bent
	}
	if i >= 0 && !j.again {
		a.owed = a.owed[i+1:]
	}
	a.keep(r, now)
	return j
}

func (a *account) keep(r reply, now time.Time) {
	r.adu = a.kept[:copy(a.kept[:], r.adu)]
	a.last, a.lastAt = r, now
}

// accept notes that the last reply was the answer to the request in flight: all that was owed before has been answered or dropped.
func (a *account) accept() { a.owed, a.warned = nil, false }

// awaits reports whether a probe by that function is open. Its answer comes before that to the request in flight; where none of its
// length has come, what looks like the other may be it.
func (a *account) awaits(function byte) bool {
	return slices.ContainsFunc(a.owed, func(o owed) bool { return o.open && o.shape.function == function })
}

// undecided returns until when a copy of the last reply could pass for the reply to a request of shape s; it may have passed.
func (a *account) undecided(s shape) time.Time {
	if !a.last.fits(s) {
		return time.Time{}
	}
	return a.lastAt.Add(copyWithin)
}

// probe returns a read whose reply no owed request of shape avoid can have caused: a good reply to it, or an exception that it
// alone can have caused, settles what was owed. good is a range that the unit has answered, if there is one: parts of it
// are surely readable, and each length of them is a shape of its own. So a unit that was away for a while, and owes as many answers as it
// was tried, is known by its first answer.
func (d *debts) probe(req protocol.Request, good protocol.Range) protocol.Request {
	r := req.Range
	if good.Count > 0 {
		r = good
	}
	step := uint16(1)
	if r.Table.Bits() {
		step = 8 // the reply counts bytes, not bits
	}
	avoid := shapeOf(req)
	ask := protocol.Request{Unit: req.Unit, Priority: req.Priority, Deadline: req.Deadline, Pace: req.Pace}
	var second protocol.Request
	youngest := -1
	for count := uint16(1); count <= max(good.Count, 3*step+1); count += step {
		ask.Range = protocol.Range{Table: r.Table, Addr: min(r.Addr, uint16(65536-uint32(count))), Count: count}
		s := shapeOf(ask)
		if s == avoid {
			continue
		}
		owed := slices.IndexFunc(d.owed, func(o owed) bool { return o.shape == s })
		if owed < 0 {
			return ask
		}
		if owed > youngest {
			second, youngest = ask, owed
		}
	}
	// All are owed: an answer to the one that was asked last still settles what was asked before.
	return second
}
