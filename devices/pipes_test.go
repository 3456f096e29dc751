package devices

import (
	"context"
	"net"
	"sync"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// overPipes returns what dials a simulated line over pipes. wait returns once ctx has ended and nothing is served any
// more.
func overPipes(ctx context.Context, line *sim.Line, framing sim.Framing) (dial link.DialFunc, wait func()) {
	return pipes(func(conn net.Conn) { _ = line.ServeConn(ctx, conn, framing) })
}

// pipes returns what dials to serve over a new pipe each time, and what waits until it has returned as often.
func pipes(serve func(net.Conn)) (dial link.DialFunc, wait func()) {
	var serving sync.WaitGroup
	return func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		serving.Go(func() { serve(there) })
		return here, nil
	}, serving.Wait
}

// onLine runs a bus to a simulated line over pipes until f returns; run starts a device on it. It needs a bubble.
func onLine(t *testing.T, line *sim.Line, c course, f func(ctx context.Context, bus *protocol.Bus, run func(*Device))) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	over, wait := c.overPipes(ctx, line)
	var running sync.WaitGroup
	defer wait()
	defer running.Wait() // nobody dials any more
	defer cancel()
	bus := protocol.NewBus(over, protocol.BusOptions{})
	running.Go(func() { _ = bus.Run(ctx) })
	f(ctx, bus, func(d *Device) { running.Go(func() { _ = d.Run(ctx) }) })
}
