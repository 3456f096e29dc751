package hub

import (
	"context"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
)

// Reverted is called when something else has changed a value that was set and confirmed.
func (h *Hub) Reverted(ctx context.Context, d *devices.Device, r devices.Reverted) {
	h.post(ctx, func(s *state) { s.reverted(d, r) })
}

// reverted marks the set-value in the ledger and tells the owner, in the log and in the host.
func (s *state) reverted(d *devices.Device, r devices.Reverted) {
	after := r.Found.ReadAt.Sub(r.Confirmed)
	seconds := max(after.Round(time.Second/10).Seconds(), 0)
	found := r.Found.Value.String()
	s.hub.log.Warn().Str("device", d.Name()).Str("key", r.Key).Stringer("wanted", r.Wanted.Value).Str("found",
		found).Float64("seconds", seconds).
		Msg("A value that was set and confirmed has changed, though nobody changed it here: something else sets the " +
			"device too")
	ids := s.memberOf(d).ids[r.Key]
	id := s.ledger.Revert(ids, ledger.Reversal{Found: found, Seconds: seconds})
	if id == "" && len(ids) > 0 {
		id = ids[0] // the ledger is a ring
	}
	if id != "" {
		s.hub.asks.Notify(host.Notice{Kind: host.NoticeReverted, ID: id, Wanted: r.Wanted.Value.Any(),
			Found: r.Found.Value.Any(), Seconds: seconds})
	}
}
