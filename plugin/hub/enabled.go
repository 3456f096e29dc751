package hub

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// listAfter is how long a new device is polled as its profile says. After the first registration the host's list of
// disabled entities follows within a second or two.
const listAfter = 5 * time.Second

// setDisabled takes the host's list of ids that need not be polled.
func (s *state) setDisabled(ids []string, now time.Time) {
	list := set(ids)
	if !s.listKnown || !maps.Equal(list, s.disabled) {
		s.saveDisabled(slices.Sorted(slices.Values(ids)))
	}
	s.disabled, s.listKnown = list, true
	for _, u := range s.members {
		if u.offered.IsZero() && u.id != "" {
			u.offered = now
		}
	}
	s.enable(now)
}

// saveDisabled has the cache keep the list, and no record of a longer one before.
func (s *state) saveDisabled(sorted []string) {
	now := records(sorted)
	for n := range max(len(now), s.disabledRecords) {
		var text []byte
		if n < len(now) {
			text = encode(now[n])
		}
		s.pending[fmt.Sprintf("%s%02d", disabledPrefix, n)] = text
	}
	s.disabledRecords = len(now)
}

// enable has each device poll what the host shows.
func (s *state) enable(now time.Time) {
	if !s.listKnown {
		return
	}
	for _, u := range s.members {
		if id := u.device.ID(); id != "" && s.isDeleted(u, id) {
			s.poll(u, map[string]bool{})
			continue
		}
		if u.id == "" || !s.isListed(u, now) {
			continue
		}
		wanted := map[string]bool{}
		for key, ids := range u.ids {
			if slices.ContainsFunc(ids, func(id string) bool { return !s.disabled[id] }) {
				wanted[key] = true
			}
		}
		s.poll(u, wanted)
	}
}

// poll has a device poll these points, if they are others than before.
func (s *state) poll(u *member, wanted map[string]bool) {
	if u.polled != nil && maps.Equal(wanted, u.polled) {
		return
	}
	u.polled = wanted
	u.device.SetEnabled(func(key string) bool { return wanted[key] })
}

// isListed reports whether the host's list covers the device: it names one of its ids, or the host had time to send it.
func (s *state) isListed(u *member, now time.Time) bool {
	for _, ids := range u.ids {
		u.listed = u.listed || slices.ContainsFunc(ids, func(id string) bool { return s.disabled[id] })
	}
	u.listed = u.listed || !u.offered.IsZero() && now.Sub(u.offered) >= listAfter
	return u.listed
}
