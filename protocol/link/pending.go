package link

import (
	"slices"
	"time"

	"solarhub/protocol"
)

// The reply to a Modbus request on a serial line names neither an address nor a number, and some gateways get the
// transaction id of Modbus TCP wrong. A reply that comes after its request has timed out looks like the reply to any
// later read of the same length. One thing helps: a unit answers its requests in the order in which they were sent. The
// rules:
//
//  1. A request that has timed out is pending: its reply may still come.
//  2. What has arrived before a request goes out is read first and dropped.
//  3. A reply that a pending request could have caused is late: it answers the oldest such request and never the one in
//     flight. What is older than that request has been answered or lost, and is pending no longer.
//  4. A request whose reply would look like that of a pending one waits until that is settled. A probe sees to it: one
//     short read of another length. Any reply to what was sent later than the pending request settles it.
//  5. Once a request has been answered, nothing that was sent before it is pending.
//  6. When the probe brings nothing, it is pending too, and the request fails with ErrTimeout without having been sent.
//  7. So an exchange takes two timeouts at most.
//  8. A request is pending for 30 s, and 64 requests at most are.
//
// The rules cannot help where a unit answers out of order, where another client of the same gateway reads as many
// registers of the same unit, and where a late reply names another unit. No device was found that sends a reply twice
// on a line without transaction ids, so there is no rule about that; with ids it costs nothing (a Tasmota bridge did
// so: arendst/Tasmota #22223).

// How long a request is pending, and how many are. No device is known that holds a reply back for longer than some
// seconds.
const (
	pendingFor = 30 * time.Second
	maxPending = 64
)

// shape is all that a reply tells of its request.
type shape struct {
	function byte    // without the error bit
	size     int     // reads: the byte count
	echo     [4]byte // writes: the address, then the value or the quantity
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

// pending is a request that has timed out and may still be answered.
type pending struct {
	shape shape
	sent  time.Time
	at    time.Time // when it timed out
}

// pendingReplies are the pending requests of one unit, the oldest first.
type pendingReplies []pending

// replyKind is what a reply turns out to be.
type replyKind uint8

const (
	foreign replyKind = iota // no request of ours that is remembered caused it
	late                     // a pending request may have caused it
	awaited                  // it answers the request in flight
)

// classify says what a sound reply is and forgets what it settles. own is the shape of the request in flight to the
// unit, zero if there is none. sent is when the request behind a late reply went out. The oldest request that could
// have caused the reply is taken for its cause: if a younger one did, that one only stays pending for longer, which
// costs a probe and never a value.
func (p *pendingReplies) classify(r reply, own shape) (kind replyKind, sent time.Time) {
	i := slices.IndexFunc(*p, func(p pending) bool { return r.fits(p.shape) })
	switch {
	case i >= 0:
		sent = (*p)[i].sent
		*p = (*p)[i+1:]
		return late, sent
	case r.fits(own):
		*p = nil
		return awaited, time.Time{}
	}
	return foreign, time.Time{}
}

// add remembers a request that has timed out.
func (p *pendingReplies) add(one pending) {
	if len(*p) == maxPending {
		*p = (*p)[1:]
	}
	*p = append(*p, one)
}

// expire forgets what timed out 30 s ago.
func (p *pendingReplies) expire(now time.Time) {
	for len(*p) > 0 && now.Sub((*p)[0].at) >= pendingFor {
		*p = (*p)[1:]
	}
}

// has reports whether a reply of shape s is pending.
func (p pendingReplies) has(s shape) bool {
	return slices.ContainsFunc(p, func(p pending) bool { return p.shape == s })
}

// probe returns a short read whose reply can be taken neither for that to req nor for a pending one. good is a range
// that the unit has answered, if there is one: its parts are surely readable. When every length is pending, it returns
// the one that was asked for last: its reply settles all that is older. Nothing in never is touched.
func (p pendingReplies) probe(req protocol.Request, good protocol.Range, never []protocol.Range) protocol.Request {
	r, avoid := req.Range, shapeOf(req)
	if good.Count > 0 {
		r = good
	}
	step := uint16(1)
	if r.Table.Bits() {
		step = 8 // the reply counts bytes, not bits
	}
	ask := protocol.Request{Unit: req.Unit, Priority: req.Priority, Deadline: req.Deadline, Pace: req.Pace}
	ask.Range = r
	last, youngest := ask, -1
	for count := uint16(1); count <= max(good.Count, 3*step+1); count += step {
		ask.Range = protocol.Range{Table: r.Table, Addr: min(r.Addr, uint16(65536-uint32(count))), Count: count}
		s := shapeOf(ask)
		if ask.Forbidden(never) != nil || s == avoid || s.function == avoid.function && s.size == avoid.size+2 {
			continue // a device may return one register too few
		}
		i := slices.IndexFunc(p, func(p pending) bool { return p.shape == s })
		if i < 0 {
			return ask
		}
		if i > youngest {
			last, youngest = ask, i
		}
	}
	return last
}
