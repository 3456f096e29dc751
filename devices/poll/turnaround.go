package poll

import (
	"slices"
	"time"

	"solarhub/protocol"
)

// A turnaround that nobody has stated is measured, because it decides which reads are worth joining: over TCP it is
// nearly all that a request costs. Until the first replies are in, protocol.AssumedTurnaround stands in for it.

// measuredReplies is how many replies a measurement takes: the median of so many is not moved by a few slow ones.
const measuredReplies = 16

// turnaround measures that of a device.
type turnaround struct {
	stated bool // it is known, and not measured
	last   [measuredReplies]time.Duration
	n      int
}

// measure notes a reply. Behind every so many it plans the reads anew if the turnaround in use was wrong by half or
// more.
func (p *Poller) measure(r protocol.Range, resp protocol.Response) {
	t := &p.turnaround
	if t.stated {
		return
	}
	t.last[t.n] = max(time.Millisecond, p.timing.TurnaroundIn(protocol.Read, r, resp.Done.Sub(resp.Sent)))
	if t.n++; t.n < measuredReplies {
		return
	}
	t.n = 0
	slices.Sort(t.last[:])
	median, planned := t.last[measuredReplies/2], p.timing.Turnaround
	if 2*median < 3*planned && 3*median > 2*planned {
		return
	}
	p.log.Info().Dur("turnaround", median).Dur("planned_with", planned).
		Msg("the device's turnaround was measured: its reads are planned with it")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timing.Turnaround = median
	p.generation++
}
