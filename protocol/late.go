package protocol

import "time"

// An RTU reply carries neither an address nor a number. A reply that comes after its request has been given up looks
// like the reply to any later read of the same size, and a device or logger that queues requests may answer a given-up
// request and its repetition both, arbitrarily late. What saves us is the order: a unit answers in the order it was
// asked. So for each unit we keep the requests that may still be answered, oldest first, and believe no reply that one
// of them could have caused.

// shape is all that a reply tells of its request.
type shape struct {
	function byte    // without the error bit
	size     int     // reads: the byte count
	echo     [4]byte // writes: address, then value or quantity
}

// shapeOf returns the shape of the reply to req.
func shapeOf(req Request) shape {
	if req.Op == Read {
		return shape{function: req.Function(), size: readBytes(req.Range)}
	}
	return shape{function: req.Function(), echo: echoOf(req)}
}

// owed is a request that was given up and may still be answered.
type owed struct {
	shape shape
	at    time.Time // when it was given up
}

// How long and how many answers are remembered. Nothing that holds an answer back for a minute is known; the bound keeps
// a unit from being asked probes for ever if it answers none.
const (
	oweFor  = time.Minute
	maxOwed = 64
)

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
func (d *debts) add(s shape, now time.Time) {
	if len(d.owed) == maxOwed {
		d.owed = d.owed[1:]
	}
	d.owed = append(d.owed, owed{s, now})
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

// answered takes a reply that came in while a request of shape own was in flight, and reports whether it answers that request.
// The oldest request that could have caused the reply is taken for its cause: whatever the real one is, it is not older,
// so everything up to the oldest has been answered or dropped. (The real one may be younger: then it stays remembered,
// which costs a probe and never a value.)
func (d *debts) answered(reply shape, exception bool, own shape) (yes, known bool) {
	could := func(s shape) bool { return s == reply || exception && s.function == reply.function }
	for i, o := range d.owed {
		if could(o.shape) {
			d.owed = d.owed[i+1:]
			return false, true
		}
	}
	if !could(own) {
		return false, false
	}
	d.owed = nil
	return true, true
}

// probe returns a read whose reply no owed request of shape avoid can have caused: a good reply to it, or an exception that it
// alone can have caused, settles what was owed. good is a range that the unit has answered, if there is one: parts of it
// are surely readable.
func (d *debts) probe(req Request, good Range) Request {
	r := req.Range
	if good.Count > 0 {
		r = good
	}
	one, more := uint16(1), uint16(2)
	if r.Table.Bits() {
		more = 9 // the reply counts bytes, not bits
	}
	avoid := shapeOf(req)
	ask := Request{Unit: req.Unit, Priority: req.Priority, Deadline: req.Deadline, Pace: req.Pace}
	var second Request
	for _, count := range []uint16{one, more, more + 8, more + 16} {
		if uint32(r.Addr)+uint32(count) > 65536 {
			r.Addr = uint16(65536 - uint32(count))
		}
		ask.Range = Range{Table: r.Table, Addr: r.Addr, Count: count}
		s := shapeOf(ask)
		if s == avoid {
			continue
		}
		if !d.owes(s) {
			return ask
		}
		if second.Range.Count == 0 {
			second = ask
		}
	}
	// All are owed: an answer to the first of them still settles what was asked before that.
	return second
}
