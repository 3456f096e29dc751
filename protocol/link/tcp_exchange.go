package link

import (
	"encoding/binary"
	"fmt"
	"time"

	"solarhub/protocol"
)

// transmit moves the ADUs of one exchange.
func (l *TCPLink) transmit(c *call, adu []byte) ([]byte, error) {
	if l.stream == nil {
		return nil, l.fail("send", protocol.ErrDown)
	}
	if !l.justDrained() {
		if err := l.drain(); err != nil {
			l.Close()
			return nil, l.fail("send", fmt.Errorf("%w: %w", protocol.ErrDown, err))
		}
	}
	// The packager counts for one unit only; two units on this connection would collide.
	counted := [2]byte(adu)
	if err := l.write(c, adu); err != nil {
		return nil, err
	}
	found, err := l.receive(c)
	gap := max(l.cfg.Gap, c.req.Pace.Gap)
	l.condition.gap.Store(int64(gap))
	l.free = l.looked.Add(gap)
	if err != nil {
		if l.byShape() {
			c.unit.account.add(owed{shape: shapeOf(c.req), sent: c.sent, at: l.looked, doubted: err == errDoubted, open: err == errSettled})
		}
		if err == errDoubted {
			err = l.fail("receive", err)
		}
		return nil, err
	}
	c.done, l.timeouts = l.looked, 0
	copy(adu, counted[:])
	copy(found, counted[:])
	found[mbapHeader-1] = byte(c.req.Unit)
	return found, nil
}

// justDrained reports whether Open has drained the connection a moment ago, so that it need not be done again. Without ids it is always
// done, directly before the request.
func (l *TCPLink) justDrained() bool {
	yes := !l.byShape() && time.Since(l.drained) < time.Millisecond
	l.drained = time.Time{}
	return yes
}

func (l *TCPLink) write(c *call, adu []byte) error {
	now := time.Now()
	if err := c.mayStart(now); err != nil {
		return err
	}
	binary.BigEndian.PutUint16(adu, l.transactions.next(now))
	if err := l.stream.SetDeadline(now.Add(l.patience(c))); err != nil {
		return l.broken(c, "send", err)
	}
	l.trace(true, adu)
	n, err := l.stream.Write(adu)
	if err == nil || n > 0 {
		c.sent = now
	}
	if err != nil {
		return l.broken(c, "send", err)
	}
	return nil
}

func (l *TCPLink) patience(c *call) time.Duration {
	return c.unit.patience(c.req.Pace, l.connection, l.cfg.Timeout)
}

// receive returns a copy of the ADU that answers.
func (l *TCPLink) receive(c *call) ([]byte, error) {
	for foreign := 0; ; {
		frame, err := nextMBAP(l.buf[:l.have])
		if err != nil {
			return nil, l.broken(c, "receive", err)
		}
		if frame == nil {
			n, err := l.stream.Read(l.buf[l.have:])
			l.looked = time.Now()
			l.have += n
			if n == 0 && err != nil {
				return nil, l.unanswered(c, err, foreign)
			}
			continue
		}
		found := l.reply[:copy(l.reply[:], frame)]
		l.drop(len(frame))
		l.trace(false, found)
		if answers, err := l.answers(c, found); answers || err != nil {
			return found, err
		}
		if c.avoid != nil && !c.unit.account.owes(*c.avoid) {
			return nil, errSettled
		}
		if foreign++; foreign > maxForeign {
			return nil, l.broken(c, "receive", fmt.Errorf("more than %d replies that answer nothing", maxForeign))
		}
	}
}

// answers reports whether a frame is the reply, and counts it if it is not. A reply with our transaction id that does not fit the
// request leaves no trust in the peer.
func (l *TCPLink) answers(c *call, frame []byte) (bool, error) {
	if l.byShape() {
		return l.fits(c, frame)
	}
	wrong := l.misfit(c.req, frame)
	if binary.BigEndian.Uint16(frame) != l.transactions.last {
		if is := l.skip(frame, l.looked); is == unasked && wrong == "" {
			l.condition.transactions.Store(true)
		}
		return false, nil
	}
	if wrong != "" {
		l.skip(frame, l.looked)
		return false, l.broken(c, "receive", fmt.Errorf("%w: %s", protocol.ErrMisfit, wrong))
	}
	l.transactions.answered()
	return true, nil
}

// misfit says in what a frame does not answer req, and notes if it is only a unit id that could be borne.
func (l *TCPLink) misfit(req protocol.Request, frame []byte) string {
	adu := frame[mbapHeader-1:]
	wrong, asked := misfit(req, adu), req.Unit
	if wrong == "" || protocol.UnitID(adu[0]) == asked {
		return wrong
	}
	req.Unit = protocol.UnitID(adu[0])
	other := misfit(req, adu)
	if mayBeOf(asked, req.Unit, l.cfg.Quirks.Units) {
		return other
	}
	if other == "" && mayBeOf(asked, req.Unit, protocol.LaxUnits) {
		l.condition.units.Store(true)
	}
	return wrong
}

// fits does so by the shape of the frame, in the order of the requests.
func (l *TCPLink) fits(c *call, frame []byte) (bool, error) {
	r, own := replyIn(frame), shape{}
	a := l.units.account(r.unit)
	if l.misfit(c.req, frame) == "" {
		a, own = c.unit.account, shapeOf(c.req)
	}
	j := l.judge(a, r, own, l.looked)
	switch {
	case j.is != awaited:
		l.frames.skip(j.is)
		return false, nil
	case !j.again && !j.bent:
		a.accept()
		return true, nil
	case c.req.Op != protocol.Read:
		l.frames.skip(repeated) // a write has waited until only a reply that came since can have copies
		return false, nil
	}
	return false, errDoubted
}

// judge judges by shape; a is nil for a unit that was never asked.
func (l *TCPLink) judge(a *account, r reply, own shape, at time.Time) judgement {
	if a == nil || r.shape.function == 0 {
		return judgement{}
	}
	j := a.judge(r, own, at, l.looked)
	if j.is == late {
		l.condition.late(at.Sub(j.cause.sent))
	}
	return j
}

// skip counts a frame that answers nothing and says what it is.
func (l *TCPLink) skip(frame []byte, at time.Time) (is standing) {
	if l.byShape() {
		r := replyIn(frame)
		is = l.judge(l.units.account(r.unit), r, shape{}, at).is
	} else {
		var sent time.Time
		if is, sent = l.transactions.judge(binary.BigEndian.Uint16(frame)); is == late {
			l.condition.late(at.Sub(sent))
		}
	}
	l.frames.skip(is)
	return is
}

// maxStale bounds the ADUs that have come in between two requests: more than one for each request that is remembered is babble.
const maxStale = maxOwed

// drain drops the whole ADUs that came in since the last exchange. Its error means that the connection has ended or can no longer
// be trusted.
func (l *TCPLink) drain() error {
	at := l.looked
	for stale := 0; ; {
		frame, err := nextMBAP(l.buf[:l.have])
		switch {
		case err != nil:
			return err
		case stale > maxStale:
			return fmt.Errorf("more than %d replies that nobody asked for", maxStale)
		case frame != nil:
			stale++
			l.trace(false, frame)
			l.skip(frame, at)
			l.drop(len(frame))
			continue
		}
		n, gone := l.stream.arrived(l.buf[l.have:])
		now := time.Now()
		if now.Sub(l.looked) <= copyWithin {
			at = now // else it may have come at any time since: do not overstate how late it was
		}
		l.looked = now
		if gone {
			return errHungUp
		}
		if n == 0 {
			return nil
		}
		l.have += n
	}
}

func (l *TCPLink) drop(n int) { l.have = copy(l.buf[:], l.buf[n:l.have]) }

func (l *TCPLink) unanswered(c *call, err error, foreign int) error {
	if !isTimeout(err) {
		return l.broken(c, "receive", err)
	}
	no := fmt.Errorf("%w within %v", protocol.ErrTimeout, l.patience(c))
	if foreign > 0 {
		no = fmt.Errorf("%w, only %d replies to other requests", no, foreign)
	}
	// A frame that has stopped in its middle would garble the next reply, too.
	if l.timeouts++; l.timeouts >= maxTimeouts || l.have > 0 {
		l.Close()
	}
	return l.fail("receive", c.failed(no))
}

// broken closes the connection: what comes next on it could be anything.
func (l *TCPLink) broken(c *call, op string, err error) error {
	l.Close()
	return l.fail(op, c.broke(err))
}
