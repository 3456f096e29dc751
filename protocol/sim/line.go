package sim

import (
	"cmp"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"solarhub/protocol"
)

// Busy says what a line does with bytes that arrive while a unit still answers.
type Busy uint8

// The two kinds of devices.
const (
	Queues Busy = iota // loggers and gateways: answered one after the other
	Loses              // an inverter's own RS485 port: nobody listens
)

// Options is what a line is like. The zero value answers at once, without pacing.
type Options struct {
	// Serial is the pace: each character takes its time, and t3.5 tells the end of a request. nil: none.
	Serial *protocol.Serial
	// Turnaround is the time from the end of a request and its t3.5 to the first byte of the reply. That of a unit
	// takes precedence.
	Turnaround time.Duration
	// MinGap is the silence that units need after a reply: they do not hear a request that begins sooner. 0: none.
	MinGap time.Duration
	// Deaf is how long units hear nothing after a connection was opened. 0: they hear at once.
	Deaf time.Duration
	// Waking is how much later the first reply on a connection comes.
	Waking time.Duration
	Busy   Busy
	// Echo sends every request back first, as an RS485 adapter does that hears itself, also where nobody answers.
	Echo bool
	// SilentTCP answers nothing over Modbus TCP or UDP for unit ids that are not here; otherwise they are answered with
	// exception 11.
	SilentTCP bool
	// Stall is the silence after which a request on RTU that is not whole is thrown away. Defaults to 50 ms, or t3.5 if
	// longer.
	Stall time.Duration
	Keep  int  // exchanges that the Journal keeps. Defaults to 10,000
	Wait  Wait // Defaults to OnTimer for ServeConn and OnTheDot for the others
}

// Line is some units on one line. Any number of Serve calls may run at the same time. Safe for concurrent use.
type Line struct {
	options Options
	journal *Journal

	mu     sync.Mutex
	units  map[protocol.UnitID]*Unit
	script *Script
	off    bool
	number uint64
	open   map[*conn]struct{}
}

// NewLine makes a line. It serves nothing yet.
func NewLine(options Options, units ...*Unit) *Line {
	if options.Keep <= 0 {
		options.Keep = 10000
	}
	if options.Stall <= 0 {
		options.Stall = 50 * time.Millisecond
		if options.Serial != nil {
			options.Stall = max(options.Stall, options.Serial.Silence())
		}
	}
	l := &Line{
		options: options,
		journal: newJournal(options.Keep),
		units:   map[protocol.UnitID]*Unit{},
		open:    map[*conn]struct{}{},
	}
	for _, u := range units {
		l.Add(u)
	}
	return l
}

// Journal returns the record of what came in and went out.
func (l *Line) Journal() *Journal { return l.journal }

// Add puts a unit on the line, in place of one with the same id.
func (l *Line) Add(u *Unit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.units[u.id] = u
}

// Remove takes a unit off the line.
func (l *Line) Remove(id protocol.UnitID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.units, id)
}

// Units returns the units of the line in the order of their ids.
func (l *Line) Units() []*Unit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.SortedFunc(maps.Values(l.units), func(a, b *Unit) int { return cmp.Compare(a.id, b.id) })
}

// Play has a script decide what goes wrong from the next request on; nil: nothing.
func (l *Line) Play(s *Script) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.script = s
}

// Off is the inverter without power: requests are heard (they are in the Journal) and nothing answers. Connections
// stay.
func (l *Line) Off() { l.setOff(true) }

// On ends Off.
func (l *Line) On() { l.setOff(false) }

func (l *Line) setOff(off bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.off = off
}

// Disconnect resets the TCP connections that are open now. New ones are accepted; a pty is left alone (see PTY.Unplug).
func (l *Line) Disconnect() {
	l.mu.Lock()
	var open []*conn
	for c := range l.open {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		c.reset()
	}
}

// join numbers a connection and, if it is a socket, keeps it for Disconnect.
func (l *Line) join(c *conn) (leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.number++
	c.number = l.number
	if _, socket := c.stream.(lingerer); socket {
		l.open[c] = struct{}{}
	}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.open, c)
	}
}

// course is what the line does with a request, decided when its last byte is in.
type course struct {
	to   []*Unit // who carries it out; more than one for a broadcast
	mute bool    // nothing is answered
	// refused is the exception code for a client that may not do this, 0 if it may.
	refused byte
	why     string     // for Exchange.Fault
	fault   *Fault     // from the script
	random  *rand.Rand // with fault
	pause   time.Duration
}

// course decides over a request.
func (l *Line) course(framing Framing, req frame, q query) course {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.off {
		return course{mute: true, why: "off"}
	}
	c := course{pause: l.options.Turnaround}
	if serial := framing.kind().serial; serial && req.unit == 0 {
		// Source: MODBUS over Serial Line V1.02, 2.1: a broadcast is a write to all and is not answered.
		c.mute = true
		for _, u := range l.units {
			if q.write() {
				c.to = append(c.to, u)
			}
		}
	} else if u, here := l.units[req.unit]; here {
		c.to = []*Unit{u}
		c.pause = u.turnaroundOr(l.options.Turnaround)
	} else {
		return course{mute: serial || l.options.SilentTCP, why: "foreign unit", pause: c.pause}
	}
	if c.fault, c.random = l.script.meet(req.unit, q); c.fault != nil {
		c.why = string(c.fault.Kind)
	}
	return c
}

// chars returns the time that the bytes of an ADU take on the line. What has an envelope is a gateway with a pace to a
// serial line, on which RTU takes its place.
func (l *Line) chars(framing Framing, adu int) time.Duration {
	if l.options.Serial == nil {
		return 0
	}
	characters := *l.options.Serial
	characters.ASCII = false // they are counted as they are
	return characters.Chars(max(adu-framing.kind().envelope, 0))
}

// silence returns t3.5 of a paced line.
func (l *Line) silence() time.Duration {
	if l.options.Serial == nil {
		return 0
	}
	return l.options.Serial.Silence()
}

// waits returns how the line waits, by if its options do not say.
func (l *Line) waits(by Wait) Wait {
	if l.options.Wait != nil {
		return l.options.Wait
	}
	return by
}
