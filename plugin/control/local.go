package control

import (
	"context"
	"net"
	"sync"
)

// Local is a listener for a client in the same process.
type Local struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// NewLocal returns a listener, and the client that it takes connections from.
func NewLocal() (*Local, *Client) {
	l := &Local{conns: make(chan net.Conn), closed: make(chan struct{})}
	return l, newClient(l.dial)
}

func (l *Local) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, ErrNobody
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection.
func (l *Local) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listening.
func (l *Local) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr says that it is none of a network.
func (l *Local) Addr() net.Addr { return &net.UnixAddr{Name: "in this process", Net: "unix"} }
