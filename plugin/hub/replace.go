package hub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/host"
)

// A device that replaces another goes on with its id, and so with its entities, their history and what the owner has
// done with them. Only the counters begin anew: the new device counts for itself.

// Replaced returns the ids of devices that were replaced, by the serial number of the device in their place.
func (m Memory) Replaced() map[string]string { return maps.Clone(m.replaced) }

// Replace has the device that answers in the place of another go on with its id. found is its serial number, as the
// owner has seen it; empty: whichever answers. It waits until the new device has been identified.
func (h *Hub) Replace(ctx context.Context, device, found string) host.Result {
	d := h.described.Load().devices[device]
	if d == nil {
		return failed(unknownEntity(device))
	}
	if found == "" {
		found = d.Status().Stranger
	}
	if err := d.Replace(ctx, found); err != nil {
		failure, _ := callError(ctx, entityPoint{device: d}, err)
		return failed(failure)
	}
	h.log.Info().Str("device", d.Name()).Str("id", device).Str("serial_number", found).
		Msg("The device has been replaced: the new one goes on with the id of the old one")
	h.do(context.WithoutCancel(ctx), func(*state) {})
	return host.Result{}
}

// beginCounts drops the counters of a device that was replaced.
func (s *state) beginCounts(u *member) {
	for key, p := range u.points {
		if isCounter(p) {
			delete(u.values, key)
			delete(s.memory.values[u.id], key)
			s.pending[valueKey(u.id, key)] = nil
		}
	}
}

// keepReplaced keeps in the cache whose id a device goes on with. Whoever had it before is a device of its own again.
func (s *state) keepReplaced(who devices.Identity) {
	for serial, id := range s.memory.replaced {
		if id == who.ID() && serial != who.Serial {
			delete(s.memory.replaced, serial)
			s.pending[replacedPrefix+serial] = nil
		}
	}
	if who.As != "" {
		s.memory.replaced[who.Serial] = who.As
		s.pending[replacedPrefix+who.Serial] = encode(who.As)
	}
}

func isCounter(p profile.Point) bool { return strings.HasPrefix(p.Entity.StateClass, "total") }

// Replace does the same in a cache that no hub uses: the next start takes the device with the serial number for the one
// with the id. points returns those of the device at a place. The error names the ids that there are.
func Replace(k Keeper, id, serial string, points func(place, traits string) []profile.Point) error {
	m, _ := Recall(k) // what cannot be understood is not of the device
	places := map[string]string{}
	for place, known := range m.known {
		if known.Identity.Serial == "" {
			continue
		}
		places[known.Identity.ID()] = place
		if known.Identity.ID() == id && known.Identity.Serial == serial || m.replaced[serial] == id {
			return fmt.Errorf("%s has replaced %s already", serial, id)
		}
	}
	place, ok := places[id]
	switch ids := slices.Sorted(maps.Keys(places)); {
	case len(ids) == 0:
		return fmt.Errorf("no device is remembered in this folder: is it that of the SolarHub that runs?")
	case !ok:
		return fmt.Errorf("no device has the id %q; there are: %s%s", id, strings.Join(ids, ", "),
			strict.Meant(id, ids))
	}
	old := m.known[place]
	batch := map[string][]byte{}
	for other, of := range m.replaced {
		if of == id {
			batch[replacedPrefix+other] = nil
		}
	}
	batch[replacedPrefix+serial] = encode(id)
	for _, p := range points(place, old.Identity.Traits) {
		if _, kept := m.values[id][p.Key]; kept && isCounter(p) {
			batch[valueKey(id, p.Key)] = nil
		}
	}
	if own, ok := places[serial]; ok { // it has answered elsewhere, as a device of its own
		batch[knownPrefix+place] = nil
		place, old = own, m.known[own]
	}
	old.Identity.Serial, old.Identity.As, old.Learned.Held = serial, id, nil
	batch[knownPrefix+place] = encode(old)
	return k.Put(batch)
}
