package demo

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"solarhub/protocol/sim"
)

// stick is the simulated one: it says that its inverter is silent when real ones do.
var stick = sim.Stick{Serial: 2700000001, Silent: 2030 * time.Millisecond}

// stickPort is the port of sticks, and discoveryPort that on which they say who they are.
const (
	stickPort     = "8899"
	discoveryPort = "48899"
)

// onStick opens a line behind a Solarman stick. One at its usual port can be found there, if nothing else has that port
// for it.
func onStick(ctx context.Context, l *Line) (func(context.Context) error, error) {
	serve, err := onStream(sim.Solarman(stick))(ctx, l)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(l.Address)
	if err != nil || port != stickPort {
		return serve, err
	}
	found, err := new(net.ListenConfig).ListenPacket(ctx, "udp", net.JoinHostPort(host, discoveryPort))
	if err != nil {
		return serve, nil
	}
	answer := fmt.Sprintf("%s,E8FDF8112233,%d", host, stick.Serial)
	return func(ctx context.Context) error {
		ctx, cancel := context.WithCancel(ctx)
		var finding sync.WaitGroup
		finding.Go(func() { _ = sim.ServeDiscovery(ctx, found, answer) }) // the line goes on without
		defer finding.Wait()
		defer cancel()
		return serve(ctx)
	}, nil
}
