package config

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// What a configuration says of the connection is what the link does: each manner of a line fails without its knob, and
// does not matter with it.
func TestQuirksReachTheLinks(t *testing.T) {
	for _, c := range []struct {
		name, transport, without, with string
		manner                         sim.Kind
	}{
		{"wrong transaction ids", "tcp", "unit_ids: strict", "transaction_ids: shape", sim.WrongTransaction},
		{"no unit id", "tcp", "unit_ids: strict", "unit_ids: lax", sim.NoUnit},
		{"no unit id", "rtu_over_tcp", "unit_ids: strict", "unit_ids: lax", sim.NoUnit},
		{"no echo", "rtu_over_tcp", "echo: on", "echo: off", ""},
	} {
		t.Run(c.name+" on "+c.transport, func(t *testing.T) {
			if _, err := askOnce(t, c.transport, c.without, c.manner, 200*time.Millisecond); err == nil {
				t.Errorf("%s, and it answers", c.without)
			}
			if _, err := askOnce(t, c.transport, c.with, c.manner, patience); err != nil {
				t.Errorf("%s: %v", c.with, err)
			}
		})
	}
}

func TestConnectDelayReachesTheLinks(t *testing.T) {
	for _, transport := range []string{"tcp", "rtu_over_tcp"} {
		if took, err := askOnce(t, transport, "connect_delay: 300ms", "", patience); err != nil ||
			took < 300*time.Millisecond {
			t.Errorf("%s: %v, %v", transport, took, err)
		}
	}
}

// askOnce writes a register over a line of a configuration that leads to a simulated one, reads it, and returns how
// long the write took.
func askOnce(t *testing.T, transport, more string, manner sim.Kind, timeout time.Duration) (time.Duration, error) {
	t.Helper()
	unit := sim.NewUnit(1)
	unit.Set(protocol.HoldingRegister, 7, 0)
	line := sim.NewLine(sim.Options{}, unit)
	if manner != "" {
		line.Play(sim.NewScript(1, sim.Fault{Kind: manner}))
	}
	how := map[string]func(context.Context, net.Listener) error{"tcp": line.ServeTCP,
		"rtu_over_tcp": line.ServeRTUOverTCP}[transport]
	cfg := parsed(t, withLines(fmt.Sprintf("  - {%s: '%s', %s, devices: [{profile: powdrive}]}\n", transport,
		serveBy(t, how), more)))
	bus := protocol.NewBus(cfg.Lines[0].NewLink(zerolog.Nop()), protocol.BusOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	done := make(chan error, 1)
	go func() { done <- bus.Run(ctx) }()
	defer func() {
		cancel()
		<-done
	}()
	begun := time.Now()
	req := protocol.Request{Unit: 1, Range: protocol.Range{Addr: 7, Count: 1}, Pace: protocol.Pace{Timeout: timeout}}
	write := req
	write.Op, write.Words = protocol.WriteSingle, []uint16{4711}
	if _, err := bus.Do(ctx, write); err != nil {
		return 0, err
	}
	took := time.Since(begun)
	resp, err := bus.Do(ctx, req)
	if err == nil && resp.Words[0] != 4711 {
		t.Errorf("read %v", resp.Words)
	}
	return took, err
}

// patience is how long a test waits for what must come. Nothing is judged by how long it took.
const patience = 30 * time.Second

// serveBy serves on a port of its own until the test ends, and returns the address.
func serveBy(t *testing.T, how func(context.Context, net.Listener) error) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- how(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("simulated line: %v", err)
		}
	})
	return listener.Addr().String()
}
