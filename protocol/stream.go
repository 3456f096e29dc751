package protocol

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"
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

// errHungUp is the end of a stream: the peer closed the connection, or the serial port is gone.
var errHungUp = errors.New("hung up by the other end")

// hangUp gives the many faces of a stream that has ended one name.
func hangUp(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) {
		return errHungUp
	}
	return err
}

// readStale reads what has arrived already, without waiting.
func readStale(s stream, b []byte) (n int, gone bool) {
	if n, gone, ok := readNow(s, b); ok {
		return n, gone
	}
	// No descriptor to ask, as under a pipe: a millisecond is the shortest wait that the poller keeps.
	if s.SetDeadline(time.Now().Add(time.Millisecond)) != nil {
		return 0, true
	}
	n, err := s.Read(b)
	return n, err != nil && !isTimeout(err)
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// orDefault returns d, or instead if d is zero.
func orDefault(d, instead time.Duration) time.Duration {
	if d == 0 {
		return instead
	}
	return d
}
