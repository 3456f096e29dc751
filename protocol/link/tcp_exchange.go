package link

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"solarhub/protocol"
)

func (l *TCPLink) prepare(ctx context.Context, x *transfer) error {
	if err := l.Ready(ctx); err != nil {
		return err
	}
	x.connection = l.connection
	if l.conn == nil {
		return l.fail("send", protocol.ErrDown)
	}
	if !l.justDrained() {
		if err := l.drain(); err != nil {
			l.Close()
			return l.fail("send", fmt.Errorf("%w: %w", protocol.ErrDown, err))
		}
	}
	return x.mayStart(ctx)
}

func (l *TCPLink) transmit(x *transfer, adu []byte) ([]byte, error) {
	// The packager counts for one unit only; two units on this connection would collide.
	counted := [2]byte(adu)
	binary.BigEndian.PutUint16(adu, l.transactions.next(time.Now()))
	if err := l.send(x, adu, l.timeout(x)); err != nil {
		return nil, err
	}
	found, err := l.receive(x)
	if err := l.received(x, err); err != nil {
		if l.byShape() {
			l.remember(x)
		}
		return nil, err
	}
	copy(adu, counted[:])
	copy(found, counted[:])
	found[mbapHeader-1] = byte(x.req.Unit)
	return found, nil
}

// justDrained reports whether Open has drained the connection a moment ago, so that it need not be done again. Without
// ids it is always done, directly before the request.
func (l *TCPLink) justDrained() bool {
	yes := !l.byShape() && time.Since(l.drained) < time.Millisecond
	l.drained = time.Time{}
	return yes
}

func (l *TCPLink) timeout(x *transfer) time.Duration {
	return x.unit.timeout(x.req.Pace, l.connection, l.cfg.Timeout)
}

// receive returns a copy of the ADU that answers.
func (l *TCPLink) receive(x *transfer) ([]byte, error) {
	for others := 0; ; {
		frame, err := nextMBAP(l.buf[:l.have])
		if err != nil {
			return nil, l.broken(x, "receive", err)
		}
		if frame == nil {
			n, err := l.conn.Read(l.buf[l.have:])
			l.looked = time.Now()
			l.have += n
			if n == 0 && err != nil {
				return nil, l.unanswered(x, err, others)
			}
			continue
		}
		found := l.reply[:copy(l.reply[:], frame)]
		l.drop(len(frame))
		l.trace(false, found)
		if answers, err := l.answers(x, found); answers || err != nil {
			return found, err
		}
		if x.settled() {
			return nil, errSettled
		}
		if others++; others > maxForeign {
			return nil, l.broken(x, "receive", fmt.Errorf("more than %d replies that answer nothing", maxForeign))
		}
	}
}

// answers reports whether a frame is the reply, and counts it if it is not. A reply with our transaction id that does
// not fit the request leaves no trust in the peer.
func (l *TCPLink) answers(x *transfer, frame []byte) (bool, error) {
	wrong := l.misfit(x.req, frame)
	if l.byShape() {
		own := shapeOf(x.req)
		if wrong != "" {
			own = shape{}
		}
		return l.classify(frame, x.req.Unit, own, l.looked) == awaited, nil
	}
	if binary.BigEndian.Uint16(frame) != l.transactions.last {
		if l.classify(frame, x.req.Unit, shape{}, l.looked) == foreign && wrong == "" {
			l.condition.transactions.Store(true)
		}
		return false, nil
	}
	if wrong != "" {
		l.frames.skip(foreign)
		return false, l.broken(x, "receive", fmt.Errorf("%w: %s", protocol.ErrMisfit, wrong))
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

// classify says what a frame that came in at a time is, by its transaction id or, where ids say nothing, by its shape;
// own is that of the request in flight if the frame fits it. It counts what is not the reply.
func (l *TCPLink) classify(frame []byte, unit protocol.UnitID, own shape, at time.Time) (kind replyKind) {
	var sent time.Time
	if !l.byShape() {
		kind, sent = l.transactions.classify(binary.BigEndian.Uint16(frame))
	} else if r := replyIn(frame); r.shape.function != 0 {
		kind, sent = l.units.classify(r, unit, own)
	}
	if kind == late {
		l.condition.late(at.Sub(sent))
	}
	if kind != awaited {
		l.frames.skip(kind)
	}
	return kind
}

// maxStale bounds the ADUs that have come in between two requests: more than one for each request that is remembered is
// babble.
const maxStale = maxPending

// drain drops the whole ADUs that came in since the last exchange. Its error means that the connection has ended or can
// no longer be trusted.
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
			l.classify(frame, 0, shape{}, at)
			l.drop(len(frame))
			continue
		}
		n, came, gone := l.look(l.buf[l.have:])
		switch {
		case gone:
			return errHungUp
		case n == 0:
			return nil
		}
		at = came
		l.have += n
	}
}

func (l *TCPLink) drop(n int) { l.have = copy(l.buf[:], l.buf[n:l.have]) }

func (l *TCPLink) unanswered(x *transfer, err error, others int) error {
	if !isTimeout(err) {
		return l.broken(x, "receive", err)
	}
	no := fmt.Errorf("%w within %v", protocol.ErrTimeout, l.timeout(x))
	if others > 0 {
		no = fmt.Errorf("%w, only %d replies to other requests", no, others)
	}
	// A frame that has stopped in its middle would garble the next reply, too.
	if l.timeouts++; l.timeouts >= maxTimeouts || l.have > 0 {
		l.Close()
	}
	return l.fail("receive", x.failed(no))
}
