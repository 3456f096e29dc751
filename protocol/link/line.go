package link

import (
	"context"
	"errors"
	"time"

	"solarhub/protocol"
)

// line is what links of both kinds are made of.
type line struct {
	name       string // what errors call the link
	gap        time.Duration
	traced     func(sent bool, frame []byte)
	sleep      func(time.Duration) // for milliseconds; that of a port is precise
	units      units
	dial       func(ctx context.Context) (stream, error)
	delay      time.Duration // silence behind the opening
	closing    closing
	conn       *peekConn // nil while closed
	connection uint64
	timeouts   int // in a row
	free       time.Time
	looked     time.Time // when it was last known what had come in
	have       int       // bytes at the start of the link's buffer that came in and are not yet a whole frame
	frames     frameCounter
	condition  condition
	pace       *pace // nil: the gap is not learnt
}

func (l *line) set(name string, gap time.Duration, traced func(bool, []byte), units units) {
	l.name, l.gap, l.traced, l.sleep, l.units = name, gap, traced, time.Sleep, units
	l.condition.gap.Store(int64(gap))
}

// Frames returns what came in and answered nothing. It may be called from any goroutine.
func (l *line) Frames() protocol.Frames { return l.frames.snapshot() }

// Condition returns what the link knows of itself. It may be called from any goroutine.
func (l *line) Condition() protocol.LinkCondition { return l.condition.snapshot() }

// Ready waits for the end of the silence behind the last byte or behind the opening.
func (l *line) Ready(ctx context.Context) error { return waitUntil(ctx, l.free, l.sleep) }

// Close closes the port or the connection. What is pending stays so: a gateway may hand a late reply to the next
// connection.
func (l *line) Close() error {
	l.timeouts, l.have = 0, 0
	if l.conn == nil {
		return nil
	}
	err := l.conn.Close()
	l.conn = nil
	return err
}

// send sends the ADU of a request whose reply may take this long.
func (l *line) send(x *transfer, adu []byte, timeout time.Duration) error {
	now := time.Now()
	if err := l.conn.SetDeadline(now.Add(timeout)); err != nil {
		return l.broken(x, "send", err)
	}
	l.trace(true, adu)
	n, err := l.conn.Write(adu)
	if err == nil || n > 0 {
		x.sent = now
	}
	if err != nil {
		return l.broken(x, "send", err)
	}
	return nil
}

// received ends an exchange that went out, with a reply or an error.
func (l *line) received(x *transfer, err error) error {
	gap := max(l.gap, x.req.Pace.Gap, l.pace.behind(err))
	l.condition.gap.Store(int64(gap))
	l.free = l.looked.Add(gap)
	if err == nil {
		x.done, l.timeouts = l.looked, 0
		over := l.closing.replied()
		l.condition.closes.Store(l.closing.learnt())
		if over {
			l.Close()
		}
	}
	return err
}

// look reads what has come in since the line was looked at last, while nothing was asked, and says when it came.
func (l *line) look(b []byte) (n int, at time.Time, gone bool) {
	n, gone = l.conn.readAvailable(b)
	now := time.Now()
	at = now
	if now.Sub(l.looked) > freshWithin {
		at = l.looked // it may have come at any time since: do not overstate how late it was
	}
	l.looked = now
	return n, at, gone
}

// remember keeps a request without a reply as pending.
func (l *line) remember(x *transfer) {
	x.unit.pending.add(pending{shape: shapeOf(x.req), sent: x.sent, at: l.looked})
}

// broken closes the line: what comes next on it could be anything. A server that closes each connection behind its
// first reply may do so only when the next request is on its way.
func (l *line) broken(x *transfer, op string, err error) error {
	err = hangUp(err)
	if errors.Is(err, protocol.ErrHungUp) && l.closing.replies <= 1 {
		l.closing.hungUp()
	}
	l.Close()
	return l.fail(op, x.broke(err))
}

func (l *line) fail(op string, err error) error {
	return &protocol.LinkError{Op: op, Link: l.name, Err: err}
}

func (l *line) trace(sent bool, frame []byte) {
	if l.traced != nil {
		l.traced(sent, frame)
	}
}
