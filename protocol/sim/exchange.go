package sim

import (
	"context"
	"time"
)

// exchange carries one request through: it waits for its end on the wire, decides, answers and records.
func (c *conn) exchange(ctx context.Context, req frame) error {
	q, _ := parse(req.pdu)
	e := c.record(req, q)
	if err := c.wait(ctx, e.Received); err != nil {
		return err
	}
	course := c.course(e, req, q)
	e.Fault = course.why
	if c.line.options.Echo || course.fault != nil && course.fault.Kind == Echo {
		if err := c.write(req.adu); err != nil {
			return err
		}
		e.Reply = append(e.Reply, req.adu...)
	}
	heard := e.Received.Add(c.line.silence())
	if err := c.wait(ctx, heard); err != nil {
		return err
	}
	d := deliver(c.framing, req, course.fault, course.random, func() []byte { return course.answer(&e, req) })
	if course.mute {
		d.parts = nil
	}
	if f, ok := c.framing.(interface{ unanswered(req frame) delivery }); ok && d.parts == nil && d.ending == stays {
		d = f.unanswered(req)
	}
	return c.play(ctx, e, d, course.fault, heard.Add(course.pause+d.delay))
}

// course is what the line decides, unless nobody has heard the request.
func (c *conn) course(e Exchange, req frame, q query) course {
	o, first := c.line.options, c.free.IsZero()
	if e.At.Before(c.opened.Add(o.Deaf)) || o.MinGap > 0 && !first && e.Gap < o.MinGap {
		return course{mute: true, why: "too soon"}
	}
	decided := c.line.course(c.framing, req, q)
	if s, bound := c.stream.(interface{ mayWrite() bool }); bound && q.write() && !s.mayWrite() {
		decided.refused = illegalFunction
	}
	if first {
		decided.pause += o.Waking
	}
	return decided
}

// record begins the journal's entry.
func (c *conn) record(req frame, q query) Exchange {
	e := Exchange{
		Connection: c.number, Unit: req.unit, Function: q.function, Op: q.op, Range: q.over, Words: q.words,
		Request: req.adu, At: req.at, Arrived: req.arrived, Received: req.arrived,
	}
	begun := req.at
	if !c.free.IsZero() {
		e.Gap = req.at.Sub(c.free)
		e.TooShort = c.framing.kind().gaps && e.Gap < c.line.silence()
		begun = later(begun, c.free)
	}
	e.Received = later(req.arrived, begun.Add(c.line.chars(c.framing, len(req.adu))))
	return e
}

// answer has the units carry a request out and returns the reply PDU of the last.
func (c course) answer(e *Exchange, req frame) []byte {
	if c.refused != 0 {
		e.Exception = c.refused
		return exception(req.pdu[0], c.refused)
	}
	if len(c.to) == 0 {
		e.Exception = gatewayNoAnswer // as a gateway says that has no such unit behind it
		return exception(req.pdu[0], gatewayNoAnswer)
	}
	var pdu []byte
	for _, u := range c.to {
		pdu = u.answer(req.pdu, time.Now())
	}
	if pdu == nil {
		e.Fault = "silent"
		return nil
	}
	e.CarriedOut = pdu[0]&0x80 == 0
	if !e.CarriedOut {
		e.Exception = pdu[1]
	}
	return pdu
}

// play sends the parts of a delivery from begin on, records the exchange and ends the connection if the delivery says
// so.
func (c *conn) play(ctx context.Context, e Exchange, d delivery, f *Fault, begin time.Time) error {
	if f != nil && f.Kind == Exception {
		e.Exception = f.Code
	}
	for _, part := range d.parts {
		e.Reply = append(e.Reply, part...)
	}
	answered := len(d.parts) - 1
	if len(d.parts) == 0 {
		e.Exception = 0
		c.line.journal.add(e, f != nil)
	}
	for i, part := range d.parts {
		sent := func(first, last bool, now time.Time) {
			if i == 0 && first {
				e.ReplyAt = now
			}
			if i == answered && last {
				// Before the bytes are out: who has the reply finds the exchange in the journal.
				e.Replied = now
				c.line.journal.add(e, f != nil)
			}
			c.free = now
		}
		if err := c.transmit(ctx, part, begin, d.drip, sent); err != nil {
			if e.Replied.IsZero() { // carried out all the same
				c.line.journal.add(e, f != nil)
			}
			return err
		}
		begin = c.free.Add(c.line.silence() + d.pause)
	}
	if c.line.options.Busy == Loses && len(d.parts) > 0 {
		c.line.journal.lost(len(c.buf))
		c.forget(len(c.buf))
	}
	return c.end(d, f)
}

// end closes or resets the connection if a fault wants it.
func (c *conn) end(d delivery, f *Fault) error {
	switch d.ending {
	case stays:
		return nil
	case resets:
		c.reset()
	}
	return &endedError{f}
}

// transmit sends one burst that begins at a time. On a paced wire the characters come in their time, on a clock
// that does not drift; above 1,000 characters a second some go together, the last of them on time. sent is called just
// before each piece goes out.
func (c *conn) transmit(ctx context.Context, b []byte, begin time.Time, drip time.Duration,
	sent func(first, last bool, now time.Time)) error {
	step := c.step(len(b), drip)
	for from := 0; from < len(b); from += step {
		to := min(from+step, len(b))
		due := begin.Add(c.line.chars(c.framing, to))
		if drip > 0 {
			due = begin.Add(time.Duration(to) * drip)
		}
		if err := c.wait(ctx, due); err != nil {
			return err
		}
		sent(from == 0, to == len(b), time.Now())
		if err := c.write(b[from:to]); err != nil {
			return err
		}
	}
	return nil
}

// step returns how many bytes go out together.
func (c *conn) step(size int, drip time.Duration) int {
	switch {
	case drip > 0 && !c.framing.kind().datagram:
		return 1
	case !c.framing.kind().wire || c.line.options.Serial == nil:
		return size
	}
	return max(1, int(time.Millisecond/c.line.chars(c.framing, 1)))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
