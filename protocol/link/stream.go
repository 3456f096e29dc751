package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"solarhub/protocol"
)

// stream is what bytes travel on: a serial port or a TCP connection.
type stream interface {
	io.ReadWriteCloser
	SetDeadline(t time.Time) error
}

// DialFunc makes a connection; net.Dialer.DialContext is one.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// DefaultDialTimeout bounds the opening of a TCP connection: a gateway on the same network answers in milliseconds, one
// that is switched off never does.
const DefaultDialTimeout = 3 * time.Second

// dial opens a TCP connection within timeout.
func dial(ctx context.Context, by DialFunc, address string, timeout time.Duration) (net.Conn, error) {
	if by == nil {
		by = new(net.Dialer).DialContext
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return by(ctx, "tcp", address)
}

// hangUp gives the many faces of a stream that has ended one name.
func hangUp(err error) error {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, syscall.EIO):
		return protocol.ErrHungUp
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return fmt.Errorf("%w: %w", protocol.ErrHungUp, err)
	case errors.Is(err, syscall.ECONNREFUSED): // by ICMP, as a connected socket of UDP is told
		return fmt.Errorf("%w: the host is there, but nothing listens on its UDP port: %w", protocol.ErrHungUp, err)
	}
	return err
}

// noReply is what a stream returns in place of a reply that will not come, where the other end is all right: a stick
// says so of the inverter behind it. It wraps protocol.ErrTimeout.
type noReply struct{ error }

func (e noReply) Unwrap() error { return e.error }

// peekConn is a stream that can also be read without waiting.
type peekConn struct {
	stream
	raw  syscall.RawConn // nil if there is no descriptor to ask, as under a pipe
	into []byte
	n    int
	err  error
	read func(fd uintptr) // made once: it runs before every request
}

func newPeekConn(s stream) *peekConn {
	t := &peekConn{stream: s}
	if conn, ok := s.(syscall.Conn); ok && canReadDescriptor {
		t.raw, _ = conn.SyscallConn()
	}
	t.read = func(fd uintptr) { t.n, t.err = readDescriptor(fd, t.into) }
	return t
}

// readAvailable reads what has arrived already; gone means that the other end has hung up.
func (t *peekConn) readAvailable(b []byte) (n int, gone bool) {
	if p, ok := t.stream.(interface{ readAvailable([]byte) (int, error) }); ok {
		n, t.err = p.readAvailable(b)
		return n, t.err != nil
	}
	if t.raw == nil {
		return t.readFor(b)
	}
	t.into = b
	// Control and not Read: a deadline that passed in the last exchange has no say here.
	if err := t.raw.Control(t.read); err != nil { // not into t.err, which read sets
		t.err = err
		return 0, true
	}
	return t.n, t.err != nil
}

// readFor waits a millisecond, the shortest wait that the poller keeps.
func (t *peekConn) readFor(b []byte) (n int, gone bool) {
	if t.err = t.SetDeadline(time.Now().Add(time.Millisecond)); t.err != nil {
		return 0, true
	}
	n, t.err = t.Read(b)
	return n, t.err != nil && !isTimeout(t.err)
}

// why says how a stream ended that readAvailable has found gone.
func (t *peekConn) why() error { return hangUp(t.err) }

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// maxForeign bounds the frames that answer nothing within one exchange. Loggers and second clients of a gateway send a
// few; a line with more than this is babbling.
const maxForeign = 16

// freshWithin bounds the time between two looks at a line within which what is found is taken to have come in just now.
const freshWithin = 100 * time.Millisecond
