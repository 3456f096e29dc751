package devices

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/sim"
)

// onSerialLine polls a Powdrive flat out over a line of 9600 baud with a turnaround of 20 ms, in blocks of 40, and runs
// f. Time is that of a bubble: what is measured is the wire and the order of things, not the machine.
func onSerialLine(t *testing.T, f func(ctx context.Context, d *Device, line *sim.Line, sink *recorder)) {
	t.Helper()
	p, err := profile.Get("powdrive")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		unit, err := simulateAt(p, 1)
		if err != nil {
			t.Fatal(err)
		}
		serial := protocol.DefaultSerial
		line := sim.NewLine(sim.Options{Serial: &serial, Turnaround: 20 * time.Millisecond}, unit)
		cfg := flatOut(p, 1)
		sink := &recorder{}
		onLine(t, line, course{framing: sim.RTU}, func(ctx context.Context, bus *protocol.Bus, run func(*Device)) {
			d := New(cfg, bus, sink, zerolog.Nop())
			d.SetEnabled(func(string) bool { return true })
			run(d)
			time.Sleep(5 * time.Second)
			synctest.Wait()
			f(ctx, d, line, sink)
		})
	})
}

// A set-value waits for at most the one read that is on the wire, and its read-back for nothing.
func TestSetValueOnABusySerialLine(t *testing.T) {
	const seed = 20
	random := rand.New(rand.NewPCG(seed, 0))
	onSerialLine(t, func(ctx context.Context, d *Device, line *sim.Line, _ *recorder) {
		points := slices.DeleteFunc(d.Points(), func(p profile.Point) bool {
			return p.Entity.Platform != "number" || p.Spec.Partial() || p.Write.Arm
		})
		var wires, tooks []time.Duration
		for i := range 200 {
			time.Sleep(time.Duration(random.IntN(1000)) * time.Millisecond)
			p := points[random.IntN(len(points))]
			value := []float64{p.Write.Min, p.Write.Max}[i%2]
			out, err := d.Write(ctx, Set{Key: p.Key, Value: value, Force: true})
			if err != nil {
				t.Fatalf("seed %d: %s = %v: %v", seed, p.Key, value, err)
			}
			wires, tooks = append(wires, out.Wire), append(tooks, out.Took)
		}
		slices.Sort(wires)
		slices.Sort(tooks)
		t.Logf("to the wire p50 %v max %v, confirmed p50 %v max %v", wires[100], wires[199], tooks[100], tooks[199])
		for _, c := range []struct {
			what      string
			got, most time.Duration
		}{
			{"to the wire, p50", wires[100], 70 * time.Millisecond},
			{"to the wire, max", wires[199], 150 * time.Millisecond},
			{"confirmed, p50", tooks[100], 180 * time.Millisecond},
			{"confirmed, max", tooks[199], 300 * time.Millisecond},
		} {
			if c.got > c.most {
				t.Errorf("seed %d: %s is %v, more than %v", seed, c.what, c.got, c.most)
			}
		}
	})
}

// Answers that come late, to requests that were given up and asked again, never become the value of another register.
func TestLateAnswersMakeNoWrongValues(t *testing.T) {
	onSerialLine(t, func(_ context.Context, d *Device, line *sim.Line, sink *recorder) {
		right := map[string]codec.Value{}
		for _, p := range d.Points() {
			right[p.Key] = sink.last(p.Key).Value
		}
		sink.forget()
		line.Play(sim.NewScript(7,
			sim.Fault{Match: sim.Match{Probability: 0.01}, Kind: sim.Late, Delay: 1100 * time.Millisecond}))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		sink.mu.Lock()
		defer sink.mu.Unlock()
		wrong := 0
		for _, r := range sink.readings {
			runs := strings.HasPrefix(r.Key, profile.ClockQuantity)
			if r.Value.Kind != codec.KindNone && r.Value != right[r.Key] && !runs {
				wrong++
			}
		}
		if len(sink.readings) < 20_000 || wrong > 0 {
			t.Errorf("%d of %d values are wrong", wrong, len(sink.readings))
		}
	})
}
