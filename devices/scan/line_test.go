package scan

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// wire is a simulated line with a setting: at any other its units hear nothing.
type wire struct {
	serial protocol.Serial // zero: Modbus TCP
	line   *sim.Line
	ctx    context.Context
	wg     sync.WaitGroup
}

// onWire runs f in a bubble of time, with units on a line that is paced to its baud.
func onWire(t *testing.T, serial protocol.Serial, o sim.Options, units []*sim.Unit, f func(w *wire, l Line)) {
	t.Helper()
	families := shipped(t)
	synctest.Test(t, func(t *testing.T) {
		if serial != (protocol.Serial{}) {
			o.Serial = &serial
		}
		ctx, cancel := context.WithCancel(t.Context())
		w := &wire{serial: serial, line: sim.NewLine(o, units...), ctx: ctx}
		defer w.wg.Wait()
		defer cancel()
		l := Line{Open: w.open, Serials: Serials(families), Families: families, Thorough: true}
		if serial == (protocol.Serial{}) {
			l.Serials, l.Thorough = []protocol.Serial{{}}, false
		}
		f(w, l)
	})
}

func (w *wire) open(s protocol.Serial) protocol.Link {
	framing := sim.RTU
	if w.serial == (protocol.Serial{}) {
		framing = sim.TCP
	}
	dial := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		w.wg.Go(func() {
			if s.Baud != w.serial.Baud || s.Parity != w.serial.Parity {
				_, _ = io.Copy(io.Discard, there)
				return
			}
			_ = w.line.ServeConn(w.ctx, there, framing)
		})
		return here, nil
	}
	if framing == sim.TCP {
		return link.NewTCP(link.TCPConfig{Address: "wire:502", Dial: dial})
	}
	return link.NewRTUOverTCP(link.RTUOverTCPConfig{Address: "wire:8899", Serial: s, Dial: dial})
}

// unitOf returns a simulated device of a family at a unit id.
func unitOf(t *testing.T, family string, id protocol.UnitID) *sim.Unit {
	t.Helper()
	p, err := profile.Get(family)
	if err != nil {
		t.Fatal(err)
	}
	own := *p
	own.Line.Unit = id
	u, err := simulate.Unit(&own, p.Cases()[0], "TEST123456")
	if err != nil {
		t.Fatal(err)
	}
	u.Turnaround(max(p.Line.Turnaround, 5*time.Millisecond))
	return u
}

func families(found Found) map[protocol.UnitID]string {
	all := map[protocol.UnitID]string{}
	for _, u := range found.Units {
		all[u.ID] = u.Why
		if len(u.Fits) > 0 {
			all[u.ID] = u.Fits[0].Profile.ID
		}
	}
	return all
}

// Two devices on a line of 9600 baud are found within half a minute, whatever they are.
func TestTwoUnitsWithinHalfAMinute(t *testing.T) {
	for _, c := range [][2]string{{"deye", "eastron"}, {"growatt", "chint"}, {"solis", "carlo_gavazzi"},
		{"goodwe", "janitza"}, {"sofar", "orno_we516"}} {
		units := []*sim.Unit{unitOf(t, c[0], 1), unitOf(t, c[1], 2)}
		onWire(t, protocol.DefaultSerial, sim.Options{}, units, func(w *wire, l Line) {
			begun := time.Now()
			found, err := l.Search(w.ctx)
			took := time.Since(begun)
			if got := families(found); err != nil || len(got) != 2 || got[1] != c[0] || got[2] != c[1] {
				t.Errorf("%v: found %v, %v", c, got, err)
			}
			t.Logf("%v: %v, %d requests", c, took, w.line.Journal().Last())
			if took > 30*time.Second {
				t.Errorf("%v took %v", c, took)
			}
		})
	}
}

// Each setting that is usual is found.
func TestSettings(t *testing.T) {
	for _, s := range Serials(shipped(t)) {
		onWire(t, s, sim.Options{}, []*sim.Unit{unitOf(t, "deye", 3)}, func(w *wire, l Line) {
			begun := time.Now()
			found, err := l.Search(w.ctx)
			if err != nil || found.Serial != s || families(found)[3] != "deye" {
				t.Errorf("%v: %v at %v, %v", s, families(found), found.Serial, err)
			}
			t.Logf("%v: %v", s, time.Since(begun))
		})
	}
}
