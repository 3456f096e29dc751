package sim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"slices"
	"time"
)

// TLS is how a simulated device is secured. Source: MODBUS/TCP Security Protocol Specification.
type TLS struct {
	Certificate tls.Certificate // of the device
	// Clients are the authorities of those who may ask. nil: nobody needs a certificate, which the standard does not
	// allow and some devices do.
	Clients *x509.CertPool
	// Writers are the roles that may write; others are refused with exception 1. nil: all may, also without a role.
	Writers []string
	// Config is what else a device does differently, such as its ciphers. Defaults to Go's with TLS 1.2 and later.
	Config *tls.Config
}

// handshakeWithin is how long a client may take for it.
const handshakeWithin = 10 * time.Second

// ServeTLS answers Modbus TCP inside TLS on each connection of ln until ctx ends (nil) or ln fails. It closes ln and
// all connections.
func (l *Line) ServeTLS(ctx context.Context, ln net.Listener, security TLS) error {
	return l.accept(ctx, ln, func(ctx context.Context, conn net.Conn) {
		_ = l.serveTLS(ctx, conn, security, l.waits(OnTheDot)) // as in Serve
	})
}

// ServeTLSConn is ServeConn for Modbus TCP inside TLS.
func (l *Line) ServeTLSConn(ctx context.Context, conn net.Conn, security TLS) error {
	return l.serveTLS(ctx, conn, security, l.waits(OnTimer))
}

func (l *Line) serveTLS(ctx context.Context, conn net.Conn, security TLS, wait Wait) error {
	c := tls.Server(conn, security.config())
	within, cancel := context.WithTimeout(ctx, handshakeWithin)
	defer cancel()
	if err := c.HandshakeContext(within); err != nil {
		conn.Close()
		return err
	}
	return l.serve(ctx, &secured{c, security.mayWrite(c.ConnectionState())}, TCP, wait)
}

func (s TLS) config() *tls.Config {
	c := s.Config.Clone()
	if c == nil {
		c = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c.Certificates = []tls.Certificate{s.Certificate}
	// Tickets go out behind the handshake, when a client over a pipe does not read yet.
	c.SessionTicketsDisabled = true
	if s.Clients != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, s.Clients
	}
	return c
}

// mayWrite reports whether the client has a role that may.
func (s TLS) mayWrite(state tls.ConnectionState) bool {
	if s.Writers == nil {
		return true
	}
	if len(state.PeerCertificates) == 0 {
		return false
	}
	role, ok := roleIn(state.PeerCertificates[0])
	return ok && slices.Contains(s.Writers, role)
}

// secured is a stream whose client may only do what its role allows.
type secured struct {
	*tls.Conn
	writes bool
}

func (c *secured) mayWrite() bool { return c.writes }

// SetLinger is that of the connection below, so that a fault can reset it.
func (c *secured) SetLinger(seconds int) error {
	if below, ok := c.NetConn().(lingerer); ok {
		return below.SetLinger(seconds)
	}
	return nil
}
