package sim

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// Source: MODBUS/TCP Security Protocol Specification, R-22: a role is a UTF8String. Go marshals a string as another
// type where it can.
func TestRoleIn(t *testing.T) {
	made, err := Certificate{Names: []string{"one"}, Role: "Operator"}.Make(nil)
	if err != nil {
		t.Fatal(err)
	}
	if role, ok := roleIn(made.Leaf); role != "Operator" || !ok {
		t.Errorf("%q, %v", role, ok)
	}
	none, err := Certificate{Names: []string{"one", "127.0.0.1"}}.Make(&made)
	if err != nil || len(none.Certificate) != 2 || none.Leaf.CheckSignatureFrom(made.Leaf) == nil {
		t.Errorf("%v: who is no authority has signed", err)
	}
	if role, ok := roleIn(none.Leaf); ok {
		t.Errorf("%q", role)
	}
	printable, err := asn1.Marshal("Operator")
	if err != nil {
		t.Fatal(err)
	}
	for _, value := range [][]byte{printable, nil, {0x0C, 9, 'x'}, {0x0C, 1, 'x', 0}} {
		if role, ok := roleIn(&x509.Certificate{Extensions: []pkix.Extension{{Id: roleOID, Value: value}}}); ok {
			t.Errorf("% x is the role %q", value, role)
		}
	}
}

// A client without a certificate is sent away where one is needed; a role that may not write is refused; Disconnect
// ends what is inside TLS, too.
func TestServeTLS(t *testing.T) {
	authority, err := Certificate{Names: []string{"Authority"}, Authority: true}.Make(nil)
	if err != nil {
		t.Fatal(err)
	}
	device, err1 := Certificate{Names: []string{"127.0.0.1"}}.Make(&authority)
	viewer, err2 := Certificate{Names: []string{"viewer"}, Role: "Viewer"}.Make(&authority)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(authority.Leaf)
	line := NewLine(Options{}, newUnit(1))
	address := listen(t, func(ctx context.Context, ln net.Listener) error {
		return line.ServeTLS(ctx, ln, TLS{Certificate: device, Clients: pool, Writers: []string{"Operator"}})
	})
	dialTLS := func(certificates ...tls.Certificate) *tls.Conn {
		return tls.Client(dial(t, address), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1",
			Certificates: certificates})
	}
	stranger := dialTLS()
	if n, err := stranger.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, io.EOF) {
		t.Errorf("without a certificate: %d, %v", n, err)
	}
	c := dialTLS(viewer)
	ask(t, c, tcp(1, 1, pdu(3, 5, 1)...), tcp(1, 1, 3, 2, 0x03, 0xED))
	ask(t, c, tcp(2, 1, pdu(6, 5, 1)...), tcp(2, 1, 0x86, 1))
	if e := line.Journal().Since(0)[1]; e.Exception != 1 || e.CarriedOut {
		t.Errorf("%+v", e)
	}
	line.Disconnect()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
}

// A client that never ends its handshake does not keep the line from its end.
func TestServeTLSStops(t *testing.T) {
	device, err := Certificate{Names: []string{"127.0.0.1"}}.Make(nil)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- NewLine(Options{}).ServeTLS(ctx, ln, TLS{Certificate: device}) }()
	dial(t, ln.Addr().String())
	cancel()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(handshakeWithin - time.Second):
		t.Error("still serving")
	}
}
