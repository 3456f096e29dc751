package link

import (
	"context"
	"fmt"
	"time"

	"solarhub/protocol"
)

// spoiledQuiet is how long the rest of a damaged reply is waited for: no part of a frame comes later than this, and to wait
// for the whole timeout would only hold up the line.
const spoiledQuiet = 100 * time.Millisecond

// transmit moves the ADUs of one exchange.
func (l *RTULink) transmit(c *call, adu []byte) ([]byte, error) {
	if l.stream == nil {
		return nil, l.fail("send", protocol.ErrDown)
	}
	if err := l.quiet(); err != nil {
		return nil, err
	}
	if err := l.write(c, adu); err != nil {
		return nil, err
	}
	found, err := l.receive(c, adu)
	gap := max(l.cfg.Gap, c.req.Pace.Gap)
	l.condition.gap.Store(int64(gap))
	l.free = l.looked.Add(gap)
	if err != nil {
		c.unit.account.add(owed{shape: shapeOf(c.req), sent: c.sent, at: l.looked, doubted: err == errDoubted, open: err == errSettled})
		if err == errDoubted {
			err = l.fail("receive", err)
		}
		return nil, err
	}
	c.done, l.timeouts = l.looked, 0
	l.trace(false, found)
	if protocol.UnitID(found[0]) != c.req.Unit {
		rename(found, c.req.Unit)
	}
	// It lies in the receive buffer and is unpacked before that is used again.
	return found, nil
}

// rename gives a frame the unit id that goburrow wants to see.
func rename(adu []byte, unit protocol.UnitID) {
	adu[0] = byte(unit)
	n := len(adu) - 2
	crc := crc16(adu[:n])
	adu[n], adu[n+1] = byte(crc), byte(crc>>8)
}

// quiet drops what lies on the line. If something does, someone may still be sending: the line must be silent for a gap
// before we do, but a line that is never silent is not waited for longer than a frame takes.
func (l *RTULink) quiet() error {
	for end := time.Now().Add(l.cfg.Serial.Chars(rtuMax)); ; {
		n, gone := l.overhear()
		if gone {
			l.Close()
			return l.fail("send", fmt.Errorf("%w: %w", protocol.ErrDown, errHungUp))
		}
		if n == 0 || time.Now().After(end) {
			l.frames.noise.Add(uint64(l.have))
			l.have = 0
			return nil
		}
		l.cfg.Sleep(l.cfg.Serial.Silence())
	}
}

// overhear takes what came in since the line was looked at last, while nothing was asked, and returns how many bytes that was.
func (l *RTULink) overhear() (n int, gone bool) {
	n, gone = l.stream.arrived(l.buf[l.have:])
	now := time.Now()
	at := now
	if now.Sub(l.looked) >= copyWithin {
		at = l.looked // it may have come at any time since: do not overstate how late it was
	}
	l.looked = now
	if n > 0 {
		_, rest := l.listener(at, now).take(l.buf[:l.have+n])
		l.have = copy(l.buf[:], rest)
	}
	return n, gone
}

// listener returns a matcher for what was not asked for.
func (l *RTULink) listener(at, now time.Time) *matcher {
	return &matcher{units: &l.units, count: &l.frames, note: &l.condition, trace: l.skipped, at: at, now: now}
}

func (l *RTULink) write(c *call, adu []byte) error {
	now := time.Now()
	if err := c.mayStart(now); err != nil {
		return err
	}
	if err := l.stream.SetDeadline(l.deadline(c, now, adu)); err != nil {
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

// deadline is when the exchange of a request that goes out at a time ends.
func (l *RTULink) deadline(c *call, sent time.Time, adu []byte) time.Time {
	return sent.Add(l.cfg.Serial.Chars(len(adu)) + l.patience(c))
}

// patience is the time from the last byte of the request to the last of the reply. At a low baud a long reply takes longer
// than a usual timeout, so it is never less than twice the time on the wire.
func (l *RTULink) patience(c *call) time.Duration {
	_, reply := protocol.WireChars(c.req.Op, c.req.Range)
	return max(c.unit.patience(c.req.Pace, l.connection, l.cfg.Timeout), 2*l.cfg.Serial.Chars(reply))
}

func (l *RTULink) receive(c *call, adu []byte) ([]byte, error) {
	m := l.listener(c.sent, c.sent)
	m.unit, m.own, m.request = c.req.Unit, shapeOf(c.req), adu
	m.echo, m.as = l.echo.mode(), l.cfg.Quirks.Units
	short := false
	n, err := l.listen(c, m)
	for have := 0; ; n, err = l.stream.Read(l.buf[have:]) {
		l.looked = time.Now()
		if n == 0 && err != nil {
			m.wasted(have)
			return nil, l.unanswered(c, err, m)
		}
		m.at, m.now = l.looked, l.looked
		found, rest, err := l.search(c, m, l.buf[:have+n])
		if found != nil || err != nil {
			return found, err
		}
		if c.avoid != nil && !c.unit.account.owes(*c.avoid) {
			return nil, errSettled
		}
		if m.foreign > maxForeign || m.noise > maxForeign*rtuMax {
			return nil, l.broken(c, "receive", fmt.Errorf("%d frames and %d bytes that answer nothing", m.foreign, m.noise))
		}
		have = copy(l.buf[:], rest)
		if m.spoiled && !short {
			short = true
			if err := l.stream.SetDeadline(time.Now().Add(spoiledQuiet)); err != nil {
				return nil, l.broken(c, "receive", err)
			}
		}
	}
}

// listen waits until the request is out, where that says something, and returns what had come by then: a copy of the last reply
// begins no later. To look whether it has, and not when, holds on a busy machine, too.
func (l *RTULink) listen(c *call, m *matcher) (n int, err error) {
	if !l.port || l.pace.hasty || *l.condition.latencyTimer.Load() != "" || !slow(l.cfg.Serial) {
		return 0, nil
	}
	// Nothing is waited for that the reply would not take anyway.
	_ = waitUntil(context.Background(), c.sent.Add(l.cfg.Serial.Chars(len(m.request))), l.cfg.Sleep)
	n, gone := l.stream.arrived(l.buf[:])
	if gone {
		return 0, errHungUp
	}
	m.proof = n == 0 && !l.virtual
	return n, l.stream.SetDeadline(l.deadline(c, c.sent, m.request)) // to look may have moved it
}

// search returns the reply if it is in b, and what of b must be kept if it is not.
func (l *RTULink) search(c *call, m *matcher, b []byte) (found, rest []byte, err error) {
	for {
		found, rest = m.take(b)
		if found == nil {
			return nil, rest, nil
		}
		switch took, least := m.at.Sub(c.sent), soonest(l.cfg.Serial, len(m.request), len(found)); {
		case m.judged.again && l.pace.keeps() && took < least:
			m.soon = true
			m.skip(found, repeated)
		case l.doubtful(c, m, found) && c.req.Op == protocol.Read:
			m.trace(found)
			return nil, nil, errDoubted
		case l.doubtful(c, m, found): // a write has waited until only a reply that came since can have copies
			m.skip(found, repeated)
		case l.tooSoon(c, m, found):
			m.soon = true
			m.skip(found, unasked)
		default:
			l.pace.believed(took, least)
			c.unit.account.accept()
			l.echo.learn(m.own, m.heard)
			l.condition.echoes.Store(l.echo.mode() == protocol.WithEcho)
			l.listener(m.at, m.now).take(rest)
			return found, nil, nil
		}
		b = rest
	}
}

// tooSoon reports whether the wire cannot have carried the request and this reply to it yet, so that it is an echo. If it cannot be one,
// the line does not keep its time.
func (l *RTULink) tooSoon(c *call, m *matcher, found []byte) bool {
	mayBeEcho := ambiguous(m.own) && !m.heard && m.echo != protocol.NoEcho
	return l.pace.tooSoon(m.at.Sub(c.sent), soonest(l.cfg.Serial, len(m.request), len(found)), mayBeEcho)
}

// doubtful reports whether a reply may be a copy of the last one, or the answer to a probe.
func (l *RTULink) doubtful(c *call, m *matcher, found []byte) bool {
	proof := m.proof && m.judged.last.Before(c.sent) && m.at.Sub(c.sent) >= soonest(l.cfg.Serial, len(m.request), len(found))
	return m.judged.again && !proof || m.judged.bent
}

func (l *RTULink) unanswered(c *call, err error, m *matcher) error {
	if !isTimeout(err) {
		return l.broken(c, "receive", err)
	}
	no := fmt.Errorf("%w within %v", protocol.ErrTimeout, l.patience(c))
	switch {
	case m.spoiled:
		no = fmt.Errorf("%w but one with a wrong checksum", protocol.ErrTimeout)
	case m.soon:
		no = fmt.Errorf("%w, only one that came before the request can have arrived", no)
		l.pace.inVain()
	case m.foreign > 0:
		no = fmt.Errorf("%w, only %d other frames", no, m.foreign)
	case m.noise > 0:
		no = fmt.Errorf("%w, only %d bytes that are no reply", no, m.noise)
	}
	if l.timeouts++; l.timeouts >= maxTimeouts && !l.port {
		l.Close()
	}
	return l.fail("receive", c.failed(no))
}

// broken closes the line.
func (l *RTULink) broken(c *call, op string, err error) error {
	l.Close()
	return l.fail(op, c.broke(err))
}
