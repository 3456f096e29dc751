package hub

import (
	"fmt"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
)

// A process that is killed during a set-value leaves an entry without an end in the ledger. The next process does not
// write the value again. It reads what the device holds, and ends the entry with that.

// finish ends the entries of a point that an earlier process left open, according to a new reading.
func (s *state) finish(u *member, r devices.Reading) {
	if r.Raw == nil {
		return
	}
	for _, id := range u.ids[r.Key] {
		for _, e := range s.ledger.Open(id) {
			outcome, reason := ledger.Written, ""
			if p := u.points[r.Key]; !holds(p, r.Raw, e.Value) {
				outcome = host.CodeNotVerified
				reason = fmt.Sprintf("SolarHub ended while it was being set to %v, and %s holds %v", e.Value,
					registers(p), r.Value)
			}
			s.ledger.End(e.Number, outcome, reason, r.Value.String(), time.Now())
			s.hub.log.Info().Str("device", u.device.Name()).Str("key", r.Key).Interface("value", e.Value).Str("outcome",
				outcome).
				Str("found", r.Value.String()).Msg("SolarHub ended while this value was being set")
		}
	}
}

// finishPresses ends the entries of buttons that an earlier process left open: a button holds nothing that could be
// read.
func (s *state) finishPresses(u *member) {
	for key, ids := range u.ids {
		if u.points[key].HasValue() {
			continue
		}
		for _, id := range ids {
			for _, e := range s.ledger.Open(id) {
				s.ledger.End(e.Number, host.CodeOutcomeUnknown, "SolarHub ended while it was being written", "",
					time.Now())
			}
		}
	}
}

// holds reports whether raw words encode a value that the host asked for.
func holds(p profile.Point, raw []uint16, value any) bool {
	v, err := p.Spec.Parse(value)
	if err != nil {
		return false
	}
	words, err := p.Spec.Encode(v, raw)
	mask := p.Spec.CompareMask()
	if err != nil || len(words) != len(raw) || len(mask) != len(raw) {
		return false
	}
	for i, m := range mask {
		if words[i]&m != raw[i]&m {
			return false
		}
	}
	return true
}
