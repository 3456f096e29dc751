package devhost

import (
	"context"
	"time"
)

// What is kept of the past, in memory: the powers, because a day at a glance is made of them. Home Assistant's recorder keeps
// everything for days.
const (
	historyFor  = 6 * time.Hour
	historyMost = 720 // points of one entity; beyond that every second one goes
)

// past is the states that an entity had, the oldest first.
type past []point

type point struct {
	state string
	at    time.Time
}

// remember keeps a state for command history/history_during_period. The mutex is held.
func (h *Host) remember(s State) {
	if s.EntityID == "" || s.Attributes["device_class"] != "power" {
		return
	}
	p := h.history[s.EntityID]
	if n := len(p); n > 0 && p[n-1].state == s.State {
		return
	}
	p = append(p, point{s.State, s.LastUpdated})
	if len(p) > historyMost {
		p = p.thinned(s.LastUpdated.Add(-historyFor))
	}
	h.history[s.EntityID] = p
}

// thinned returns what is not too old, without every second point.
func (p past) thinned(oldest time.Time) past {
	kept := make(past, 0, historyMost)
	for i, one := range p {
		if one.at.After(oldest) && (i%2 == 0 || i == len(p)-1) {
			kept = append(kept, one)
		}
	}
	return kept
}

// historyDuringPeriod answers as Home Assistant's history does with no_attributes: what the entities were at the beginning, and each
// change from then on.
func (h *Host) historyDuringPeriod(_ context.Context, c command) (any, error) {
	var f struct {
		Start time.Time  `json:"start_time"`
		End   *time.Time `json:"end_time"`
		IDs   []string   `json:"entity_ids"`

		Minimal bool `json:"minimal_response"` // without attributes, not even empty ones
	}
	if err := c.fields(&f); err != nil {
		return nil, &Error{Code: "invalid_start_time", Message: "Invalid start_time"}
	}
	end := time.Now()
	if f.End != nil {
		end = *f.End
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]any{}
	for _, id := range f.IDs {
		states := []any{}
		for _, p := range h.history[id] {
			at := p.at
			if at.Before(f.Start) { // the newest of these is what it was at the beginning
				states, at = states[:0], f.Start
			}
			if at.After(end) {
				break
			}
			state := map[string]any{"s": p.state, "lu": seconds(at)}
			if !f.Minimal {
				state["a"] = map[string]any{}
			}
			states = append(states, state)
		}
		if len(states) > 0 {
			all[id] = states
		}
	}
	return all, nil
}
