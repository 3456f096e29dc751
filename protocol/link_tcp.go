package protocol

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/goburrow/modbus"
)

// TCPConfig is a Modbus TCP link. Only Address is needed.
type TCPConfig struct {
	Address     string                        // host:port; the standard's port is 502
	Name        string                        // what errors call the link. Defaults to Address
	Timeout     time.Duration                 // of a reply, where Pace has none. Defaults to DefaultTimeout
	Gap         time.Duration                 // silence behind a reply, where Pace has a shorter one. Defaults to 0
	DialTimeout time.Duration                 // of opening the connection. Defaults to DefaultDialTimeout
	Quirks      Quirks                        // Defaults to none
	Dial        DialFunc                      // makes the connection. Defaults to net.Dialer
	Trace       func(sent bool, frame []byte) // sees every ADU, also those that answer nothing; frame is only lent. Defaults to none
}

// maxTimeouts in a row make a TCP link open a new connection: a gateway that has lost ours often keeps it open.
const maxTimeouts = 3

// TCPLink is a Modbus TCP connection. Replies are told apart by transaction ids of its own, so a late answer never
// passes for another one. Source: MODBUS Messaging on TCP/IP V1.0b.
type TCPLink struct {
	cfg         TCPConfig
	packagers   map[UnitID]modbus.Packager
	stream      *tap // nil while closed
	connection  uint64
	transaction uint16
	timeouts    int // in a row
	free        time.Time
	buf         [4096]byte
	have        int             // bytes at the start of buf that came in and are not yet a whole ADU
	reply       [mbapFrame]byte // the last reply, until it is unpacked
	frames      frameCounter
	condition   condition
}

// NewTCP returns a closed link.
func NewTCP(cfg TCPConfig) *TCPLink {
	if cfg.Name == "" {
		cfg.Name = cfg.Address
	}
	cfg.Timeout = orDefault(cfg.Timeout, DefaultTimeout)
	cfg.DialTimeout = orDefault(cfg.DialTimeout, DefaultDialTimeout)
	return &TCPLink{cfg: cfg, packagers: make(map[UnitID]modbus.Packager)}
}

// Frames returns what came in and answered nothing. It may be called from any goroutine.
func (l *TCPLink) Frames() Frames { return l.frames.snapshot() }

// Condition returns what the link knows of itself. It may be called from any goroutine.
func (l *TCPLink) Condition() LinkCondition { return l.condition.snapshot() }

// Open opens the connection if it is closed or the peer has closed it.
func (l *TCPLink) Open(ctx context.Context) (uint64, error) {
	if l.stream != nil && l.takeStale() == nil {
		return l.connection, nil
	}
	l.Close()
	conn, err := dial(ctx, l.cfg.Dial, l.cfg.Address, l.cfg.DialTimeout)
	if err != nil {
		return l.connection, l.fail("open", err)
	}
	l.stream = newTap(conn)
	l.connection++
	l.free = time.Now().Add(l.cfg.Quirks.ConnectDelay)
	return l.connection, nil
}

// Ready waits for the end of the silence behind the last reply or behind the opening.
func (l *TCPLink) Ready(ctx context.Context) error { return waitUntil(ctx, l.free, time.Sleep) }

// Close closes the connection.
func (l *TCPLink) Close() error {
	l.have, l.timeouts = 0, 0
	if l.stream == nil {
		return nil
	}
	err := l.stream.Close()
	l.stream = nil
	return err
}

// Exchange is described at Link. Any byte is a unit id here.
func (l *TCPLink) Exchange(ctx context.Context, req Request) (Response, error) {
	if err := req.Check(); err != nil {
		return Response{}, err
	}
	p := l.packagers[req.Unit]
	if p == nil {
		h := modbus.NewTCPClientHandler("")
		h.SlaveId = byte(req.Unit)
		p, l.packagers[req.Unit] = h, h
	}
	if err := l.Ready(ctx); err != nil {
		return Response{}, fmt.Errorf("%v: %w", req, err)
	}
	c := &call{ctx: ctx, req: req, via: l}
	return c.run(p, l.connection)
}

func (l *TCPLink) transmit(c *call, adu []byte) ([]byte, error) {
	if l.stream == nil {
		return nil, l.fail("send", ErrDown)
	}
	if err := l.takeStale(); err != nil {
		l.Close()
		return nil, l.fail("send", fmt.Errorf("%w: %w", ErrDown, err))
	}
	timeout := orDefault(c.req.Pace.Timeout, l.cfg.Timeout)
	// The packager counts for one unit only; two units on this connection would collide.
	counted := [2]byte(adu)
	l.transaction++
	binary.BigEndian.PutUint16(adu, l.transaction)

	now := time.Now()
	if err := c.mayStart(now); err != nil {
		return nil, err
	}
	if err := l.stream.SetDeadline(now.Add(timeout)); err != nil {
		return nil, l.broken(c, "send", err)
	}
	l.trace(true, adu)
	if n, err := l.stream.Write(adu); err != nil {
		if n > 0 {
			c.sent = now
		}
		return nil, l.broken(c, "send", err)
	}
	c.sent = now
	reply, err := l.receive(c, timeout)
	l.free = time.Now()
	if err == nil {
		c.done = l.free
		copy(reply, counted[:])
		copy(adu, counted[:])
	}
	l.free = l.free.Add(max(l.cfg.Gap, c.req.Pace.Gap))
	return reply, err
}

// receive returns the ADU that carries our transaction id.
func (l *TCPLink) receive(c *call, timeout time.Duration) ([]byte, error) {
	for foreign := 0; ; {
		frame, err := nextMBAP(l.buf[:l.have])
		if err != nil {
			return nil, l.broken(c, "receive", err)
		}
		if frame == nil {
			n, err := l.stream.Read(l.buf[l.have:])
			l.have += n
			if n == 0 && err != nil {
				return nil, l.unanswered(c, err, timeout, foreign)
			}
			continue
		}
		if binary.BigEndian.Uint16(frame) == l.transaction {
			return l.take(c, frame)
		}
		l.discard(frame)
		if foreign++; foreign > maxForeign {
			return nil, l.broken(c, "receive", fmt.Errorf("more than %d replies that answer nothing", maxForeign))
		}
	}
}

// take checks the reply with our transaction id. One that does not fit the request leaves no trust in the peer.
func (l *TCPLink) take(c *call, frame []byte) ([]byte, error) {
	if wrong := misfit(c.req, frame[mbapHeader-1:]); wrong != "" {
		l.discard(frame)
		return nil, l.broken(c, "receive", errors.New("a reply "+wrong))
	}
	l.timeouts = 0
	reply := l.reply[:copy(l.reply[:], frame)]
	l.trace(false, frame)
	l.drop(len(frame))
	return reply, nil
}

// takeStale reads what came in since the last exchange and drops the whole ADUs of it. Its error means that the
// connection has ended or can no longer be trusted.
func (l *TCPLink) takeStale() error {
	for {
		n, gone := l.stream.arrived(l.buf[l.have:])
		if gone {
			return errHungUp
		}
		if n == 0 {
			return nil
		}
		l.have += n
		for {
			frame, err := nextMBAP(l.buf[:l.have])
			if err != nil {
				return err
			}
			if frame == nil {
				break
			}
			l.discard(frame)
		}
	}
}

// discard drops an ADU that answers nothing. Ids count upwards, so one from the lower half of the circle is ours and late.
func (l *TCPLink) discard(frame []byte) {
	if behind := l.transaction - binary.BigEndian.Uint16(frame); behind < 1<<15 {
		l.frames.late.Add(1)
	} else {
		l.frames.foreign.Add(1)
	}
	l.trace(false, frame)
	l.drop(len(frame))
}

func (l *TCPLink) drop(n int) { l.have = copy(l.buf[:], l.buf[n:l.have]) }

func (l *TCPLink) unanswered(c *call, err error, timeout time.Duration, foreign int) error {
	if !isTimeout(err) {
		return l.broken(c, "receive", err)
	}
	late := fmt.Errorf("%w within %v", ErrTimeout, timeout)
	if foreign > 0 {
		late = fmt.Errorf("%w, only %d replies to other requests", late, foreign)
	}
	if l.timeouts++; l.timeouts >= maxTimeouts {
		l.Close()
	}
	return l.fail("receive", c.failed(late))
}

// broken closes the connection: what comes next on it could be anything.
func (l *TCPLink) broken(c *call, op string, err error) error {
	l.Close()
	err = hangUp(err)
	if !c.sent.IsZero() {
		err = c.failed(err)
	}
	return l.fail(op, err)
}

func (l *TCPLink) fail(op string, err error) error {
	return &LinkError{Op: op, Link: l.cfg.Name, Err: err}
}

func (l *TCPLink) trace(sent bool, frame []byte) {
	if l.cfg.Trace != nil {
		l.cfg.Trace(sent, frame)
	}
}
