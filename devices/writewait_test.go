package devices

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/plan"
	"solarhub/protocol/sim"
)

// waits is how long the set-values of one run waited, from the call to the first byte, sorted.
type waits struct {
	all   []time.Duration
	bound time.Duration
}

func (w waits) String() string {
	n := len(w.all)
	return fmt.Sprintf("%6d %7d %7d %7d", n, w.all[n/2].Milliseconds(), w.all[n*95/100].Milliseconds(),
		w.all[n-1].Milliseconds())
}

// waitsOn polls three devices flat out on one line of 9600 baud, of which the third does not answer, while callers set
// values of the others one after another: n in all.
func waitsOn(t *testing.T, callers, n int) (w waits) {
	p, err := profile.Get("powdrive")
	if err != nil {
		t.Fatal(err)
	}
	serial := protocol.DefaultSerial
	var units []*sim.Unit
	for id := range 2 {
		u, err := simulateAt(p, protocol.UnitID(id+1))
		if err != nil {
			t.Fatal(err)
		}
		units = append(units, u)
	}
	line := sim.NewLine(sim.Options{Serial: &serial, Turnaround: 20 * time.Millisecond, Keep: 1}, units...)
	over := course{framing: sim.RTU, serial: &serial}
	onLine(t, line, over, func(ctx context.Context, bus *protocol.Bus, run func(*Device)) {
		var devices []*Device
		for unit := range protocol.UnitID(3) {
			d := New(flatOut(p, unit+1), bus, &recorder{}, zerolog.Nop())
			d.SetEnabled(func(string) bool { return true })
			run(d)
			devices = append(devices, d)
		}
		time.Sleep(10 * time.Second)
		// Each of the other callers may have a write and its read-back before ours.
		w.bound = publishedBound(devices[0]).Wait(2 * (callers - 1))
		var calling sync.WaitGroup
		var mu sync.Mutex
		for i := range callers {
			calling.Go(func() {
				for _, took := range setValues(ctx, t, devices[i%2], i, n/callers) {
					mu.Lock()
					w.all = append(w.all, took)
					mu.Unlock()
				}
			})
		}
		calling.Wait()
	})
	slices.Sort(w.all)
	return w
}

// setValues sets the i-th number of a device n times, with pauses, and returns how long each waited for the wire.
func setValues(ctx context.Context, t *testing.T, d *Device, i, n int) (took []time.Duration) {
	random, point := rand.New(rand.NewPCG(9, uint64(i))), numbersOf(d)[i]
	for j := range n {
		time.Sleep(time.Duration(random.Int64N(int64(200 * time.Millisecond))))
		value := []float64{point.Write.Min, point.Write.Max}[j%2]
		out, err := d.Write(ctx, Set{Key: point.Key, Value: value, Force: true})
		if err != nil {
			t.Errorf("%s: %v", point.Key, err)
		}
		took = append(took, out.Wire)
	}
	return took
}

// simulateAt returns a unit of the profile.
func simulateAt(p *profile.Profile, unit protocol.UnitID) (*sim.Unit, error) {
	at := *p
	at.Line.Unit = unit
	return simulate.Unit(&at, profile.Traits{"kind": "lv"}, fmt.Sprintf("TEST00000%d", unit))
}

// flatOut is a device that is polled without a pause in blocks of 40, and asked again every five seconds if it is away.
func flatOut(p *profile.Profile, unit protocol.UnitID) Config {
	cfg := Config{Profile: p, Unit: unit, Line: p.Line, Intervals: map[profile.Interval]time.Duration{
		profile.Now: time.Millisecond, profile.Normal: time.Millisecond, profile.Slow: time.Millisecond}}
	cfg.Line.Pace, cfg.Line.MaxRegisters, cfg.Line.Turnaround, cfg.Line.Quiet = protocol.Pace{}, 40,
		20*time.Millisecond, 5*time.Second
	return cfg
}

// numbersOf returns points of one register that may be written to.
func numbersOf(d *Device) []profile.Point {
	return slices.DeleteFunc(d.Points(), func(p profile.Point) bool {
		return p.Entity.Platform != "number" || p.Spec.Partial() || p.Write.Arm || len(p.Ranges) > 1
	})
}

// publishedBound is the bound of a line with devices like d, one of them dead, as check prints it.
func publishedBound(d *Device) protocol.WriteBound {
	timing := TimingOf(d.cfg.Line)
	b := protocol.WriteBound{Poll: plan.Longest(d.Plan(), timing)}
	b.Dead = timing.Unanswered(d.cfg.Line.Pace, protocol.Range{Count: d.cfg.Line.MaxRegisters})
	for _, p := range d.Points() {
		if p.Write != nil {
			b.Write = max(b.Write, timing.Exchange(protocol.WriteMultiple, p.Ranges[0]),
				timing.Exchange(protocol.Read, p.Ranges[0]))
		}
	}
	return b
}

// pipeLook is how much longer three looks into a pipe take than three into a port: it cannot be read without waiting a
// millisecond.
const pipeLook = 3 * time.Millisecond

// A set-value waits for no longer than is published, whatever else the line has to do. On virtual time: what is
// measured is the order of things.
func TestWriteWait(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	t.Logf("from the call to the wire, ms\n%-12s %6s %7s %7s %7s %9s", "callers", "n", "p50", "p95", "max", "published")
	for _, callers := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			w := waitsOn(t, callers, n/2)
			t.Logf("%-12d %v %9d", callers, w, w.bound.Milliseconds())
			if longest := w.all[len(w.all)-1]; longest > w.bound+pipeLook {
				t.Errorf("a set-value waited %v, published are %v", longest, w.bound)
			}
		})
	}
}
