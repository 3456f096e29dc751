package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"solarhub/protocol"
)

func (l *TCPLink) prepare(ctx context.Context, x *transfer) error {
	if err := l.Ready(ctx); err != nil {
		return err
	}
	down := protocol.ErrDown
	if l.conn != nil && !l.justDrained() {
		if err := l.drain(); err != nil {
			l.Close()
			down = fmt.Errorf("%w: %w", down, err)
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
	binary.BigEndian.PutUint16(found[4:], uint16(len(found)-mbapHeader+1))
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
	l.noise = 0
	for others := 0; ; {
		frame, looks, wrong := l.next(x)
		if frame == nil {
			if l.noise > maxForeign*mbapFrame {
				return nil, l.broken(x, "receive", fmt.Errorf("%d bytes that answer nothing", l.noise))
			}
			n, err := l.conn.Read(l.buf[l.have:])
			l.looked = time.Now()
			l.have += n
			if n == 0 && err != nil {
				return nil, l.unanswered(x, err, others, looks == mbapOwn)
			}
			continue
		}
		l.trace(false, frame)
		if answers, err := l.answers(x, frame, looks, wrong); answers || err != nil {
			return frame, err
		}
		if x.settled() {
			return nil, errSettled
		}
		if others++; others > maxForeign {
			return nil, l.broken(x, "receive", fmt.Errorf("more than %d replies that answer nothing", maxForeign))
		}
	}
}

// answers reports whether a frame is the reply, and counts it if it is not. The error is that of a reply with our
// transaction id that does not fit the request: it has failed, and the connection stays.
func (l *TCPLink) answers(x *transfer, frame []byte, looks mbapLook, wrong string) (bool, error) {
	switch {
	case looks == mbapOther && l.byShape():
		own := shapeOf(x.req)
		if l.misfit(x.req, frame, misfit) != "" {
			own = shape{}
		}
		return l.classify(frame, x.req.Unit, own, l.looked) == awaited, nil
	case looks == mbapOther:
		if l.classify(frame, x.req.Unit, shape{}, l.looked) == foreign && l.misfit(x.req, frame, misfit) == "" {
			l.condition.transactions.Store(true)
		}
		return false, nil
	case wrong != "":
		l.frames.skip(foreign)
		l.timeouts = 0
		return false, l.fail("receive", x.failed(fmt.Errorf("%w: %s", protocol.ErrMisfit, wrong)))
	}
	l.transactions.answered()
	return true, nil
}

// misfit says by a judgement of its ADU in what a frame does not answer req, and notes if it is only a unit id that
// could be borne.
func (l *TCPLink) misfit(req protocol.Request, frame []byte,
	judge func(protocol.Request, []byte) string) string {
	adu := frame[mbapHeader-1:]
	wrong, asked := judge(req, adu), req.Unit
	if wrong == "" || protocol.UnitID(adu[0]) == asked {
		return wrong
	}
	req.Unit = protocol.UnitID(adu[0])
	other := judge(req, adu)
	if l.cfg.Quirks.Units.Take(asked, req.Unit) {
		return other
	}
	if other == "" && (protocol.LaxUnits.Take(asked, req.Unit) || !l.byShape() && l.isOwn(frame)) {
		l.condition.units.Store(true)
		l.condition.unit.Store(uint32(req.Unit))
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

// drain drops what came in since the last exchange. Its error means that the connection has ended or babbles.
func (l *TCPLink) drain() error {
	at := l.looked
	l.noise = 0
	for stale := 0; ; {
		frame, _, _ := l.next(nil)
		switch {
		case stale > maxStale:
			return fmt.Errorf("more than %d replies that nobody asked for", maxStale)
		case l.noise > maxStale*mbapFrame:
			return fmt.Errorf("%d bytes that nobody asked for", l.noise)
		case frame != nil:
			stale++
			l.trace(false, frame)
			l.classify(frame, 0, shape{}, at)
			continue
		}
		n, came, gone := l.look(l.buf[l.have:])
		switch {
		case gone:
			l.closing.hungUp()
			return l.conn.why()
		case n == 0:
			l.waste(l.have)
			l.astray = false
			return nil
		}
		at = came
		l.have += n
	}
}

func (l *TCPLink) drop(n int) { l.have = copy(l.buf[:], l.buf[n:l.have]) }

// unanswered ends an exchange without a reply; begun says that the first bytes of one have come.
func (l *TCPLink) unanswered(x *transfer, err error, others int, begun bool) error {
	if said, ok := errors.AsType[noReply](err); ok {
		l.timeouts = 0
		return l.fail("receive", x.failed(said))
	}
	if !isTimeout(err) {
		return l.broken(x, "receive", err)
	}
	no, first := fmt.Errorf("%w within %v", protocol.ErrTimeout, l.timeout(x)), l.have
	l.waste(l.have)
	switch l.timeouts++; {
	case begun:
		no, l.timeouts = fmt.Errorf("%w, only its first %d bytes", no, first), 0
	case others > 0:
		no = fmt.Errorf("%w, only %d replies to other requests", no, others)
	case l.noise > 0:
		no = fmt.Errorf("%w, only %d bytes that are no reply", no, l.noise)
	}
	if l.timeouts >= maxTimeouts {
		l.Close()
	}
	return l.fail("receive", x.failed(no))
}
