package plugin

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"solarhub/plugin/devhost"
	"solarhub/protocol"
)

// history is what the entities of the host have shown, by entity id.
type history struct {
	mu  sync.Mutex
	all map[string][]shown
}

// shown is a state and when it began.
type shown struct {
	state string
	at    time.Time
}

func newHistory() *history { return &history{all: map[string][]shown{}} }

// watch notes each change of a state until ctx ends.
func (h *history) watch(ctx context.Context, host *devhost.Host) {
	_ = host.Wait(ctx, func() bool { // ends with ctx only
		h.mu.Lock()
		defer h.mu.Unlock()
		for _, s := range host.States() {
			past := h.all[s.EntityID]
			if n := len(past); n == 0 || past[n-1].state != s.State {
				h.all[s.EntityID] = append(past, shown{s.State, time.Now()})
			}
		}
		return false
	})
}

// values returns the values that an entity has shown, one after the other, without those that are none.
func (h *history) values(entity string) (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.all[entity] {
		if s.state != devhost.Unavailable && s.state != devhost.Unknown {
			all = append(all, s.state)
		}
	}
	return slices.Compact(all)
}

// unavailable returns for how long an entity was unavailable since it was available for the first time, up to now.
func (h *history) unavailable(entity string) (sum time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	past := h.all[entity]
	first := slices.IndexFunc(past, func(s shown) bool { return s.state != devhost.Unavailable })
	for i := max(first, 0); i < len(past); i++ {
		until := time.Now()
		if i+1 < len(past) {
			until = past[i+1].at
		}
		if past[i].state == devhost.Unavailable {
			sum += until.Sub(past[i].at)
		}
	}
	return sum
}

// observe notes what was read; the line calls it.
func (c *fieldCase) observe(e Exchange) {
	if e.Error == "" && e.Words != nil {
		c.mu.Lock()
		c.read = append(c.read, e)
		c.mu.Unlock()
	}
}

// late returns which part of the polls of a range is missing.
func (c *fieldCase) late(r protocol.Range, every time.Duration) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	end := c.began.Add(c.want.run)
	missing, last := 0.0, c.began
	for _, e := range append(c.read, Exchange{Range: r.String(), At: end}) {
		if rangeRead(e.Range).Overlaps(r) {
			missing += math.Max(0, math.Round(float64(e.At.Sub(last))/float64(every))-1)
			last = e.At
		}
	}
	return missing / (float64(end.Sub(c.began)) / float64(every))
}

// rangeRead reads what protocol.Range.String writes: "holding 588+2".
func rangeRead(text string) protocol.Range {
	var table string
	var addr, count uint16
	_, _ = fmt.Sscanf(strings.Replace(text, "+", " ", 1), "%s %d %d", &table, &addr, &count)
	for t := range protocol.DiscreteInput + 1 {
		if t.String() == table {
			return protocol.Range{Table: t, Addr: addr, Count: count}
		}
	}
	return protocol.Range{}
}
