package main_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/plan"
	"solarhub/protocol/sim"
)

// BenchmarkFullPoll reads every register of a Powdrive once, over a pty that keeps the time of 9600 8N1 with 20 ms of
// turnaround, and compares it with what the plan's requests take on the wire. "limit-ms" is the plan, "x-limit" the
// ratio.
func BenchmarkFullPoll(b *testing.B) {
	p, err := profile.Get("powdrive")
	if err != nil {
		b.Fatal(err)
	}
	shipped := settings{p.Line.Pace.Gap, p.Line.MaxRegisters}
	for _, s := range []settings{{0, 125}, {0, 40}, shipped} {
		b.Run(fmt.Sprintf("gap=%v/max=%d", s.gap, s.most), func(b *testing.B) { fullPoll(b, p, s) })
	}
}

type settings struct {
	gap  time.Duration // 0: t3.5
	most uint16        // registers of one read
}

func fullPoll(b *testing.B, p *profile.Profile, s settings) {
	serial, turnaround := protocol.DefaultSerial, 20*time.Millisecond
	timing := protocol.Timing{Serial: &serial, Turnaround: turnaround, Gap: s.gap}
	reads := planAll(b, p, s, timing)
	limit := plan.Cost(reads, timing)

	unit, err := simulate.Unit(p, profile.Traits{"kind": "lv"}, "2307120001")
	if err != nil {
		b.Fatal(err)
	}
	pty, err := sim.OpenPTY("")
	if err != nil {
		b.Fatal(err)
	}
	line := sim.NewLine(sim.Options{Serial: &serial, Turnaround: turnaround}, unit)
	ctx, stop := context.WithCancel(context.Background())
	bus := protocol.NewBus(link.NewRTU(link.RTUConfig{Path: pty.Path(), Serial: serial}), protocol.BusOptions{})
	ended := make(chan error, 2)
	go func() { ended <- line.ServePTY(ctx, pty, sim.RTU) }()
	go func() { ended <- bus.Run(ctx) }()
	defer func() { stop(); <-ended; <-ended }()

	poll := func() {
		for _, r := range reads {
			request := protocol.Request{Unit: 1, Range: r.Range, Priority: protocol.PriorityPoll,
				Pace: protocol.Pace{Gap: s.gap, Timeout: time.Second}}
			if _, err := bus.Do(ctx, request); err != nil {
				b.Fatal(err)
			}
		}
	}
	poll() // opens the line
	b.ResetTimer()
	for range b.N {
		poll()
	}
	per := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(len(reads)), "requests")
	b.ReportMetric(float64(limit)/1e6, "limit-ms")
	b.ReportMetric(float64(per)/float64(limit), "x-limit")
	b.ReportMetric(float64(line.Journal().Counts().TooShort), "too-short-gaps")
}

// planAll plans one read of every point.
func planAll(b *testing.B, p *profile.Profile, s settings, timing protocol.Timing) []plan.Read {
	b.Helper()
	points, err := p.ResolveNamed("lv")
	if err != nil {
		b.Fatal(err)
	}
	var items []protocol.Range
	for _, point := range points {
		items = append(items, point.Ranges...)
	}
	reads, err := plan.Plan(items, plan.Limits{MaxRegisters: s.most, Holes: p.Line.Holes}, timing)
	if err != nil {
		b.Fatal(err)
	}
	return reads
}
