package link

import (
	"context"
	"fmt"
	"time"

	"solarhub/protocol"
)

// damagedQuiet is how long the rest of a damaged reply is waited for: no part of a frame comes later than this, and to
// wait for the whole timeout would only hold up the line.
const damagedQuiet = 100 * time.Millisecond

func (l *RTULink) prepare(ctx context.Context, x *transfer) error {
	if err := l.Ready(ctx); err != nil {
		return err
	}
	down := protocol.ErrDown
	if l.conn != nil {
		if err := l.awaitSilence(); err != nil {
			down = err
		}
	}
	if err := l.reconnect(ctx); err != nil {
		return err
	}
	x.connection = l.connection
	if l.conn == nil {
		return l.fail("send", down)
	}
	return x.mayStart(ctx)
}

func (l *RTULink) transmit(x *transfer, adu []byte) ([]byte, error) {
	if err := l.send(x, adu, l.timeout(x, len(adu))); err != nil {
		return nil, err
	}
	found, err := l.receive(x, adu)
	if err := l.received(x, err); err != nil {
		l.remember(x)
		return nil, err
	}
	l.trace(false, found)
	if protocol.UnitID(found[0]) != x.req.Unit {
		rename(found, x.req.Unit)
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

// awaitSilence drops what lies on the line. If something does, someone may still be sending: the line must be silent
// for a gap before we do, but a line that is never silent is not waited for longer than a frame takes.
func (l *RTULink) awaitSilence() error {
	for end := time.Now().Add(l.cfg.Serial.Chars(rtuMax)); ; {
		n, gone := l.drain()
		if gone {
			why := l.conn.why()
			l.Close()
			return fmt.Errorf("%w: %w", protocol.ErrDown, why)
		}
		if n == 0 || time.Now().After(end) {
			l.frames.noise.Add(uint64(l.have))
			l.have = 0
			return nil
		}
		l.sleep(max(l.cfg.Serial.Silence(), time.Millisecond))
	}
}

// drain drops what came in while nothing was asked, and returns how many bytes that was.
func (l *RTULink) drain() (n int, gone bool) {
	n, at, gone := l.look(l.buf[l.have:])
	if gone {
		l.closing.hungUp()
	}
	if n > 0 {
		_, rest := l.listener(at).take(l.buf[:l.have+n])
		l.have = copy(l.buf[:], rest)
	}
	return n, gone
}

// listener returns a matcher for what was not asked for.
func (l *RTULink) listener(at time.Time) *matcher {
	return &matcher{known: &l.units, count: &l.frames, note: &l.condition, trace: l.skipped, at: at}
}

// timeout is the time from the first byte of the request to the last of the reply. At a low baud a long reply takes
// longer than a usual timeout, so twice the reply's time on the wire is allowed at least.
func (l *RTULink) timeout(x *transfer, request int) time.Duration {
	return l.cfg.Serial.Chars(request) + l.patience(x)
}

// patience is the part of the timeout that begins with the last byte of the request.
func (l *RTULink) patience(x *transfer) time.Duration {
	_, reply := protocol.WireChars(x.req.Op, x.req.Range)
	return max(x.unit.timeout(x.req.Pace, l.connection, l.cfg.Timeout), 2*l.cfg.Serial.Chars(reply))
}

// receive reads until the reply is there.
func (l *RTULink) receive(x *transfer, adu []byte) ([]byte, error) {
	m := l.listener(x.sent)
	m.unit, m.own, m.request = x.req.Unit, shapeOf(x.req), adu
	m.echo, m.units = l.cfg.Quirks.Echo == protocol.WithEcho, l.cfg.Quirks.Units
	damaged := false
	for have := 0; ; {
		n, err := l.conn.Read(l.buf[have:])
		l.looked = time.Now()
		if n == 0 && err != nil {
			m.wasted(have)
			return nil, l.unanswered(x, err, m)
		}
		m.at = l.looked
		found, rest := m.take(l.buf[:have+n])
		if found != nil {
			l.listener(m.at).take(rest)
			return found, nil
		}
		if x.settled() {
			return nil, errSettled
		}
		if m.others > maxForeign || m.noise > maxForeign*rtuMax {
			return nil, l.broken(x, "receive",
				fmt.Errorf("%d frames and %d bytes that answer nothing", m.others, m.noise))
		}
		have = copy(l.buf[:], rest)
		if m.damaged && !damaged {
			damaged = true
			if err := l.conn.SetDeadline(time.Now().Add(damagedQuiet)); err != nil {
				return nil, l.broken(x, "receive", err)
			}
		}
		l.awaitRest(m.missing)
	}
}

// awaitRest sleeps while all of a reply but its last byte travels over a serial line, instead of waking up for each
// byte.
func (l *RTULink) awaitRest(missing int) {
	if left := time.Until(l.looked.Add(l.cfg.Serial.Chars(missing - 1))); l.isPort && missing > 1 && left > 0 {
		l.sleep(left)
	}
}

func (l *RTULink) unanswered(x *transfer, err error, m *matcher) error {
	if !isTimeout(err) {
		return l.broken(x, "receive", err)
	}
	no := fmt.Errorf("%w within %v", protocol.ErrTimeout, l.patience(x))
	switch {
	case m.damaged:
		no = fmt.Errorf("%w but one with a wrong checksum", protocol.ErrTimeout)
	case m.misfits > 0:
		no = fmt.Errorf("%w of another size, and %w within %v", protocol.ErrMisfit, protocol.ErrTimeout, l.patience(x))
	case m.others > 0:
		no = fmt.Errorf("%w, only %d other frames", no, m.others)
	case m.noise > 0:
		no = fmt.Errorf("%w, only %d bytes that are no reply", no, m.noise)
	}
	if l.timeouts++; m.damaged || m.misfits > 0 {
		l.timeouts = 0 // somebody is there
	}
	if l.timeouts >= maxTimeouts && !l.isPort {
		l.Close()
	}
	return l.fail("receive", x.failed(no))
}
