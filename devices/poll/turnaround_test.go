package poll

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// A request is never free: over TCP, where nobody has stated a turnaround, neighbours are read together.
func TestNeighboursAreJoinedWithoutATurnaround(t *testing.T) {
	var points []profile.Point
	for i := range uint16(100) {
		points = append(points, profile.Point{Ranges: []protocol.Range{{Addr: i, Count: 1}},
			Spec: codec.Spec{Type: codec.U16}})
	}
	reads, err := Plan(points, profile.LineSettings{})
	if err != nil || len(reads) != 1 {
		t.Errorf("%d reads: %v", len(reads), err)
	}
}

// A turnaround that nobody has stated is measured, and the reads are planned anew when it differs by half or more.
func TestTurnaroundIsMeasured(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		stated time.Duration
		took   time.Duration
		want   time.Duration
	}{
		{"longer", 0, 200 * ms, 200 * ms},
		{"shorter", 0, 2 * ms, 2 * ms},
		{"about as assumed", 0, 25 * ms, protocol.AssumedTurnaround},
		{"stated", 50 * ms, 200 * ms, 50 * ms},
	} {
		p := New(Config{}, ask.Client{Line: profile.LineSettings{Turnaround: tt.stated}}, nil, zerolog.Nop())
		before, now := p.generation, time.Now()
		for i := range measuredReplies {
			took := tt.took
			if i%4 == 0 {
				took = time.Second // a few slow replies move no median
			}
			p.measure(protocol.Range{}, protocol.Response{Sent: now, Done: now.Add(took)})
		}
		if got := p.timing.Turnaround; got != tt.want || (p.generation != before) != (tt.took == tt.want) {
			t.Errorf("%s: %v, planned anew: %v", tt.name, got, p.generation != before)
		}
	}
}
