package devices

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/link"
)

// oddProfile has three reads at each poll and a setting.
const oddProfile = `
profile: odd
name: Test inverter
manufacturer: Test
sources: {x: "field report"}
line: {unit: 1, max_registers: 125, source: x}
identify: {serial: {at: 0, type: text, length: 5}, source: x}
defaults: {write: multiple}
points:
  - {key: aa, name: A, at: 10, type: u16, unit: W, class: power, every: now, show: true, source: x}
  - {key: bb, name: B, at: 1000, type: u16, unit: W, class: power, every: now, show: true, source: x}
  - {key: cc, name: C, at: 2000, type: u16, unit: W, class: power, every: now, show: true, source: x}
  - {key: nn, name: N, at: 3000, type: u16, unit: A, class: current, every: slow, show: true,
     write: {min: 0, max: 500}, source: x}
`

// oddBlock has a block of points that lie next to each other at an address.
func oddBlock(t *testing.T, table string, at, n int) *profile.Profile {
	t.Helper()
	var y strings.Builder
	y.WriteString(oddProfile)
	for i := range n {
		fmt.Fprintf(&y, "  - {key: r%d, name: R %d, at: %s %d, type: u16, every: now, show: true, source: x}\n", i, i,
			table, at+i)
	}
	p, err := profile.Load("odd.yaml", []byte(y.String()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// odd is a Modbus TCP server that is a healthy device but for what its script says.
type odd struct {
	// reply is what is sent for a request, from the transaction id on; sound is the right reply. nil: nothing.
	reply func(n int, adu, sound []byte) []byte
	// closes says whether the connection is closed behind the reply.
	closes bool

	t       *testing.T
	mu      sync.Mutex
	words   map[uint16]uint16
	asked   []string // what was asked, as "3 1000+1"
	opened  int
	devices []*Device
	sinks   []*recorder
	bus     *protocol.Bus
	ctx     context.Context
}

// word is what a register holds unless it was written.
func (o *odd) word(at uint16) uint16 {
	if w, ok := o.words[at]; ok {
		return w
	}
	return at
}

func (o *odd) sound(adu []byte) []byte {
	at, count := binary.BigEndian.Uint16(adu[8:]), binary.BigEndian.Uint16(adu[10:])
	pdu := append([]byte(nil), adu[7:12]...)
	switch f := adu[7]; f {
	case 3, 4:
		pdu = []byte{f, byte(2 * count)}
		for i := range count {
			pdu = binary.BigEndian.AppendUint16(pdu, o.word(at+i))
		}
	case 6:
		o.words[at] = count
	case 16:
		for i := range count {
			o.words[at+i] = binary.BigEndian.Uint16(adu[13+2*i:])
		}
	}
	return mbap(adu, pdu...)
}

// mbap is a frame from the unit that was asked.
func mbap(adu []byte, pdu ...byte) []byte {
	b := append([]byte(nil), adu[0], adu[1], 0, 0, 0, byte(len(pdu)+1), adu[6])
	return append(b, pdu...)
}

func (o *odd) serve(c net.Conn) {
	defer c.Close()
	head := make([]byte, 6)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		adu := append(append([]byte(nil), head...), make([]byte, binary.BigEndian.Uint16(head[4:]))...)
		if _, err := io.ReadFull(c, adu[6:]); err != nil {
			return
		}
		o.mu.Lock()
		n := len(o.asked)
		o.asked = append(o.asked, fmt.Sprintf("%d %d+%d", adu[7], binary.BigEndian.Uint16(adu[8:]),
			binary.BigEndian.Uint16(adu[10:])))
		b := o.sound(adu)
		if o.reply != nil {
			b = o.reply(n, adu, b)
		}
		closes := o.closes
		o.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		if _, err := c.Write(b); err != nil || closes {
			return
		}
	}
}

// seen returns how many connections and requests there were, and what the setting holds.
func (o *odd) seen() (opened, asked int, setting float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.opened, len(o.asked), float64(o.words[3000])
}

// count returns how often a request was asked.
func (o *odd) count(what string) (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range o.asked {
		if a == what {
			n++
		}
	}
	return n
}

// run polls devices of the profile at the units behind the server until f returns.
func (o *odd) run(t *testing.T, p *profile.Profile, f func(), units ...protocol.UnitID) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.t, o.words = t, map[uint16]uint16{0: 0x5445, 1: 0x5354, 2: 0x3030, 3: 0x3030, 4: 0x3031, 3000: 20}
		ctx, cancel := context.WithCancel(t.Context())
		o.ctx = ctx
		var running, serving sync.WaitGroup
		dial := func(context.Context, string, string) (net.Conn, error) {
			if ctx.Err() != nil {
				return nil, errors.New("over")
			}
			here, there := net.Pipe()
			o.mu.Lock()
			o.opened++
			o.mu.Unlock()
			serving.Go(func() { o.serve(there) })
			return here, nil
		}
		o.bus = protocol.NewBus(link.NewTCP(link.TCPConfig{Address: "odd:502", Dial: dial}), protocol.BusOptions{})
		running.Go(func() { _ = o.bus.Run(ctx) })
		for _, unit := range append(units, 1) {
			sink := &recorder{}
			cfg := Config{Profile: p, Unit: unit, Name: fmt.Sprint("unit ", unit), Line: p.Line, Grace: DefaultGrace}
			d := New(cfg, o.bus, sink, zerolog.Nop())
			o.devices, o.sinks = append(o.devices, d), append(o.sinks, sink)
			running.Go(func() { _ = d.Run(ctx) })
		}
		f()
		cancel()
		running.Wait()
		serving.Wait()
	})
}

// last is the device at unit 1 and what it told.
func (o *odd) last() (*Device, *recorder) {
	return o.devices[len(o.devices)-1], o.sinks[len(o.sinks)-1]
}

// lost returns how often the device at an index was unavailable, and how often a value of a key was unknown.
func (o *odd) lost(i int, but ...string) (away, unknown int) {
	o.sinks[i].mu.Lock()
	defer o.sinks[i].mu.Unlock()
	for _, s := range o.sinks[i].statuses {
		if !s.Online {
			away++
		}
	}
	for _, r := range o.sinks[i].readings {
		if r.Value.Kind == 0 && !strings.Contains(strings.Join(but, " "), r.Key) {
			unknown++
		}
	}
	return away, unknown
}
