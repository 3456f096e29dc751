package protocol

import (
	"fmt"
	"time"
)

// rtuTransmitter moves the ADUs of one exchange with one unit.
type rtuTransmitter struct {
	*RTULink
	unit  *rtuUnit
	avoid *shape // of a probe: the shape that it is to settle
}

// spoiledQuiet is how long the rest of a damaged reply is waited for: no part of a frame comes later than this, and to wait
// for the whole timeout would only hold up the line.
const spoiledQuiet = 100 * time.Millisecond

func (l rtuTransmitter) transmit(c *call, adu []byte) ([]byte, error) {
	if l.stream == nil {
		return nil, l.fail("send", ErrDown)
	}
	if err := l.quiet(); err != nil {
		return nil, err
	}
	if err := l.write(c, adu); err != nil {
		return nil, err
	}
	reply, err := l.receive(c, adu)
	now := time.Now()
	l.free = now.Add(max(l.gap, c.req.Pace.Gap))
	if err != nil {
		l.unit.debts.add(shapeOf(c.req), now)
		return nil, err
	}
	c.done, l.timeouts = now, 0
	l.trace(false, reply)
	// It lies in the receive buffer and is unpacked before that is used again.
	return reply, nil
}

// quiet drops what lies on the line. If something does, someone may still be sending: the line must be silent for a gap
// before we do, but a line that is never silent is not waited for longer than a frame takes.
func (l rtuTransmitter) quiet() error {
	for end := time.Now().Add(l.serial.Chars(rtuMax)); ; {
		n, gone := l.stream.arrived(l.buf[:])
		if gone {
			l.Close()
			return l.fail("send", fmt.Errorf("%w: %w", ErrDown, errHungUp))
		}
		if n == 0 || time.Now().After(end) {
			return nil
		}
		l.frames.noise.Add(uint64(n))
		l.sleep(l.serial.Silence())
	}
}

func (l rtuTransmitter) write(c *call, adu []byte) error {
	now := time.Now()
	if err := c.mayStart(now); err != nil {
		return err
	}
	if err := l.stream.SetDeadline(now.Add(l.serial.Chars(len(adu)) + l.patience(c.req))); err != nil {
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

// patience is the time from the last byte of the request to the last of the reply. At a low baud a long reply takes longer
// than a usual timeout, so it is never less than twice the time on the wire.
func (l rtuTransmitter) patience(req Request) time.Duration {
	_, reply := WireChars(req.Op, req.Range)
	return max(orDefault(req.Pace.Timeout, l.timeout), 2*l.serial.Chars(reply))
}

func (l rtuTransmitter) receive(c *call, adu []byte) ([]byte, error) {
	m := matcher{
		unit: c.req.Unit, own: shapeOf(c.req), request: adu, echoes: l.echoes, debts: &l.unit.debts, count: &l.frames,
		trace: func(frame []byte) { l.trace(false, frame) },
	}
	spoiled := false
	for have := 0; ; {
		n, err := l.stream.Read(l.buf[have:])
		if n == 0 && err != nil {
			m.wasted(have)
			return nil, l.unanswered(c, err, &m)
		}
		reply, rest := m.take(l.buf[:have+n])
		l.echoes = m.echoes
		if reply != nil {
			return reply, nil
		}
		if l.avoid != nil && !l.unit.debts.owes(*l.avoid) {
			return nil, errSettled
		}
		if m.foreign > maxForeign || m.noise > maxForeign*rtuMax {
			return nil, l.broken(c, "receive", fmt.Errorf("%d frames and %d bytes that answer nothing", m.foreign, m.noise))
		}
		have = copy(l.buf[:], rest)
		if m.spoiled && !spoiled {
			spoiled = true
			if err := l.stream.SetDeadline(time.Now().Add(spoiledQuiet)); err != nil {
				return nil, l.broken(c, "receive", err)
			}
		}
	}
}

func (l rtuTransmitter) unanswered(c *call, err error, m *matcher) error {
	if !isTimeout(err) {
		return l.broken(c, "receive", err)
	}
	late := fmt.Errorf("%w within %v", ErrTimeout, l.patience(c.req))
	switch {
	case m.spoiled:
		late = fmt.Errorf("%w but one with a wrong checksum", ErrTimeout)
	case m.foreign > 0:
		late = fmt.Errorf("%w, only %d other frames", late, m.foreign)
	case m.noise > 0:
		late = fmt.Errorf("%w, only %d bytes that are no reply", late, m.noise)
	}
	if l.timeouts++; l.timeouts >= maxTimeouts && !l.patient {
		l.Close()
	}
	return l.fail("receive", c.failed(late))
}

// broken closes the line.
func (l rtuTransmitter) broken(c *call, op string, err error) error {
	l.Close()
	err = hangUp(err)
	if !c.sent.IsZero() {
		err = c.failed(err)
	}
	return l.fail(op, err)
}
