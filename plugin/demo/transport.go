package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"

	"solarhub/protocol/sim"
)

// Transport is how a simulated line can be reached. Its name is a key of a scenario and, with dashes, a flag.
type Transport string

// The transports that others speak of.
const (
	OnPTY          Transport = "pty"
	OnTCP          Transport = "tcp"
	OnRTUOverTCP   Transport = "rtu_over_tcp"
	OnASCII        Transport = "ascii"
	OnASCIIOverTCP Transport = "ascii_over_tcp"
)

// Places are addresses by the transport that reaches a line there; a port is the path of a link to it.
type Places map[Transport]string

// Way is what is known of a transport.
type Way struct {
	Transport Transport
	Help      string // what a line does that is reached so
	says      string // of a line, before its address
	paced     bool   // it has the baud of its first device if it is given none
	open      opener
}

// What simulated dongles say of themselves.
const simDongle, simInverter = "SIM0000001", "SIMINV0001"

var dongle = sim.Dongle{Serial: simDongle, Inverter: simInverter}

// Ways returns what is known of all transports.
func Ways() []Way { return ways }

var ways = []Way{
	{OnPTY, "answer RTU on a serial port: a link of this name leads to it", "RTU on ", true, onPTY(sim.RTU)},
	{OnTCP, "answer Modbus TCP at this address", "Modbus TCP at ", false, onStream(sim.TCP)},
	{OnRTUOverTCP, "answer RTU over TCP at this address, as a transparent serial gateway does", "RTU over TCP at ",
		false, onStream(sim.RTU)},
	{"udp", "answer Modbus UDP at this address", "Modbus UDP at ", false, onDatagrams(sim.TCP)},
	{"rtu_over_udp", "answer RTU in datagrams at this address", "RTU over UDP at ", false, onDatagrams(sim.RTU)},
	{OnASCII, "answer Modbus ASCII on a serial port: a link of this name leads to it", "ASCII on ", true,
		onPTY(sim.ASCII)},
	{OnASCIIOverTCP, "answer Modbus ASCII over TCP at this address", "ASCII over TCP at ", false,
		onStream(sim.ASCII)},
	{"tls", "answer Modbus TCP inside TLS at this address, with a certificate that is made anew", "Modbus TLS at ",
		false, onTLS},
	{"solarman", "answer as a Solarman stick at this address; at port 8899 it answers who looks for sticks, too",
		"Solarman stick 2700000001 at ", false, onStick},
	{"luxpower", "answer as the dongle of a LuxPower inverter at this address; its serial number is " + simDongle +
		", that of the inverter " + simInverter, "LuxPower dongle at ", false, onStream(sim.LuxPower(dongle))},
	{"givenergy", "answer as the dongle of a GivEnergy inverter at this address", "GivEnergy dongle at ", false,
		onStream(sim.GivEnergy(dongle))},
	{"goodwe_udp", "answer as the module of a GoodWe inverter at this address", "GoodWe UDP at ", false,
		onDatagrams(sim.GoodWe)},
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

// opener opens a line at its address, sets the real one and returns what serves it.
type opener func(ctx context.Context, l *Line) (serve func(context.Context) error, err error)

// onPTY opens a line on a serial port.
func onPTY(framing sim.Framing) opener {
	return func(_ context.Context, l *Line) (func(context.Context) error, error) {
		p, err := sim.OpenPTY(l.Address)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error { return l.Sim.ServePTY(ctx, p, framing) }, nil
	}
}

// onStream opens a line that serves the connections to an address.
func onStream(framing sim.Framing) opener {
	return func(ctx context.Context, l *Line) (func(context.Context) error, error) {
		listener, err := l.listen(ctx)
		return func(ctx context.Context) error { return l.Sim.Serve(ctx, listener, framing) }, err
	}
}

// onDatagrams opens a line that serves what comes to an address of UDP.
func onDatagrams(framing sim.Framing) opener {
	return func(ctx context.Context, l *Line) (func(context.Context) error, error) {
		socket, err := new(net.ListenConfig).ListenPacket(ctx, "udp", l.Address)
		if err != nil {
			return nil, err
		}
		l.Address = socket.LocalAddr().String()
		return func(ctx context.Context) error { return l.Sim.ServeUDP(ctx, socket, framing) }, nil
	}
}

// onTLS opens a line inside TLS. Its certificate dies with it, so it is believed by its pin.
func onTLS(ctx context.Context, l *Line) (func(context.Context) error, error) {
	certificate, err := sim.Certificate{Names: []string{"simulated"}}.Make(nil)
	if err != nil {
		return nil, err
	}
	listener, err := l.listen(ctx)
	l.note = fmt.Sprintf(", pin %x", sha256.Sum256(certificate.Leaf.Raw))
	return func(ctx context.Context) error {
		return l.Sim.ServeTLS(ctx, listener, sim.TLS{Certificate: certificate})
	}, err
}

func (l *Line) listen(ctx context.Context) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", l.Address)
	if err == nil {
		l.Address = listener.Addr().String()
	}
	return listener, err
}
