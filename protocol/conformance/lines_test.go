package conformance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// The lines that both ends of a pair can share.
const (
	onTCP      = "Modbus TCP"
	onPTY      = "RTU on a pty"
	onRTUTCP   = "RTU over TCP"
	onASCII    = "ASCII on a pty"
	onASCIITCP = "ASCII over TCP"
	onUDP      = "Modbus UDP"
	onRTUUDP   = "RTU over UDP"
	onTLS      = "Modbus TLS"
)

// everyLine is those that pymodbus has, too.
var everyLine = []string{onTCP, onPTY, onRTUTCP, onASCII, onASCIITCP, onUDP, onRTUUDP, onTLS}

// modes are the words of the scripts for them.
var modes = map[string]string{onTCP: "tcp", onPTY: "rtu", onRTUTCP: "rtu-tcp", onASCII: "ascii",
	onASCIITCP: "ascii-tcp", onUDP: "udp", onRTUUDP: "rtu-udp", onTLS: "tls"}

var (
	serial = protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
	// text is not 7E1, because a pty has neither seven bits nor a parity and the C library says so.
	text = protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1, ASCII: true}
)

// certificates is an authority with a device and a client, whose role is Operator, in the files of a folder.
type certificates struct {
	folder string
	device tls.Certificate
	pool   *x509.CertPool
}

// given returns the folder, for scripts that need one.
func (c certificates) given() []string {
	if c.folder == "" {
		return nil
	}
	return []string{c.folder}
}

// certified makes the certificates that a line needs; none for most.
func certified(t *testing.T, line string) (c certificates) {
	t.Helper()
	if line != onTLS {
		return c
	}
	authority, err1 := sim.Certificate{Names: []string{"Authority"}, Authority: true}.Make(nil)
	device, err2 := sim.Certificate{Names: []string{"127.0.0.1"}}.Make(&authority)
	client, err3 := sim.Certificate{Names: []string{"client"}, Role: "Operator"}.Make(&authority)
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	c = certificates{t.TempDir(), device, x509.NewCertPool()}
	c.pool.AddCert(authority.Leaf)
	for name, pair := range map[string]tls.Certificate{"authority": authority, "device": device, "client": client} {
		certificate, key, err := sim.PEM(pair)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.WriteFile(c.file(name+".pem"), certificate, 0o600),
			os.WriteFile(c.file(name+".key"), key, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func (c certificates) file(name string) string { return filepath.Join(c.folder, name) }

// open makes a link of ours to a place.
func open(line, place string, c certificates, cfg link.TCPConfig) protocol.Link {
	cfg.Address = "127.0.0.1:" + place
	over := link.RTUOverTCPConfig{Address: cfg.Address, Serial: serial, Timeout: cfg.Timeout, Quirks: cfg.Quirks}
	port := link.RTUConfig{Path: place, Serial: serial, Timeout: cfg.Timeout, Quirks: cfg.Quirks}
	datagrams := link.UDPConfig{Address: cfg.Address, Serial: serial, Timeout: cfg.Timeout, Quirks: cfg.Quirks}
	switch line {
	case onPTY:
		return link.NewRTU(port)
	case onASCII:
		port.Serial = text
		return link.NewASCII(port)
	case onRTUTCP:
		return link.NewRTUOverTCP(over)
	case onASCIITCP:
		over.Serial = text
		return link.NewASCIIOverTCP(over)
	case onUDP:
		return link.NewUDP(datagrams)
	case onRTUUDP:
		return link.NewRTUOverUDP(datagrams)
	case onTLS:
		return link.NewTLS(cfg, link.TLS{CA: c.file("authority.pem"), Certificate: c.file("client.pem"),
			Key: c.file("client.key")})
	}
	return link.NewTCP(cfg)
}

// framings are those of our simulator.
var framings = map[string]sim.Framing{onTCP: sim.TCP, onPTY: sim.RTU, onRTUTCP: sim.RTU, onASCII: sim.ASCII,
	onASCIITCP: sim.ASCII, onUDP: sim.TCP, onRTUUDP: sim.RTU}

// simulate serves a memory and returns where, and its line.
func simulate(t *testing.T, m *memory, line string, c certificates) (place string, served *sim.Line) {
	t.Helper()
	served = sim.NewLine(sim.Options{}, m.simulated())
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	serve := func(f func() error) {
		serving.Go(func() {
			if err := f(); err != nil {
				t.Errorf("serve: %v", err)
			}
		})
	}
	switch line {
	case onPTY, onASCII:
		p, err := sim.OpenPTY("")
		if err != nil {
			t.Fatal(err)
		}
		serve(func() error { return served.ServePTY(ctx, p, framings[line]) })
		return p.Path(), served
	case onUDP, onRTUUDP:
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		serve(func() error { return served.ServeUDP(ctx, pc, framings[line]) })
		return fmt.Sprint(pc.LocalAddr().(*net.UDPAddr).Port), served
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if line == onTLS {
		serve(func() error {
			return served.ServeTLS(ctx, ln, sim.TLS{Certificate: c.device, Clients: c.pool,
				Writers: []string{"Operator"}})
		})
	} else {
		serve(func() error { return served.Serve(ctx, ln, framings[line]) })
	}
	return fmt.Sprint(ln.Addr().(*net.TCPAddr).Port), served
}
