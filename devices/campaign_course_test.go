package devices

import (
	"context"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// course is one line of the campaign on its bad days: two devices, each polled flat out and written to by ten callers.
type course struct {
	name    string
	framing sim.Framing
	busy    sim.Busy
	serial  *protocol.Serial
	quirks  protocol.Quirks
	join    bool
	tls     bool // Modbus TCP inside TLS
	stick   *sim.Stick
	takes   time.Duration // of the units. Defaults to 3 ms

	focus sim.Kind // goes wrong most
	seed  uint64
	most  int // exchanges on which something goes wrong, about

	timeout time.Duration // of the devices
	slack   time.Duration // see history
	trace   func(sent bool, frame []byte)
}

// The dongles of the campaign.
var (
	luxPower  = sim.LuxPower(sim.Dongle{Serial: "BA00000001", Inverter: "3000000001", Odd: 0.05})
	givEnergy = sim.GivEnergy(sim.Dongle{Serial: "WD00000001", Inverter: "SA00000001", Odd: 0.05})
)

// links make the link of a course, by its framing. A new transport has a row here and courses below.
var links = map[sim.Framing]func(course, link.DialFunc) protocol.Link{
	sim.TCP: func(c course, dial link.DialFunc) protocol.Link {
		return link.NewTCP(link.TCPConfig{Address: "campaign", Quirks: c.quirks, Dial: dial, Trace: c.trace})
	},
	sim.RTU: func(c course, dial link.DialFunc) protocol.Link {
		return link.NewRTUOverTCP(link.RTUOverTCPConfig{Address: "campaign", Serial: c.wire(), Quirks: c.quirks,
			Dial: dial, Trace: c.trace})
	},
	sim.ASCII: func(c course, dial link.DialFunc) protocol.Link {
		cfg := link.RTUOverTCPConfig{Address: "campaign", Quirks: c.quirks, Dial: dial, Trace: c.trace}
		if c.serial != nil {
			cfg.Serial = *c.serial
		}
		return link.NewASCIIOverTCP(cfg)
	},
	sim.Datagrams(sim.TCP): func(c course, dial link.DialFunc) protocol.Link {
		return link.NewUDP(link.UDPConfig{Address: "campaign", Quirks: c.quirks, Dial: dial, Trace: c.trace})
	},
	sim.Datagrams(sim.RTU): func(c course, dial link.DialFunc) protocol.Link {
		return link.NewRTUOverUDP(link.UDPConfig{Address: "campaign", Serial: c.wire(), Quirks: c.quirks, Dial: dial,
			Trace: c.trace})
	},
	sim.Datagrams(sim.GoodWe): func(c course, dial link.DialFunc) protocol.Link {
		return link.NewGoodWeUDP(link.UDPConfig{Address: "campaign", Quirks: c.quirks, Dial: dial, Trace: c.trace})
	},
	luxPower: func(c course, dial link.DialFunc) protocol.Link {
		quirks := c.quirks
		quirks.ConnectDelay = time.Millisecond // in place of a second, which is longer than most that happens here
		return link.NewLuxPower(link.LuxPowerConfig{Address: "campaign", Dongle: "BA00000001", Inverter: "3000000001",
			Quirks: quirks, Dial: dial, Trace: c.trace, Gap: time.Millisecond})
	},
	givEnergy: func(c course, dial link.DialFunc) protocol.Link {
		return link.NewGivEnergy(link.GivEnergyConfig{Address: "campaign", Quirks: c.quirks, Dial: dial, Trace: c.trace,
			Gap: time.Millisecond})
	},
}

// link makes the link of the course.
func (c course) link(dial link.DialFunc) protocol.Link { return links[c.framing](c, dial) }

// wire returns the setting of the serial line, the default one where there is no pace.
func (c course) wire() protocol.Serial {
	if c.serial == nil {
		return protocol.DefaultSerial
	}
	return *c.serial
}

// overPipes serves the line on pipes.
func (c course) overPipes(ctx context.Context, line *sim.Line) (protocol.Link, func()) {
	if c.tls {
		return c.overTLS(ctx, line)
	}
	if c.stick != nil {
		return c.overStick(ctx, line)
	}
	dial, wait := overPipes(ctx, line, c.framing)
	return c.link(dial), wait
}

// The lines of the campaign.
func courses() []course {
	slow, fast := protocol.DefaultSerial, protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
	text := protocol.Serial{Baud: 38400, DataBits: 7, Parity: protocol.EvenParity, StopBits: 1, ASCII: true}
	shape, lax := protocol.Quirks{Transactions: protocol.ShapeTransactions}, protocol.Quirks{Units: protocol.LaxUnits}
	both := protocol.Quirks{Transactions: protocol.ShapeTransactions, Units: protocol.LaxUnits}
	all := []course{
		{name: "RTU 9600, queues", framing: sim.RTU, serial: &slow, busy: sim.Queues},
		{name: "RTU 9600, loses", framing: sim.RTU, serial: &slow, busy: sim.Loses, join: true},
		{name: "RTU 115200, queues, lax units", framing: sim.RTU, serial: &fast, busy: sim.Queues, quirks: lax,
			join: true},
		{name: "RTU 115200, loses", framing: sim.RTU, serial: &fast, busy: sim.Loses},
		{name: "RTU without pace, queues", framing: sim.RTU, busy: sim.Queues},
		{name: "RTU without pace, loses", framing: sim.RTU, busy: sim.Loses, join: true},
		{name: "TCP, queues", framing: sim.TCP, busy: sim.Queues, join: true},
		{name: "TCP, loses", framing: sim.TCP, busy: sim.Loses},
		{name: "TCP, queues, shape", framing: sim.TCP, busy: sim.Queues, quirks: shape},
		{name: "TCP, loses, shape, lax units", framing: sim.TCP, busy: sim.Loses, quirks: both, join: true},
		{name: "TCP, queues, lax units", framing: sim.TCP, busy: sim.Queues, quirks: lax},
		{name: "TLS, queues", framing: sim.TCP, busy: sim.Queues, tls: true},
		{name: "TLS, loses", framing: sim.TCP, busy: sim.Loses, tls: true, join: true},
		{name: "UDP, queues", framing: sim.Datagrams(sim.TCP), busy: sim.Queues, join: true},
		{name: "UDP, loses, shape, lax units", framing: sim.Datagrams(sim.TCP), busy: sim.Loses, quirks: both},
		{name: "RTU over UDP 9600, queues", framing: sim.Datagrams(sim.RTU), serial: &slow, busy: sim.Queues},
		{name: "RTU over UDP without pace, loses", framing: sim.Datagrams(sim.RTU), busy: sim.Loses, join: true},
		{name: "GoodWe's UDP, queues", framing: sim.Datagrams(sim.GoodWe), busy: sim.Queues, join: true},
		{name: "GoodWe's UDP, loses", framing: sim.Datagrams(sim.GoodWe), busy: sim.Loses},
		{name: "LuxPower's dongle, queues", framing: luxPower, busy: sim.Queues, join: true},
		{name: "LuxPower's dongle, loses", framing: luxPower, busy: sim.Loses},
		{name: "GivEnergy's dongle, queues", framing: givEnergy, busy: sim.Queues},
		{name: "GivEnergy's dongle, loses", framing: givEnergy, busy: sim.Loses},
		{name: "ASCII 38400, queues", framing: sim.ASCII, serial: &text, busy: sim.Queues, join: true},
		{name: "ASCII 38400, loses", framing: sim.ASCII, serial: &text, busy: sim.Loses},
		{name: "ASCII without pace, queues, lax units", framing: sim.ASCII, busy: sim.Queues, quirks: lax},
		{name: "Solarman, queues", stick: &sim.Stick{Banner: true, Odd: 0.05, Silent: 300 * time.Millisecond}},
		{name: "Solarman that takes 60 ms, queues, lax units", takes: 60 * time.Millisecond, quirks: lax, join: true,
			stick: &sim.Stick{Odd: 0.05, Silent: 2030 * time.Millisecond}},
	}
	for i := range all {
		all[i].timeout = 400 * time.Millisecond
		if all[i].stick != nil {
			all[i].framing = sim.Solarman(*all[i].stick)
		}
	}
	return all
}

// faults returns what goes wrong: of each kind a little, of the focus a lot.
func (c course) faults() (all []sim.Fault) {
	late := []time.Duration{c.timeout + time.Millisecond, c.timeout * 3 / 2, 3 * c.timeout, 8 * c.timeout}
	for _, kind := range sim.Kinds() {
		share := 0.008
		if kind == c.focus {
			share = 0.1
		}
		switch kind {
		case sim.Late:
			for _, d := range late {
				all = append(all, fault(kind, share/4, d, 0))
			}
		case sim.Exception:
			for _, code := range []byte{1, 2, 3, 4, 5, 6, 11} {
				all = append(all, fault(kind, share/8, 0, code))
			}
			all = append(all, fault(kind, share/8, c.timeout*5/4, 6))
		case sim.Drip:
			all = append(all, fault(kind, share/2, c.timeout/500, 0), fault(kind, share/2, c.timeout/20, 0))
		case sim.HangUp, sim.CloseBefore, sim.CloseAfter:
			all = append(all, fault(kind, share, c.timeout/10, 0)) // how long a pty is away
		case sim.Foreign:
			all = append(all, fault(kind, share*2/3, 0, 0), fault(kind, share/3, c.strangers(), 0))
		default:
			all = append(all, fault(kind, share, 0, 0))
		}
	}
	return all
}

// numbered reports whether each reply says which request it answers. Where none does, a sound frame of one of our own
// units cannot be told from a right answer when that unit owes one of the same shape, and so is no part of the
// campaign.
func (c course) numbered() bool {
	return sim.Numbered(c.framing) && c.quirks.Transactions == protocol.StrictTransactions
}

// strangers returns how late frames of other units come.
func (c course) strangers() time.Duration {
	if c.numbered() {
		return c.timeout * 5 / 4
	}
	return 0
}

// units returns who is on the line. Frames of a stranger come from the next unit id; where a queue may hold them back,
// that is none of ours.
func (c course) units() []protocol.UnitID {
	if c.framing == luxPower {
		return []protocol.UnitID{1} // its dongle knows nothing of unit ids
	}
	if c.numbered() || c.busy == sim.Loses {
		return []protocol.UnitID{1, 2}
	}
	return []protocol.UnitID{1, 3}
}

func fault(kind sim.Kind, share float64, delay time.Duration, code byte) sim.Fault {
	return sim.Fault{Kind: kind, Match: sim.Match{Probability: share}, Delay: delay, Code: code}
}
