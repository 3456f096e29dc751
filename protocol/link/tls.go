package link

import (
	"context"
	"crypto/tls"
	"net"
	"os"
)

// Modbus TCP Security is Modbus TCP inside TLS, on port 802. Each side shows a certificate; what ours may do on the
// device is written in it, as a role. Source: MODBUS/TCP Security Protocol Specification, v21 and v36.

// NewTLS returns a closed link of Modbus TCP inside TLS. The files of a security are read whenever it opens, so a
// certificate that was renewed is used from the next connection on.
func NewTLS(cfg TCPConfig, s TLS) *TCPLink {
	l := NewTCP(cfg)
	l.dial = func(ctx context.Context) (stream, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*l.cfg.DialTimeout) // half of it for the handshake
		defer cancel()
		m, err := s.meet(cfg.Address)
		if err != nil {
			return nil, err
		}
		conn, err := dial(ctx, cfg.Dial, cfg.Address, l.cfg.DialTimeout)
		if err != nil {
			return nil, err
		}
		return m.secure(ctx, conn)
	}
	return l
}

// secured is a stream inside TLS.
type secured struct {
	*tls.Conn
	under *instant
	*meeting
}

func (m *meeting) secure(ctx context.Context, conn net.Conn) (stream, error) {
	under := &instant{Conn: conn, peek: newPeekConn(conn)}
	c := &secured{tls.Client(under, m.config), under, m}
	if err := c.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, hungUpEarly(c.explain(err))
	}
	return c, nil
}

// Read reads; a device may refuse our certificate only when we think that all is well (TLS 1.3).
func (c *secured) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.explain(err)
}

// readAvailable reads what has come in, from TLS' own buffers, too.
func (c *secured) readAvailable(b []byte) (int, error) {
	c.under.now = true
	n, err := c.Conn.Read(b)
	c.under.now = false
	if isTimeout(err) {
		err = nil
	}
	return n, c.explain(err)
}

// instant is a connection that can be told not to wait.
type instant struct {
	net.Conn
	peek *peekConn
	now  bool // Read times out at once where nothing has come in
}

func (c *instant) Read(b []byte) (int, error) {
	if !c.now {
		return c.Conn.Read(b)
	}
	n, gone := c.peek.readAvailable(b)
	switch {
	case gone:
		return 0, c.peek.err
	case n == 0:
		return 0, os.ErrDeadlineExceeded
	}
	return n, nil
}
