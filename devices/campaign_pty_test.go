//go:build linux

package devices

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// The same on real ports, that is on ptys that keep the pace of 115200 baud, in real time: a few hundred exchanges, or
// as many faults as CAMPAIGN_PTY says.
func TestCampaignOnPTY(t *testing.T) {
	faults := campaignNumber(t, "CAMPAIGN_PTY", 60)
	seed := campaignSeed(t)
	fast := protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}
	text := fast
	text.ASCII = true // and 8 data bits: a pty has no 7
	courses := []course{
		{name: "pty, queues", framing: sim.RTU, serial: &fast, busy: sim.Queues},
		{name: "pty, loses", framing: sim.RTU, serial: &fast, busy: sim.Loses, join: true},
		{name: "pty, ASCII", framing: sim.ASCII, serial: &text, busy: sim.Loses},
	}
	totals := make([]score, len(courses))
	var playing sync.WaitGroup
	for i, c := range courses {
		c.seed, c.most = seed+uint64(i), faults/len(courses)
		c.timeout, c.slack = 80*time.Millisecond, time.Second
		path := filepath.Join(t.TempDir(), "line")
		pty, err := sim.OpenPTY(path)
		if err != nil {
			t.Fatal(err)
		}
		playing.Go(func() {
			got, err := c.play(t.Context(), func(ctx context.Context, line *sim.Line) (protocol.Link, func()) {
				var serving sync.WaitGroup
				serving.Go(func() {
					if err := line.ServePTY(ctx, pty, c.framing); err != nil {
						t.Error(err)
					}
				})
				cfg := link.RTUConfig{Path: path, Serial: *c.serial}
				if c.framing == sim.ASCII {
					return link.NewASCII(cfg), serving.Wait
				}
				return link.NewRTU(cfg), serving.Wait
			}, t.Logf)
			if err != nil {
				t.Error(err)
			}
			totals[i] = got
		})
	}
	playing.Wait()
	var total score
	for _, s := range totals {
		total.add(s)
	}
	t.Logf("seed %d\n%v", seed, total)
	if total.bad() > 0 {
		t.Error("the campaign is lost")
	}
}
