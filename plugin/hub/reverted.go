package hub

import (
	"context"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
)

// Changed is called when the device holds another value than a set-value left behind.
func (h *Hub) Changed(ctx context.Context, d *devices.Device, c devices.Changed) {
	h.post(ctx, func(s *state) {
		switch u := s.memberOf(d); {
		case u == nil:
		case c.TakenOver:
			s.takenOver(u, c)
		default:
			s.reverted(u, c)
		}
	})
}

// reverted marks the set-value in the ledger and tells the owner, in the log and in the host.
func (s *state) reverted(u *member, c devices.Changed) {
	seconds, found := since(c), c.Found.Value.String()
	s.hub.log.Warn().Str("device", u.device.Name()).Str("key", c.Key).Stringer("wanted", c.Wanted).Str("found",
		found).Float64("seconds", seconds).
		Msg("A value that was set and confirmed has changed, though nobody changed it here: something else sets the " +
			"device too")
	ids := u.ids[c.Key]
	s.notify(host.NoticeReverted, s.ledger.Revert(ids, ledger.Reversal{Found: found, Seconds: seconds}), ids, c)
}

// takenOver tells the owner that a set-value which failed has had its effect after all.
func (s *state) takenOver(u *member, c devices.Changed) {
	s.hub.log.Info().Str("device", u.device.Name()).Str("key", c.Key).Stringer("wanted", c.Wanted).Float64("seconds",
		since(c)).Msg("The device has taken over a value only now: its set-value had failed")
	ids := u.ids[c.Key]
	s.notify(host.NoticeTakenOver, s.ledger.Failed(ids), ids, c)
}

// notify tells the host of the entity that was set; of the first of the point's if the ledger does not know it any
// more.
func (s *state) notify(kind, id string, ids []string, c devices.Changed) {
	if id == "" && len(ids) > 0 {
		id = ids[0] // the ledger is a ring
	}
	if id != "" {
		s.hub.asks.Notify(host.Notice{Kind: kind, ID: id, Wanted: c.Wanted.Any(), Found: c.Found.Value.Any(),
			Seconds: since(c)})
	}
}

// since returns the seconds between the end of the set-value and the reading.
func since(c devices.Changed) float64 {
	return max(c.Found.ReadAt.Sub(c.Ended).Round(time.Second/10).Seconds(), 0)
}
