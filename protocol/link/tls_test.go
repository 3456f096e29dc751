package link

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// made is a certificate with the files that hold it.
type made struct {
	tls.Certificate
	file, key string
}

func makeCertificate(t *testing.T, c sim.Certificate, by *made) *made {
	t.Helper()
	var signer *tls.Certificate
	if by != nil {
		signer = &by.Certificate
	}
	pair, err := c.Make(signer)
	if err != nil {
		t.Fatal(err)
	}
	text, key, err := sim.PEM(pair)
	if err != nil {
		t.Fatal(err)
	}
	m := &made{pair, filepath.Join(t.TempDir(), "certificate.pem"), filepath.Join(t.TempDir(), "key.pem")}
	if err := errors.Join(os.WriteFile(m.file, text, 0o600), os.WriteFile(m.key, key, 0o600)); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *made) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(m.Leaf)
	return pool
}

func (m *made) pin() string {
	sum := sha256.Sum256(m.Leaf.Raw)
	return hex.EncodeToString(sum[:])
}

// serveTLS serves a unit with the register 7 until the test ends.
func serveTLS(t *testing.T, security sim.TLS) (address string) {
	t.Helper()
	unit := sim.NewUnit(1)
	unit.Set(protocol.HoldingRegister, 7, 42, 43)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := sim.NewLine(sim.Options{}, unit).ServeTLS(ctx, ln, security); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); serving.Wait() })
	return ln.Addr().String()
}

// askTLS reads a register by a link of its own and writes it.
func askTLS(t *testing.T, address string, s TLS) (read, written error) {
	t.Helper()
	const patience = 20 * time.Second
	l := NewTLS(TCPConfig{Address: address, Timeout: patience, DialTimeout: patience}, s)
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		return err, err
	}
	resp, err := l.Exchange(t.Context(), readOf(7, 2))
	if err != nil {
		return err, err
	}
	if resp.Words[0] != 42 || resp.Words[1] != 43 {
		t.Errorf("read %v", resp.Words)
	}
	_, err = l.Exchange(t.Context(), writeOf(7, 42))
	return nil, err
}

// Who is believed and who is not, each in one sentence that says what to do.
func TestTLSTrust(t *testing.T) {
	const here = "127.0.0.1"
	authority := makeCertificate(t, sim.Certificate{Names: []string{"Authority"}, Authority: true}, nil)
	other := makeCertificate(t, sim.Certificate{Names: []string{"Other Authority"}, Authority: true}, nil)
	signed := func(c sim.Certificate) *made { return makeCertificate(t, c, authority) }
	past, future := time.Now().AddDate(-2, 0, 0), time.Now().AddDate(1, 0, 0)
	device, own := signed(sim.Certificate{Names: []string{here}}), makeCertificate(t, sim.Certificate{
		Names: []string{"inverter"}}, nil)
	expired := signed(sim.Certificate{Names: []string{here}, From: past, Until: past.AddDate(1, 0, 0)})
	for _, tt := range []struct {
		name   string
		device *made
		s      TLS
		want   string
	}{
		{"by its authority", device, TLS{CA: authority.file}, ""},
		{"by its pin", device, TLS{Pin: device.pin()}, ""},
		{"by its pin, as openssl prints it", device, TLS{Pin: colons(device.pin())}, ""},
		{"by itself and its name", own, TLS{CA: own.file, ServerName: "inverter"}, ""},
		{"by itself and its pin", own, TLS{Pin: own.pin()}, ""},
		{"an expired one by its pin", expired, TLS{Pin: expired.pin()}, ""},
		{"nobody named", device, TLS{}, "signed by CN=Authority, which is no authority that this machine trusts: give"},
		{"itself, nobody named", own, TLS{ServerName: "inverter"},
			"signed by itself (CN=inverter), which is no authority that this machine"},
		{"another authority", device, TLS{CA: other.file}, "none of the authorities in " + other.file},
		{"the pin to say", device, TLS{CA: other.file}, "say pin: " + device.pin()},
		{"another pin", device, TLS{Pin: own.pin()}, "is not the pinned one: is it another device, or has"},
		{"another name", own, TLS{CA: own.file}, "is for inverter, not for 127.0.0.1: say which as server_name"},
		{"a name that it has not", device, TLS{CA: authority.file, ServerName: "box"}, "for 127.0.0.1, not for box"},
		{"no name", signed(sim.Certificate{}), TLS{CA: authority.file}, "has no name that could be compared"},
		{"expired", expired, TLS{CA: authority.file},
			"has expired on " + past.AddDate(1, 0, 0).UTC().Format(time.DateOnly)},
		{"not yet", signed(sim.Certificate{Names: []string{here}, From: future}), TLS{CA: authority.file},
			"set the clock that is wrong"},
	} {
		address := serveTLS(t, sim.TLS{Certificate: tt.device.Certificate})
		read, written := askTLS(t, address, tt.s)
		if tt.want == "" && (read != nil || written != nil) || tt.want != "" && (read == nil ||
			!strings.Contains(read.Error(), tt.want)) {
			t.Errorf("%s: %v, %v, want %q", tt.name, read, written, tt.want)
		}
	}
}

func colons(hex string) string {
	var pairs []string
	for i := 0; i < len(hex); i += 2 {
		pairs = append(pairs, strings.ToUpper(hex[i:i+2]))
	}
	return strings.Join(pairs, ":")
}

// What a device thinks of us, in TLS 1.2 and in 1.3, where it says so behind the handshake. A role that may not write
// is told so by the device itself.
func TestTLSIdentity(t *testing.T) {
	authority := makeCertificate(t, sim.Certificate{Names: []string{"Authority"}, Authority: true}, nil)
	device := makeCertificate(t, sim.Certificate{Names: []string{"127.0.0.1"}}, authority)
	client := func(c sim.Certificate, by *made) TLS {
		c.Names = []string{"solarhub"}
		m := makeCertificate(t, c, by)
		return TLS{CA: authority.file, Certificate: m.file, Key: m.key}
	}
	past := time.Now().AddDate(-2, 0, 0)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		address := serveTLS(t, sim.TLS{Certificate: device.Certificate, Clients: authority.pool(),
			Writers: []string{"Operator"}, Config: &tls.Config{MinVersion: version, MaxVersion: version}})
		for _, tt := range []struct {
			name          string
			s             TLS
			read, written string
		}{
			{"may write", client(sim.Certificate{Role: "Operator"}, authority), "", ""},
			{"may read", client(sim.Certificate{Role: "Viewer"}, authority), "", "exception 1 (illegal function)"},
			{"no role", client(sim.Certificate{}, authority), "", "exception 1 (illegal function)"},
			{"no certificate", TLS{CA: authority.file},
				"it wants to see a certificate of ours: give certificate and key", "it wants"},
			{"signed by itself", client(sim.Certificate{}, nil), "give the device the certificate of the authority",
				""},
			{"expired", client(sim.Certificate{From: past, Until: past.AddDate(1, 0, 0)}, authority),
				"it has expired, or its clock is wrong", "expired"},
		} {
			read, written := askTLS(t, address, tt.s)
			for what, got := range map[string][2]string{"read": {textOf(read), tt.read}, "written": {textOf(written),
				tt.written}} {
				if (got[0] == "") != (got[1] == "") && tt.read == "" || !strings.Contains(got[0], got[1]) {
					t.Errorf("%s with TLS %x, %s: %q, want %q", tt.name, version, what, got[0], got[1])
				}
			}
		}
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What does not speak TLS, or none that we speak.
func TestTLSWithOthers(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	says := []byte("HTTP/1.1 400 Bad Request\r\n\r\n")
	var serving sync.WaitGroup
	defer serving.Wait()
	defer ln.Close()
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 1000))
			_, _ = c.Write(says)
			c.Close()
			says = nil
		}
	})
	for _, want := range []string{"it does not speak TLS: is that its port", "it hung up in the handshake"} {
		if err, _ := askTLS(t, ln.Addr().String(), TLS{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	device := makeCertificate(t, sim.Certificate{Names: []string{"127.0.0.1"}}, nil)
	old := serveTLS(t, sim.TLS{Certificate: device.Certificate, Config: &tls.Config{MinVersion: tls.VersionTLS11,
		MaxVersion: tls.VersionTLS11}})
	if err, _ := askTLS(t, old, TLS{Pin: device.pin()}); err == nil || !strings.Contains(err.Error(),
		"nothing in common") {
		t.Error(err)
	}
	narrow := &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256}}
	address := serveTLS(t, sim.TLS{Certificate: device.Certificate, Config: narrow})
	if err, _ := askTLS(t, address, TLS{Pin: device.pin()}); err == nil || !strings.Contains(err.Error(),
		"a cipher that ciphers can name") {
		t.Error(err)
	}
	named := TLS{Pin: device.pin(), Ciphers: []string{"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"}}
	if err, _ := askTLS(t, address, named); err != nil {
		t.Error(err)
	}
}

func TestTLSCheck(t *testing.T) {
	one := makeCertificate(t, sim.Certificate{Names: []string{"one"}}, nil)
	other := makeCertificate(t, sim.Certificate{Names: []string{"other"}}, nil)
	for want, s := range map[string]TLS{
		"":                                     {Certificate: one.file, Key: one.key, CA: other.file, ServerName: "x"},
		"certificate and key belong together":  {Certificate: one.file},
		"private key does not match":           {Certificate: one.file, Key: other.key},
		"no-such-file: no such file":           {Certificate: "no-such-file", Key: one.key},
		"ca and pin are given":                 {CA: one.file, Pin: one.pin()},
		"has none in PEM form":                 {CA: one.key},
		"the authority's certificate: open no": {CA: "no-such-file"},
		`pin "12:34" is not the SHA-256`:       {Pin: "12:34"},
		`cipher "RC4" is none that Go has`:     {Ciphers: []string{"RC4"}},
	} {
		if err := s.Check(); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A reply that is late, split or comes with another one in a record is told as on plain Modbus TCP.
func TestTLSLate(t *testing.T) {
	device := makeCertificate(t, sim.Certificate{Names: []string{"127.0.0.1"}}, nil)
	unit := sim.NewUnit(1)
	unit.Set(protocol.HoldingRegister, 7, 42, 43)
	line := sim.NewLine(sim.Options{}, unit)
	line.Play(sim.NewScript(1, sim.Fault{Kind: sim.Late, Delay: 300 * time.Millisecond, Match: sim.Match{Nth: 1}},
		sim.Fault{Kind: sim.Foreign, Match: sim.Match{Nth: 2}}, sim.Fault{Kind: sim.Drip, Match: sim.Match{Nth: 3},
			Delay: time.Millisecond}))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	serving.Go(func() { _ = line.ServeTLS(ctx, ln, sim.TLS{Certificate: device.Certificate}) })
	l := NewTLS(TCPConfig{Address: ln.Addr().String(), Timeout: 20 * time.Second}, TLS{Pin: device.pin()})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		req := readOf(7, 2)
		if n == 0 {
			req.Pace.Timeout = 20 * time.Millisecond
		}
		resp, err := l.Exchange(t.Context(), req)
		if (err != nil) != (n == 0) || n > 0 && resp.Words[0] != 42 {
			t.Errorf("#%d: %v, %v", n, resp, err)
		}
	}
	if f := l.Frames(); f.Late != 1 || f.Foreign != 1 {
		t.Errorf("%+v", f)
	}
}
