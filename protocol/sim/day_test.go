package sim_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// badDay has every kind of fault happen now and then.
func badDay() []sim.Fault {
	var faults []sim.Fault
	for _, kind := range sim.Kinds() {
		f := sim.Fault{Kind: kind, Match: sim.Match{Probability: 0.01}, Code: 6}
		switch kind {
		case sim.Late:
			f.Delay = 1300 * time.Millisecond
		case sim.Drip:
			f.Delay = 100 * time.Millisecond
		}
		faults = append(faults, f)
	}
	return faults
}

// day is what a line saw and a client got in one run.
type day struct {
	course   []string // each exchange: when, what fault, the request and what was sent for it
	happened []int
	wrong    []string
	good     int
}

// live reads 2,000 times, two sizes in turn, each five times, over a line on a bad day, in a time of its own.
func live(t *testing.T, framing sim.Framing, busy sim.Busy, seed uint64) (d day) {
	synctest.Test(t, func(t *testing.T) {
		serial := protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
		unit := sim.NewUnit(1)
		for a := range uint16(300) {
			unit.Set(protocol.HoldingRegister, a, 1000+a)
		}
		line := sim.NewLine(sim.Options{Serial: &serial, Turnaround: 5 * time.Millisecond, Busy: busy}, unit)
		faults := badDay()
		script := sim.NewScript(seed, faults...)
		line.Play(script)
		ctx, cancel := context.WithCancel(t.Context())
		dial := func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() { _ = line.ServeConn(ctx, there, framing) }() // nonsense ends it
			return here, nil
		}
		var l protocol.Link = link.NewTCP(link.TCPConfig{Dial: dial})
		switch framing.String() {
		case "rtu":
			l = link.NewRTUOverTCP(link.RTUOverTCPConfig{Dial: dial, Serial: serial})
		case "solarman":
			l = link.NewSolarman(link.SolarmanConfig{Dial: dial, Serial: logger, Timeout: time.Second})
		}
		began := time.Now()
		for i := range 2000 {
			d.read(t, l, uint16(i*37%250), uint16(2+i/5%2))
		}
		cancel()
		l.Close()
		synctest.Wait()
		for _, e := range line.Journal().Since(0) {
			d.course = append(d.course, fmt.Sprintf("%v %s % x: % x", e.At.Sub(began), e.Fault, e.Request, e.Reply))
		}
		d.happened = script.Happened()
	})
	return d
}

func (d *day) read(t *testing.T, l protocol.Link, addr, count uint16) {
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	resp, err := l.Exchange(t.Context(), protocol.Request{Unit: 1, Range: protocol.Range{Addr: addr, Count: count}})
	if _, refused := errors.AsType[protocol.ExceptionError](err); err != nil && !refused {
		if _, broken := errors.AsType[*protocol.LinkError](err); !broken {
			t.Fatal(err)
		}
	}
	for i, w := range resp.Words {
		if w != 1000+addr+uint16(i) {
			d.wrong = append(d.wrong, fmt.Sprintf("%d+%d: %v", addr, count, resp.Words))
			return
		}
	}
	if err == nil {
		d.good++
	}
}

// The same seed gives the same day to the byte and the nanosecond, on both framings and with both kinds of device;
// every kind of fault happens on it, and our client takes no value for another.
func TestTheSameSeedGivesTheSameDay(t *testing.T) {
	for _, framing := range []sim.Framing{sim.TCP, sim.RTU} {
		for busy, word := range map[sim.Busy]string{sim.Queues: "queues", sim.Loses: "loses"} {
			t.Run(framing.String()+" "+word, func(t *testing.T) {
				const seed = 20
				first, again, other := live(t, framing, busy, seed), live(t, framing, busy, seed),
					live(t, framing, busy, seed+1)
				for i := range min(len(first.course), len(again.course)) {
					if first.course[i] != again.course[i] {
						t.Fatalf("exchange %d: first %s, then %s", i, first.course[i], again.course[i])
					}
				}
				if len(first.course) != len(again.course) {
					t.Errorf("first %d exchanges, then %d", len(first.course), len(again.course))
				}
				if slices.Equal(first.course, other.course) {
					t.Error("another seed, the same day")
				}
				if slices.Min(first.happened) == 0 {
					t.Errorf("of %v happened %v", sim.Kinds(), first.happened)
				}
				if first.good < 1400 || len(first.wrong) > 0 {
					t.Errorf("%d of 2000 reads are good; wrong are:\n%s", first.good, strings.Join(first.wrong, "\n"))
				}
			})
		}
	}
}
