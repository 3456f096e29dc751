package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"testing"

	"github.com/rs/zerolog"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// A line of each transport of the network reaches what speaks it.
func TestTransportsReachTheirServers(t *testing.T) {
	device, err := sim.Certificate{Names: []string{"inverter"}}.Make(nil)
	if err != nil {
		t.Fatal(err)
	}
	unit := sim.NewUnit(1)
	unit.Set(protocol.HoldingRegister, 7, 4711)
	line := sim.NewLine(sim.Options{}, unit)
	over := func(framing sim.Framing) func(context.Context, net.Listener) error {
		return func(ctx context.Context, ln net.Listener) error { return line.Serve(ctx, ln, framing) }
	}
	inTLS := func(ctx context.Context, ln net.Listener) error {
		return line.ServeTLS(ctx, ln, sim.TLS{Certificate: device})
	}
	for key, address := range map[string]string{
		"tcp": serveBy(t, over(sim.TCP)), "rtu_over_tcp": serveBy(t, over(sim.RTU)),
		"ascii_over_tcp": serveBy(t, over(sim.ASCII)), "tls": serveBy(t, inTLS),
		"solarman": serveBy(t, over(sim.Solarman(sim.Stick{Serial: 2700000001}))),
		"udp":      serveUDP(t, line, sim.TCP), "rtu_over_udp": serveUDP(t, line, sim.RTU),
	} {
		more := ""
		if key == "tls" {
			more = fmt.Sprintf("pin: '%x', ", sha256.Sum256(device.Leaf.Raw))
		}
		c := parsed(t, withLines(fmt.Sprintf("  - {%s: '%s', %sdevices: [{profile: powdrive}]}\n", key, address, more)))
		l := c.Lines[0].NewLink(zerolog.Nop())
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(key, err)
		}
		resp, err := l.Exchange(t.Context(), protocol.Request{Unit: 1, Range: protocol.Range{Addr: 7, Count: 1},
			Pace: protocol.Pace{Timeout: patience}})
		if err != nil || resp.Words[0] != 4711 {
			t.Errorf("%s: %v, %v", key, resp.Words, err)
		}
		l.Close()
	}
}

// serveUDP serves on a port of its own until the test ends, and returns the address.
func serveUDP(t *testing.T, line *sim.Line, framing sim.Framing) string {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- line.ServeUDP(ctx, pc, framing) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("simulated line: %v", err)
		}
	})
	return pc.LocalAddr().String()
}

// ASCII runs at the baud of the device, in the standard's form unless the line says otherwise.
func TestSettingOfASCII(t *testing.T) {
	c := parsed(t, withLines(`  - {ascii: /dev/x, baud: 19200, devices: [{profile: powdrive}]}
  - {ascii_over_tcp: 'h:1', data_bits: 8, parity: none, devices: [{profile: powdrive}]}
`))
	for i, want := range []string{"19200 7E1", "9600 8N1"} {
		if s := c.Lines[i].Serial; s.String() != want || !s.ASCII {
			t.Errorf("%v, not %s", s, want)
		}
	}
}
