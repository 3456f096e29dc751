package hub

import (
	"math"
	"slices"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
)

// tellClock tells the host of a clock that is off, at each reading because a host forgets, and once that it is right.
func (s *state) tellClock(u *member, readings []devices.Reading) {
	if !slices.ContainsFunc(readings, func(r devices.Reading) bool { return r.Key == profile.ClockQuantity }) {
		return
	}
	c, ok := u.device.Clock()
	if ids := u.ids[profile.ClockQuantity]; ok && len(ids) > 0 && (c.Wrong || !u.clockRight) {
		n := host.Notice{Kind: host.NoticeClock, ID: ids[0], Found: c.Shows, Reason: c.Why}
		if c.Wrong {
			n.Seconds = math.Round(c.Off.Seconds())
		}
		u.clockRight = !c.Wrong
		s.hub.asks.Notify(n)
	}
}
