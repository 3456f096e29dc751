package config

import (
	"cmp"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/link"
)

// Transport is how the units of a line are reached.
type Transport uint8

// The transports, with the key that names them in a configuration.
const (
	Serial       Transport = iota // serial: RTU on a serial port
	TCP                           // tcp: Modbus TCP
	RTUOverTCP                    // rtu_over_tcp: RTU frames through a serial device server
	UDP                           // udp: the frames of Modbus TCP in datagrams
	RTUOverUDP                    // rtu_over_udp: RTU frames in datagrams
	ASCII                         // ascii: Modbus ASCII on a serial port
	ASCIIOverTCP                  // ascii_over_tcp: Modbus ASCII through a serial device server
	TLS                           // tls: Modbus TCP inside TLS
	Solarman                      // solarman: RTU frames through a Solarman stick
	LuxPower                      // luxpower: a dongle of LuxPower or EG4
	GivEnergy                     // givenergy: a dongle of GivEnergy
	GoodWeUDP                     // goodwe_udp: a module of GoodWe, with RTU in datagrams of its own form
)

// way is what is known of a transport.
type way struct {
	key     string // that says where a line of it leads
	port    string // of the network where the address has none; "": the address must have one
	example string // of an address
	keys    []string
	// read takes the keys of a line that this transport alone has. Defaults to there being none.
	read func(p *parser, l *Line, f strict.Fields)
	// open makes the closed link of a line.
	open func(l Line, w wiring) protocol.Link

	onPort bool // it is a serial port of this machine
	serial bool // it carries characters at a baud that the configuration knows
	ascii  bool // each byte travels as two characters
	ids    bool // transaction ids tell which request a reply belongs to, and any byte is a unit id

	// At least, unless a device's own keys say otherwise.
	timeout time.Duration // of a reply
	gap     time.Duration // silence behind it
}

// wiring is what every link is given beside the settings of its line.
type wiring struct {
	never map[protocol.UnitID][]protocol.Range
	trace func(sent bool, frame []byte)
}

// The default ports. Sources: MODBUS Messaging on TCP/IP V1.0b, 4.2.1; MODBUS/TCP Security Protocol Specification;
// jmccrohan/pysolarmanv5.
const (
	portModbus = "502"
	portTLS    = "802"
	portStick  = "8899" // of modules by Hi-Flying, whatever is spoken there
)

var ways = []way{
	Serial: {key: "serial", example: "/dev/ttyUSB0", onPort: true, serial: true,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewRTU(link.RTUConfig{Path: l.Address, Serial: l.Serial, Quirks: l.Quirks, Never: w.never,
				Trace: w.trace})
		}},
	TCP: {key: "tcp", port: portModbus, example: "192.168.1.50 or 192.168.1.50:502", ids: true,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewTCP(link.TCPConfig{Address: l.Address, Quirks: l.Quirks, Never: w.never, Dial: l.Dial,
				Trace: w.trace})
		}},
	RTUOverTCP: {key: "rtu_over_tcp", example: "192.168.1.51:8899", serial: true,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewRTUOverTCP(link.RTUOverTCPConfig{Address: l.Address, Serial: l.Serial, Quirks: l.Quirks,
				Never: w.never, Dial: l.Dial, Trace: w.trace})
		}},
	UDP: {key: "udp", port: portModbus, example: "192.168.1.50 or 192.168.1.50:502", ids: true,
		open: func(l Line, w wiring) protocol.Link { return link.NewUDP(l.udp(w)) }},
	RTUOverUDP: {key: "rtu_over_udp", example: "192.168.1.51:8899", serial: true,
		open: func(l Line, w wiring) protocol.Link { return link.NewRTUOverUDP(l.udp(w)) }},
	ASCII: {key: "ascii", example: "/dev/ttyUSB0", onPort: true, serial: true, ascii: true,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewASCII(link.RTUConfig{Path: l.Address, Serial: l.Serial, Quirks: l.Quirks, Never: w.never,
				Trace: w.trace})
		}},
	ASCIIOverTCP: {key: "ascii_over_tcp", example: "192.168.1.51:8899", serial: true, ascii: true,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewASCIIOverTCP(link.RTUOverTCPConfig{Address: l.Address, Serial: l.Serial, Quirks: l.Quirks,
				Never: w.never, Dial: l.Dial, Trace: w.trace})
		}},
	TLS: {key: "tls", port: portTLS, example: "192.168.1.50 or 192.168.1.50:802", ids: true, keys: tlsKeys,
		read: readTLS,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewTLS(link.TCPConfig{Address: l.Address, Quirks: l.Quirks, Never: w.never, Dial: l.Dial,
				Trace: w.trace}, l.TLS)
		}},
	Solarman: {key: "solarman", port: portStick, example: "192.168.1.52 or 192.168.1.52:8899",
		keys: []string{"logger_serial"}, read: readSolarman, timeout: link.DefaultSolarmanTimeout,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewSolarman(link.SolarmanConfig{Address: l.Address, Serial: l.Logger, Quirks: l.Quirks,
				Never: w.never, Dial: l.Dial, Trace: w.trace})
		}},
	LuxPower: {key: "luxpower", port: "8000", example: "192.168.1.50 or 192.168.1.50:8000", keys: luxPowerKeys,
		read: readLuxPower, timeout: link.DefaultLuxPowerTimeout,
		gap: link.DefaultLuxPowerGap,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewLuxPower(link.LuxPowerConfig{Address: l.Address, Dongle: l.Dongle, Inverter: l.Inverter,
				Quirks: l.Quirks, Never: w.never, Dial: l.Dial, Trace: w.trace})
		}},
	GivEnergy: {key: "givenergy", port: portStick, example: "192.168.1.50 or 192.168.1.50:8899",
		timeout: link.DefaultGivEnergyTimeout, gap: link.DefaultGivEnergyGap,
		open: func(l Line, w wiring) protocol.Link {
			return link.NewGivEnergy(link.GivEnergyConfig{Address: l.Address, Quirks: l.Quirks, Never: w.never,
				Dial: l.Dial, Trace: w.trace})
		}},
	GoodWeUDP: {key: "goodwe_udp", port: portStick, example: "192.168.1.50 or 192.168.1.50:8899",
		open: func(l Line, w wiring) protocol.Link { return link.NewGoodWeUDP(l.udp(w)) }},
}

func (l Line) udp(w wiring) link.UDPConfig {
	return link.UDPConfig{Address: l.Address, Serial: l.Serial, Quirks: l.Quirks, Never: w.never, Dial: l.Dial,
		Trace: w.trace}
}

// String returns the key of the configuration: serial, tcp, rtu_over_tcp and so on.
func (t Transport) String() string { return ways[t].key }

// Transports returns all there are.
func Transports() []Transport {
	all := make([]Transport, len(ways))
	for i := range all {
		all[i] = Transport(i)
	}
	return all
}

// Example returns how an address of the transport looks.
func (t Transport) Example() string { return ways[t].example }

// OnPort reports whether the line is a serial port of this machine; the others are reached over the network.
func (t Transport) OnPort() bool { return ways[t].onPort }

// HasSerial reports whether the line carries characters at a baud that the configuration knows.
func (t Transport) HasSerial() bool { return ways[t].serial }

// IsASCII reports whether each byte travels as two characters.
func (t Transport) IsASCII() bool { return ways[t].ascii }

// patience lifts the timeout and the gap of a device to what its transport needs.
func (t Transport) patience(p *protocol.Pace) {
	p.Gap = max(p.Gap, ways[t].gap)
	if least := ways[t].timeout; cmp.Or(p.Timeout, protocol.DefaultTimeout) < least {
		p.Timeout = least
		p.First = max(p.First, least)
	}
}

// HasIDs reports whether transaction ids tell the replies apart. Any byte is a unit id then, not just 1..247.
func (t Transport) HasIDs() bool { return ways[t].ids }

// transportKeys are the keys of a line that one transport or another has.
func transportKeys() (all []string) {
	for _, w := range ways {
		all = append(append(all, w.key), w.keys...)
	}
	return all
}

// address reads where the line leads. Exactly one key may say so.
func (p *parser) address(l *Line, f strict.Fields) {
	var at *strict.Node
	var allowed []string
	for i, w := range ways {
		allowed = append(allowed, w.key)
		n := f.Get(w.key)
		switch {
		case n == nil:
		case at != nil:
			n.Fail("%s and %s are given: a line is one of them", l.Transport, w.key)
		default:
			at, l.Transport = n, Transport(i)
		}
	}
	if at == nil {
		f.At.Fail("the line leads nowhere: say one of %s", strings.Join(allowed, ", "))
		return
	}
	p.own(l, f)
	text, ok := at.Text()
	if !ok {
		return
	}
	l.Address = text
	if l.Transport.OnPort() {
		unique(p.lines, resolvedPath(text), "the port "+text, at)
		return
	}
	if l.Address, ok = withPort(text, ways[l.Transport].port); !ok {
		at.Fail("%s: %q is not an address like %s", l.Transport, text, ways[l.Transport].example)
		return
	}
	unique(p.lines, l.Address, "the address "+l.Address, at)
}

// own reads the keys that the transport of the line has alone, and reports those of others.
func (p *parser) own(l *Line, f strict.Fields) {
	mine := ways[l.Transport]
	for _, w := range ways {
		for _, key := range w.keys {
			if n := f.Get(key); n != nil && w.key != mine.key {
				n.Fail("%s is for %s lines: a %s line has none", key, w.key, mine.key)
			}
		}
	}
	if mine.read != nil {
		mine.read(p, l, f)
	}
}

// withPort adds the default port to an address of the network. ok is false if a port is needed and missing, or if the
// text is not an address.
func withPort(address, otherwise string) (complete string, ok bool) {
	name, port, err := net.SplitHostPort(address)
	if err != nil {
		name, port = address, otherwise
		if strings.HasPrefix(name, "[") && strings.HasSuffix(name, "]") {
			name = name[1 : len(name)-1]
		}
		if otherwise == "" || strings.ContainsAny(name, "[]/ ") {
			return "", false
		}
		if _, err := netip.ParseAddr(name); err != nil && strings.ContainsAny(address, "[:%") {
			return "", false
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil || number == 0 || name == "" || strings.ContainsAny(name, "/ ") {
		return "", false
	}
	return net.JoinHostPort(name, strconv.FormatUint(number, 10)), true
}
