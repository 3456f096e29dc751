package hub

import (
	"context"
	"reflect"
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/plugin/host"
)

// A changed configuration is taken over while the hub runs. A device that stays keeps everything. One that is made anew
// in the place of another of its family goes on with what is known of that. One that is gone leaves as it would with a
// restart, see left.go.

// Memory returns what is known now, as the next start would find it in the cache. It is false if ctx or Run has ended.
func (h *Hub) Memory(ctx context.Context) (m Memory, ok bool) {
	ok = h.do(ctx, func(s *state) {
		for _, u := range s.members {
			s.remember(u)
		}
		m = s.memory
		m.own()
	})
	return m, ok
}

// Arrange takes over which devices there are, in order. A device that was there and is no longer may not run any more.
// It is false if Run has ended.
func (h *Hub) Arrange(places []Place) bool {
	return h.do(context.Background(), func(s *state) { s.arrange(places, time.Now()) })
}

func (s *state) arrange(places []Place, now time.Time) {
	s.collect(now, true) // of those that are gone
	before := s.members
	s.members = nil
	for _, p := range places {
		i := slices.IndexFunc(before, func(u *member) bool { return u.isAt(p) })
		if i < 0 {
			s.members = append(s.members, s.newMember(p))
			continue
		}
		u := before[i]
		before = slices.Delete(before, i, i+1)
		if u.device != p.Device {
			s.succeed(u, p)
		}
		s.members = append(s.members, u)
	}
	for _, u := range before {
		s.remember(u)
		s.forgetStates(u)
	}
	s.askedToLeave = false
	s.describe(now)
	s.enable(now)
}

// isAt reports whether the place is that of the member, for the same device or for one of the same family.
func (u *member) isAt(p Place) bool {
	return u.device == p.Device || u.place == p.Key && u.device.Profile().ID == p.Device.Profile().ID
}

// succeed puts a device in the place of the one before. What is known stays, but for values that would be read in
// another way.
func (s *state) succeed(u *member, p Place) {
	u.device, u.entry, u.gauge, u.pendingID = p.Device, p.Entry, p.Gauge, p.Pending
	u.polled, u.widened = nil, p.Device.Widened()
	unknown := host.States{Values: map[string]any{}}
	points := byKey(p.Device.Points())
	for key := range u.values {
		if point, ok := points[key]; ok && isReadAlike(point, u.points[key]) {
			continue
		}
		for _, id := range u.ids[key] {
			unknown.Values[id] = nil
		}
		delete(u.values, key)
		delete(s.memory.values[u.id], key)
		s.pending[valueKey(u.id, key)] = nil
	}
	s.hub.outbox.Put(unknown)
}

// isReadAlike reports whether the same registers mean the same value.
func isReadAlike(a, b profile.Point) bool {
	return slices.Equal(a.Ranges, b.Ranges) && reflect.DeepEqual(a.Spec, b.Spec) &&
		reflect.DeepEqual(a.Formula, b.Formula)
}

// remember has the memory hold what is known of a device now.
func (s *state) remember(u *member) {
	if k, ok := u.toKeep(); ok {
		s.memory.known[u.place] = k
	} else {
		delete(s.memory.known, u.place)
	}
	if u.id == "" {
		return
	}
	values := s.memory.values[u.id]
	if values == nil {
		values = map[string]keptValue{}
		s.memory.values[u.id] = values
	}
	for key, v := range u.values {
		values[key] = v.keptValue
	}
}

// forgetStates has the outbox forget a device that is gone, with all that the host was told of it.
func (s *state) forgetStates(u *member) {
	entities := []string{u.pendingID + "_" + statusKey}
	for _, ids := range u.ids {
		entities = append(entities, ids...)
	}
	for _, root := range []string{u.id, u.pendingID} {
		for _, c := range u.device.Choices() {
			entities = append(entities, choiceID(root, c.Trait.Name))
		}
		for _, f := range allFigures {
			entities = append(entities, figureID(root, f))
		}
	}
	s.hub.outbox.Forget(entities, append([]string{u.pendingID, partID(u.id, linePart)}, u.families...))
}
