package devhost

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"solarhub/plugin/host"
)

// rootOf returns the device id without its part: "SN1" for "SN1/battery".
func rootOf(device string) string {
	id, _, _ := strings.Cut(device, "/")
	return id
}

// restore makes entities from what was kept, unavailable until a plugin is ready.
func (h *Host) restore(k Kept) {
	maps.Copy(h.registry, k.Registry)
	for name, hash := range k.Hashes {
		h.installation(name).hash = hash
	}
	for id, d := range k.Roots {
		r := h.root(id, h.installation(d.Installation))
		for _, dev := range d.Devices {
			r.devices[dev.ID] = dev
		}
		for _, e := range d.Entities {
			h.define(r, e)
		}
	}
}

// keep saves what survives a restart. The mutex is held: what is kept here is small and in memory or in one small file.
func (h *Host) keep() {
	k := Kept{Hashes: map[string]string{}, Roots: map[string]Definition{}, Registry: h.registry}
	for name, i := range h.installations {
		if i.hash != "" {
			k.Hashes[name] = i.hash
		}
	}
	for id, r := range h.roots {
		d := Definition{Installation: r.owner.name}
		for _, device := range slices.Sorted(maps.Keys(r.devices)) {
			d.Devices = append(d.Devices, r.devices[device])
		}
		for _, e := range h.of(r) {
			d.Entities = append(d.Entities, e.def)
		}
		k.Roots[id] = d
	}
	if err := h.options.Memory.Save(k); err != nil {
		h.options.Log.Error().Err(err).Msg("Definitions are not kept")
	}
}

// of returns the entities of a device and its parts, by id.
func (h *Host) of(r *root) []*entity {
	var all []*entity
	for _, e := range h.entities {
		if e.root == r {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *entity) int { return cmp.Compare(a.def.ID, b.def.ID) })
	return all
}

func (h *Host) root(id string, owner *installation) *root {
	r := h.roots[id]
	if r == nil {
		r = &root{id: id, owner: owner, devices: map[string]host.Device{}}
		h.roots[id] = r
	}
	return r
}

// define takes a definition and reports whether the entity is new.
func (h *Host) define(r *root, d host.Entity) (created bool) {
	e := h.entities[d.ID]
	if e != nil && e.def.Platform != d.Platform { // another platform is another entity
		h.forget(e)
		e = nil
	}
	if e == nil {
		entry, known := h.registry[d.ID]
		if !known || !strings.HasPrefix(entry.EntityID, d.Platform+".") {
			name := r.devices[d.Device].Name + " " + d.Name
			entry = Registry{EntityID: h.freeID(d.Platform + "." + slug(name)), Disabled: !d.Enabled}
			h.registry[d.ID] = entry
		}
		e = &entity{entityID: entry.EntityID, disabled: entry.Disabled}
		h.entities[d.ID], h.byEntityID[e.entityID] = e, e
		created = true
	}
	e.def, e.root = d, r
	h.show(e, time.Now())
	return created
}

// freeID returns the wanted entity_id, with a number behind it if it is taken.
func (h *Host) freeID(want string) string {
	taken := map[string]bool{}
	for _, r := range h.registry {
		taken[r.EntityID] = true
	}
	id := want
	for n := 2; taken[id]; n++ {
		id = fmt.Sprintf("%s_%d", want, n)
	}
	return id
}

// forget removes an entity with its registry entry.
func (h *Host) forget(e *entity) {
	delete(h.entities, e.def.ID)
	delete(h.byEntityID, e.entityID)
	delete(h.registry, e.def.ID)
	h.broadcast(e.entityID, e.shown, State{})
}

// show makes the state of e anew and tells those who listen if it is another.
func (h *Host) show(e *entity, now time.Time) {
	if e.disabled {
		return
	}
	next := e.render(now)
	if same(e.shown, next) {
		return
	}
	before := e.shown
	e.shown = next
	h.broadcast(e.entityID, before, next)
}

// showAll shows the entities of one installation anew.
func (h *Host) showAll(i *installation) {
	now := time.Now()
	for _, e := range h.entities {
		if e.root.owner == i {
			h.show(e, now)
		}
	}
	h.notify()
}

// broadcast tells the subscribers of state_changed. A state without an entity_id is none.
func (h *Host) broadcast(entityID string, before, after State) {
	data := map[string]any{"entity_id": entityID, "old_state": orNil(before), "new_state": orNil(after)}
	event := map[string]any{"event_type": "state_changed", "data": data, "origin": "LOCAL", "time_fired": time.Now()}
	for c := range h.conns {
		for id, kind := range c.subs {
			if kind == "" || kind == "state_changed" {
				c.event(id, event)
			}
		}
	}
}

func orNil(s State) any {
	if s.EntityID == "" {
		return nil
	}
	return s
}

// disabled returns the ids of an installation that are disabled, sorted.
func (h *Host) disabled(i *installation) []string {
	ids := []string{}
	for id, e := range h.entities {
		if e.disabled && e.root.owner == i {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// registration is what the frames of one registration add up to.
type registration struct {
	next     int // seq that is expected
	hash     string
	devices  []host.Device
	entities []host.Entity
}

// commit puts a complete registration into effect. The mutex is held.
func (h *Host) commit(i *installation, reg registration) host.RegisterResult {
	result := host.RegisterResult{Rejected: []host.Rejection{}}
	devices := map[string]map[string]host.Device{}
	for _, d := range reg.devices {
		if d.ID == "" || d.Name == "" || d.Via != "" && d.Via != rootOf(d.ID) {
			result.Rejected = append(result.Rejected, host.Rejection{ID: d.ID, Message: "id, name or via is wrong"})
			continue
		}
		if devices[rootOf(d.ID)] == nil {
			devices[rootOf(d.ID)] = map[string]host.Device{}
		}
		devices[rootOf(d.ID)][d.ID] = d
	}
	for id, parts := range devices {
		r := h.root(id, i)
		if r.owner != i { // taken over: the old owner's hash no longer tells what is kept
			r.owner.hash = ""
			r.owner = i
		}
		r.devices = parts
		i.session.picture.served[id] = true
	}
	wanted := map[string]bool{}
	for _, d := range reg.entities {
		err := check(d, devices[rootOf(d.Device)])
		if err == nil && wanted[d.ID] {
			err = fmt.Errorf("id is used twice")
		}
		if err != nil {
			result.Rejected = append(result.Rejected, host.Rejection{ID: d.ID, Message: err.Error()})
			continue
		}
		wanted[d.ID] = true
		if h.define(h.roots[rootOf(d.Device)], d) {
			result.Created++
		} else {
			result.Updated++
		}
	}
	for id, e := range h.entities {
		if devices[e.root.id] != nil && !wanted[id] {
			h.forget(e)
			result.Removed++
		}
	}
	i.hash = reg.hash
	h.keep()
	h.notify()
	return result
}

// remove forgets devices with their parts and entities and returns how many devices there were. The mutex is held.
func (h *Host) remove(ids []string) int {
	removed := 0
	for _, id := range ids {
		r := h.roots[id]
		if r == nil {
			continue
		}
		for _, e := range h.of(r) {
			h.forget(e)
		}
		removed += len(r.devices)
		r.owner.hash = ""
		delete(h.roots, id)
	}
	h.keep()
	h.notify()
	return removed
}
