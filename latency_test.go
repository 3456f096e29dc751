package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"solarhub/protocol/sim"
)

// latency measures set-values while the line is polled: from calling the action until the write stood on the wire, and
// until the action returned, confirmed by reading back.
func (e *endToEnd) latency(
	ctx context.Context, t *testing.T, name string, i inverter, key string, low, high, step int,
) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	id, journal := e.id(t, i, key), i.line.Journal()
	var wire, returned []time.Duration
	last := int(i.register(key))
	for range 200 {
		value := last
		for value == last {
			value = low + step*random.IntN((high-low)/step+1)
		}
		last = value
		n, began := journal.Last(), time.Now()
		if err := e.home.act(ctx, "number.set_value", id, map[string]any{"value": value}); err != nil {
			t.Fatalf("set %d: %v", value, err)
		}
		returned = append(returned, time.Since(began))
		wire = append(wire, firstWrite(t, journal.Since(n)).Sub(began))
		if got := int(i.register(key)); got != value {
			t.Fatalf("the action has returned and the register holds %d, not %d", got, value)
		}
		_ = pause(ctx, time.Duration(random.IntN(150))*time.Millisecond) // so that writes meet the poll at any point
	}
	targets := []string{"p50 at most 70, max at most 150 ms", "p50 at most 180, max at most 300 ms"}
	if i.pty == nil {
		targets = []string{"", "p50 at most 35, max at most 120 ms"}
	}
	e.row("200 set-values, "+name+": called to wire", spread(wire), targets[0])
	e.row("  called to returned, confirmed by reading", spread(returned), targets[1])
}

// firstWrite returns when the first byte of the first write was on the wire.
func firstWrite(t *testing.T, exchanges []sim.Exchange) time.Time {
	t.Helper()
	for _, x := range exchanges {
		if x.Write() {
			return x.At
		}
	}
	t.Fatal("there was no write on the wire")
	return time.Time{}
}

// spread returns p50, p95 and max.
func spread(all []time.Duration) string {
	slices.Sort(all)
	return fmt.Sprintf("p50 %s  p95 %s  max %s", ms(all[len(all)/2]), ms(all[len(all)*95/100]), ms(all[len(all)-1]))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond)) }
