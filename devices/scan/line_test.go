package scan

import (
	"context"
	"errors"
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

// simulated returns a simulated device of a family at a unit id.
func simulated(t testing.TB, family string, id protocol.UnitID) *sim.Unit {
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
		units := []*sim.Unit{simulated(t, c[0], 1), simulated(t, c[1], 2)}
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
		onWire(t, s, sim.Options{}, []*sim.Unit{simulated(t, "deye", 3)}, func(w *wire, l Line) {
			begun := time.Now()
			found, err := l.Search(w.ctx)
			if err != nil || found.Serial != s || families(found)[3] != "deye" {
				t.Errorf("%v: %v at %v, %v", s, families(found), found.Serial, err)
			}
			t.Logf("%v: %v", s, time.Since(begun))
		})
	}
}

// A device that loses what comes too soon behind its reply is given the time that it needs.
func TestDevicesThatNeedAPause(t *testing.T) {
	for _, gap := range []time.Duration{100 * time.Millisecond, 850 * time.Millisecond} {
		onWire(t, protocol.DefaultSerial, sim.Options{MinGap: gap}, []*sim.Unit{simulated(t, "deye", 1)},
			func(w *wire, l Line) {
				begun := time.Now()
				found, err := l.Search(w.ctx)
				if got := families(found); err != nil || got[1] != "deye" {
					t.Errorf("%v: found %v, %v", gap, got, err)
				}
				if took := time.Since(begun); took > 30*time.Second {
					t.Errorf("%v: it took %v", gap, took)
				}
			})
	}
}

// Who ends a search gets what was found by then, at once.
func TestEndedEarly(t *testing.T) {
	units := []*sim.Unit{simulated(t, "deye", 1), simulated(t, "eastron", 30)}
	onWire(t, protocol.DefaultSerial, sim.Options{}, units, func(w *wire, l Line) {
		ctx, cancel := context.WithCancel(w.ctx)
		var ended time.Time
		l.Tell = func(now Progress) {
			if len(now.Found) == 1 && ended.IsZero() {
				ended = time.Now()
				cancel()
			}
		}
		found, err := l.Search(ctx)
		if late := time.Since(ended); !errors.Is(err, context.Canceled) || families(found)[1] != "deye" ||
			late > time.Second {
			t.Errorf("found %v, %v, %v later", families(found), err, late)
		}
	})
}

// A line on which nobody answers is searched to its end, in minutes.
func TestNobody(t *testing.T) {
	onWire(t, protocol.DefaultSerial, sim.Options{}, nil, func(w *wire, l Line) {
		begun := time.Now()
		found, err := l.Search(w.ctx)
		if took := time.Since(begun); err != nil || len(found.Units) > 0 || took > 3*time.Minute {
			t.Errorf("found %v, %v after %v", families(found), err, took)
		}
		t.Log(time.Since(begun))
	})
}

// Two devices with one unit id answer at the same time, and nobody understands them. It is said.
func TestTwoWithOneUnitID(t *testing.T) {
	onWire(t, protocol.DefaultSerial, sim.Options{}, []*sim.Unit{simulated(t, "deye", 1)}, func(w *wire, l Line) {
		faults, err := sim.ParseFaults("corrupted=100%")
		if err != nil {
			t.Fatal(err)
		}
		w.line.Play(sim.NewScript(1, faults...))
		found, err := l.Search(w.ctx)
		if err != nil || len(found.Units) > 0 || len(found.Notes) != 1 {
			t.Errorf("%+v, %v", found, err)
		}
		t.Log(found.Notes)
	})
}

// An end that answers at whatever unit id is one device.
func TestAnyUnit(t *testing.T) {
	var all []*sim.Unit
	for _, id := range append([]protocol.UnitID{1, 2, 3, 247}, improbable...) {
		all = append(all, simulated(t, "huawei", id))
	}
	onWire(t, protocol.Serial{}, sim.Options{}, all, func(w *wire, l Line) {
		found, err := l.Search(w.ctx)
		if err != nil || len(found.Units) != 1 || families(found)[1] != "huawei" || !found.AnyUnit {
			t.Errorf("found %v, %v", families(found), err)
		}
	})
}
