package link

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// cycleRow is a line of the table: what a read costs with ours and with stock goburrow, on one paced pty each.
type cycleRow struct {
	serial         protocol.Serial
	count          uint16
	pause          time.Duration // turnaround
	ours, goburrow cycles
}

// limit is what the wire takes: the cycle that cannot be undercut without breaking t3.5.
func (r cycleRow) limit() time.Duration {
	return protocol.Timing{Serial: &r.serial, Turnaround: r.pause}.Exchange(protocol.Read,
		protocol.Range{Count: r.count})
}

// target is what is demanded of us: 1.5 %, 1 % and 0.4 % above the limit for 1, 10 and 100 registers, or 0.4 ms where
// that is more.
func (r cycleRow) target() time.Duration {
	part := map[uint16]float64{1: 0.015, 10: 0.010, 100: 0.004}[r.count]
	return r.limit() + max(time.Duration(part*float64(r.limit())), 400*time.Microsecond)
}

func (r cycleRow) String() string {
	verdict := "met"
	if r.ours.median > r.target() || r.ours.short > 0 {
		verdict = "MISSED"
	}
	of := func(c cycles) string {
		x := float64(c.median) / float64(r.limit())
		return fmt.Sprintf("%.2f\t%.4f\t%+.2f\t%d of %d", inMs(c.median), x, inMs(c.median-r.limit()), c.short, c.count)
	}
	return fmt.Sprintf("%v\t%d\t%v\t%.2f\t%s\t%s\t%s\t", r.serial, r.count, r.pause, inMs(r.limit()), of(r.ours),
		verdict, of(r.goburrow))
}

func inMs(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// BenchmarkRTURead measures the cycle of a read on a paced pty, from one request to the next, beside the limit that the
// wire sets, and stock goburrow doing the same. It ends with a table.
func BenchmarkRTURead(b *testing.B) {
	if testing.Short() {
		b.Skip("takes the better part of a minute")
	}
	var rows []cycleRow
	for _, s := range []protocol.Serial{
		{Baud: 9600, DataBits: 8, Parity: protocol.NoParity, StopBits: 1},
		{Baud: 9600, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1},
		{Baud: 19200, DataBits: 8, Parity: protocol.NoParity, StopBits: 1},
		{Baud: 115200, DataBits: 8, Parity: protocol.NoParity, StopBits: 1},
	} {
		for _, count := range []uint16{1, 10, 100} {
			for _, pause := range []time.Duration{0, 20 * time.Millisecond} {
				row := cycleRow{serial: s, count: count, pause: pause}
				b.Run(fmt.Sprintf("%v/%d registers/T=%v", s, count, pause), func(b *testing.B) {
					row.goburrow = theirCycles(b, row)
					row.ours = ourCycles(b, row)
					b.ReportMetric(0, "ns/op")
					b.ReportMetric(inMs(row.ours.median), "ms/cycle")
					b.ReportMetric(float64(row.ours.median)/float64(row.limit()), "x-limit")
					b.ReportMetric(float64(row.goburrow.median)/float64(row.limit()), "goburrow-x-limit")
					b.ReportMetric(float64(row.ours.short), "gaps-too-short")
				})
				if row.ours.count > 0 { // it was asked for
					rows = append(rows, row)
				}
			}
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nline\tregisters\tT\tlimit ms\tours ms\tx limit\tms over\tgaps < t3.5\ttarget\tgoburrow ms\tx "+
		"limit\tms over\tgaps < t3.5\t")
	for _, row := range rows {
		fmt.Fprintln(w, row)
	}
	w.Flush()
}

func ourCycles(b *testing.B, row cycleRow) cycles {
	p := newPaced(b, row.serial, row.pause)
	l := NewRTU(RTUConfig{Path: p.path, Serial: row.serial})
	defer l.Close()
	if _, err := l.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	reads, on := 0, true
	more := func() bool {
		reads++
		on = on && b.Loop()
		return on || reads <= leastReads
	}
	return p.measure(b, more, func() error {
		_, err := l.Exchange(b.Context(), readOf(0, row.count))
		return err
	})
}

// leastReads is how often each client reads at least. Stock goburrow does no more: it sleeps for a fixed time, so its
// cycles differ by little.
const leastReads = 5

func theirCycles(b *testing.B, row cycleRow) cycles {
	p := newPaced(b, row.serial, row.pause)
	h := modbus.NewRTUClientHandler(p.path)
	h.BaudRate, h.DataBits, h.StopBits, h.Parity = row.serial.Baud, 8, row.serial.StopBits,
		string("NEO"[row.serial.Parity])
	h.SlaveId, h.Timeout = 1, time.Second
	defer h.Close()
	client := modbus.NewClient(h)
	reads := 0
	return p.measure(b, func() bool { reads++; return reads <= leastReads }, func() error {
		_, err := client.ReadHoldingRegisters(0, row.count)
		return err
	})
}

// cycles are the times from the beginning of one read to the beginning of the next.
type cycles struct {
	count  int
	median time.Duration
	short  int // how often the line was not silent for t3.5 between two
}

// measure reads once for nothing and then while more says so. The values move: while the machine is busy, our link asks
// again for a reply that is the last one to the bit, because it cannot rule out then that it came twice.
func (p *paced) measure(b *testing.B, more func() bool, read func() error) cycles {
	p.mu.Lock()
	p.counts = true
	p.mu.Unlock()
	var took []time.Duration
	if err := read(); err != nil {
		b.Fatal(err)
	}
	for more() {
		begun := time.Now()
		if err := read(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	c := cycles{count: len(took), median: took[len(took)/2]}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, gap := range p.gaps {
		if gap < p.serial.Silence() {
			c.short++
		}
	}
	return c
}

// BenchmarkWriteWait measures how long a write waits for its first byte on a line that is polled flat out in blocks of
// 40, at random moments. A poll takes 124 ms, 20 ms of them in the device.
func BenchmarkWriteWait(b *testing.B) {
	if testing.Short() {
		b.Skip("takes seconds")
	}
	p := newPaced(b, protocol.DefaultSerial, 20*time.Millisecond)
	bus := protocol.NewBus(NewRTU(RTUConfig{Path: p.path}), protocol.BusOptions{})
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = bus.Run(ctx) })
	running.Go(func() {
		for ctx.Err() == nil {
			_, _ = bus.Do(ctx, protocol.Request{Unit: 1, Range: protocol.Range{Count: 40},
				Priority: protocol.PriorityPoll})
		}
	})
	r := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		time.Sleep(time.Duration(100+r.IntN(300)) * time.Millisecond)
		if _, err := bus.Do(ctx, writeOf(108, 50)); err != nil {
			b.Fatal(err)
		}
	}
	wait := bus.Stats().WriteWait
	cancel()
	running.Wait()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(wait.P50.Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(wait.P95.Microseconds())/1000, "ms-p95")
	b.ReportMetric(float64(wait.Max.Microseconds())/1000, "ms-max")
}
