package demo

import (
	"context"
	"net"

	"solarhub/protocol/sim"
)

// Transport is how a simulated line can be reached. Its name is a key of a scenario and, with dashes, a flag.
type Transport string

// The transports that others speak of.
const (
	OnPTY        Transport = "pty"
	OnTCP        Transport = "tcp"
	OnRTUOverTCP Transport = "rtu_over_tcp"
)

// Places are addresses by the transport that reaches a line there; a port is the path of a link to it.
type Places map[Transport]string

// Way is what is known of a transport.
type Way struct {
	Transport Transport
	Help      string // what a line does that is reached so
	says      string // of a line, before its address
	paced     bool   // it has the baud of its first device if it is given none
	// open opens the line at its address and sets the real one.
	open func(ctx context.Context, l *Line) (serve func(context.Context) error, err error)
}

// Ways returns what is known of all transports.
func Ways() []Way { return ways }

var ways = []Way{
	{OnPTY, "answer RTU on a serial port: a link of this name leads to it", "RTU on ", true, onPTY},
	{OnTCP, "answer Modbus TCP at this address", "Modbus TCP at ", false, onStream((*sim.Line).ServeTCP)},
	{OnRTUOverTCP, "answer RTU over TCP at this address, as a transparent serial gateway does", "RTU over TCP at ",
		false, onStream((*sim.Line).ServeRTUOverTCP)},
}

// way returns what is known of a transport.
func (t Transport) way() Way {
	for _, w := range ways {
		if w.Transport == t {
			return w
		}
	}
	panic("no transport " + string(t))
}

// key returns the word of a configuration for the transport.
func (t Transport) key() string {
	if t == OnPTY {
		return "serial"
	}
	return string(t)
}

func onPTY(_ context.Context, l *Line) (func(context.Context) error, error) {
	p, err := sim.OpenPTY(l.Address)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error { return l.Sim.ServePTY(ctx, p, sim.RTU) }, nil
}

// onStream opens a line that serves the connections to an address.
func onStream(serve func(*sim.Line, context.Context, net.Listener) error) func(context.Context, *Line) (
	func(context.Context) error, error) {
	return func(ctx context.Context, l *Line) (func(context.Context) error, error) {
		listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Address)
		if err != nil {
			return nil, err
		}
		l.Address = listener.Addr().String()
		return func(ctx context.Context) error { return serve(l.Sim, ctx, listener) }, nil
	}
}
