package hub

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// A device that was taken out of the configuration leaves the host, with its entities, and then the cache. While a
// device of the configuration has never said who it is, nothing leaves: it may be that device, at another address.

// leave finds the devices that have left, once every device of the configuration is known, and has the host remove
// them. It looks once for each configuration.
func (s *state) leave() {
	if s.askedToLeave || s.hub.asks.Remove == nil ||
		slices.ContainsFunc(s.members, func(u *member) bool { return u.device.ID() == "" }) {
		return
	}
	s.askedToLeave = true
	var gone []string
	for place, k := range s.memory.known {
		if slices.ContainsFunc(s.members, func(u *member) bool { return u.place == place }) {
			continue
		}
		id := k.Identity.ID()
		moved := slices.ContainsFunc(s.members, func(u *member) bool { return u.device.ID() == id })
		if moved || id == "" {
			s.pending[knownPrefix+place] = nil
			delete(s.memory.known, place)
			continue
		}
		gone = append(gone, id)
	}
	if len(gone) > 0 || s.leaving { // an empty list calls an older one back
		slices.Sort(gone)
		s.leaving = len(gone) > 0
		s.hub.asks.Remove(gone)
	}
}

// Left is called when the host has removed devices that are no longer in the configuration. The cache forgets them.
func (h *Hub) Left(ctx context.Context, ids []string) {
	h.post(ctx, func(s *state) {
		for _, id := range ids {
			if slices.ContainsFunc(s.members, func(u *member) bool { return u.device.ID() == id }) {
				continue // it is back
			}
			for key := range s.memory.keysOf(id) {
				s.pending[key] = nil
			}
			s.memory.forget(id)
		}
		s.hub.log.Info().Strs("devices", ids).Msg("No longer in the configuration: removed from Home Assistant")
	})
}

// keysOf returns the keys of all records about a device.
func (m Memory) keysOf(id string) map[string]bool {
	keys := map[string]bool{}
	for place, k := range m.known {
		if k.Identity.ID() == id {
			keys[knownPrefix+place] = true
		}
	}
	for point := range m.values[id] {
		keys[valueKey(id, point)] = true
	}
	for serial, of := range m.replaced {
		if of == id {
			keys[replacedPrefix+serial] = true
		}
	}
	for deleted := range m.deleted {
		if deleted == id || strings.HasPrefix(deleted, id+"/") {
			keys[deletedPrefix+deleted] = true
		}
	}
	return keys
}

// forget drops all records about a device.
func (m Memory) forget(id string) {
	maps.DeleteFunc(m.known, func(_ string, k knownDevice) bool { return k.Identity.ID() == id })
	maps.DeleteFunc(m.replaced, func(_, of string) bool { return of == id })
	delete(m.values, id)
}

// Forget deletes what a cache remembers of the device at a place. The next start accepts whichever device answers
// there. It returns the id of the forgotten device, or "" if none was known. No hub may use the cache meanwhile.
func Forget(k Keeper, place string) (id string, err error) {
	m, _ := Recall(k) // what cannot be understood is not of the device
	known, ok := m.known[place]
	if !ok {
		return "", nil
	}
	if known.Identity.Serial == "" {
		return "", k.Put(map[string][]byte{knownPrefix + place: nil})
	}
	id = known.Identity.ID()
	batch := map[string][]byte{knownPrefix + place: nil, deletedPrefix + id: encode(askedAgain)}
	for key := range m.keysOf(id) {
		if batch[key] = nil; strings.HasPrefix(key, deletedPrefix) {
			batch[key] = encode(askedAgain)
		}
	}
	return id, k.Put(batch)
}
