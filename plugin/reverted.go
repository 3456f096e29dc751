package plugin

import (
	"context"
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
)

// Reversal is the end that a set-value found after its end: the device no longer held what had been confirmed.
type Reversal struct {
	Found   string  `json:"found"`
	Seconds float64 `json:"seconds"` // since the confirmation
}

// Reverted takes that a confirmed value was changed by somebody else.
func (h *Hub) Reverted(ctx context.Context, d *devices.Device, r devices.Reverted) {
	h.post(ctx, func(s *state) { s.reverted(d, r) })
}

// reverted marks the set-value in the ledger and tells the owner, in the log and in the host.
func (s *state) reverted(d *devices.Device, r devices.Reverted) {
	after := r.Found.ReadAt.Sub(r.Confirmed)
	seconds := max(after.Round(time.Second/10).Seconds(), 0)
	found := r.Found.Value.String()
	s.log.Warn().Str("device", d.Name()).Str("key", r.Key).Stringer("wanted", r.Wanted.Value).Str("found", found).Float64("seconds", seconds).
		Msg("A value that was set and confirmed has changed, though nobody changed it here: something else sets the device too")
	ids := s.unit(d).ids[r.Key]
	id := s.ledger.revert(ids, Reversal{Found: found, Seconds: seconds})
	if id == "" && len(ids) > 0 {
		id = ids[0] // the ledger is a ring
	}
	if id != "" {
		s.notify(host.Notice{Kind: host.NoticeReverted, ID: id, Wanted: r.Wanted.Value.Any(), Found: r.Found.Value.Any(), Seconds: seconds})
	}
}

// revert marks the newest set-value that was written for one of the entities, and returns which of them it was.
func (l *ledger) revert(ids []string, r Reversal) (id string) {
	for i := len(l.entries) - 1; i >= 0; i-- {
		e := &l.entries[i]
		if e.Outcome == outcomeWritten && slices.Contains(ids, e.ID) {
			e.Reverted = &r
			l.dirty[e.Number] = true
			return e.ID
		}
	}
	return ""
}
