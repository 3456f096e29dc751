package devhost

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"solarhub/plugin/host"
)

// rootOf returns the device id without its part: "SN1" for "SN1/battery".
func rootOf(device string) string {
	id, _, _ := strings.Cut(device, "/")
	return id
}

// registered is what Home Assistant keeps of an entity.
type registered struct{ entityID, disabledBy string } // disabledBy is integration, user or empty

// resume takes what survives a restart from a host that was closed: definitions, the hash that each installation
// registered, the registry and the automation. Entities are unavailable until a plugin is ready.
func (h *Host) resume(old *Host) {
	old.mu.Lock()
	defer old.mu.Unlock()
	maps.Copy(h.registry, old.registry)
	maps.Copy(h.deleted, old.deleted)
	for name, i := range old.installations {
		h.installation(name).hash = i.hash
	}
	for id, r := range old.roots {
		maps.Copy(h.root(id, h.installation(r.owner.name)).devices, r.devices)
	}
	for _, e := range old.pick(func(*entity) bool { return true }) {
		h.define(h.roots[e.root.id], e.def)
	}
	if old.automation != nil {
		h.setAutomation(&old.automation.Automation)
	}
}

// entitiesOf returns the entities that an installation serves, in the order of registration.
func (h *Host) entitiesOf(i *installation) []*entity {
	return h.pick(func(e *entity) bool { return e.root.owner == i })
}

func (h *Host) pick(wanted func(e *entity) bool) []*entity {
	var all []*entity
	for _, e := range h.entities {
		if wanted(e) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *entity) int { return cmp.Compare(a.seq, b.seq) })
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

// define takes a definition: it makes an entity, or changes the one that is there.
func (h *Host) define(r *root, d host.Entity) {
	e := h.entities[d.ID]
	if e != nil && e.def.Platform != d.Platform { // another platform is another entity
		h.forget(e)
		e = nil
	}
	if e == nil {
		e = h.enrol(r, d)
	}
	e.def, e.root, e.shown = d, r, nil
	e.describe()
	h.refresh(e)
}

// enrol makes an entity with the entity_id and the choices that the registry holds for it.
func (h *Host) enrol(r *root, d host.Entity) *entity {
	entry, known := h.registry[d.ID]
	if !known || !strings.HasPrefix(entry.entityID, d.Platform+".") {
		name := r.devices[d.Device].Name + " " + d.Name
		entry = registered{entityID: h.freeID(d.Platform + "." + slug(name))}
		if !d.Enabled {
			entry.disabledBy = "integration"
		}
		h.registry[d.ID] = entry
		h.entityChanged("create", entry.entityID)
	}
	h.lastEntity++
	e := &entity{entityID: entry.entityID, disabled: entry.disabledBy != "", seq: h.lastEntity}
	h.entities[d.ID], h.byEntityID[e.entityID] = e, e
	return e
}

func (h *Host) entityChanged(action, entityID string) {
	h.fire("entity_registry_updated", map[string]any{"action": action, "entity_id": entityID})
}

func (h *Host) deviceChanged(action, id string) {
	h.fire("device_registry_updated", map[string]any{"action": action, "device_id": deviceID(id)})
}

// deviceID is the registry id of a device: the same for the same device, so that it needs not be kept.
func deviceID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:16])
}

// freeID returns the wanted entity_id, with a number behind it if it is taken.
func (h *Host) freeID(want string) string {
	id := want
	for n := 2; h.byEntityID[id] != nil || h.states[id].EntityID != ""; n++ {
		id = fmt.Sprintf("%s_%d", want, n)
	}
	return id
}

// forget removes an entity with its registry entry.
func (h *Host) forget(e *entity) {
	delete(h.entities, e.def.ID)
	delete(h.byEntityID, e.entityID)
	delete(h.registry, e.def.ID)
	h.drop(e.entityID)
	h.entityChanged("remove", e.entityID)
}

// disabled returns the ids of an installation that are disabled, in the order of registration.
func (h *Host) disabled(i *installation) []string {
	ids := []string{}
	for _, e := range h.entitiesOf(i) {
		if e.disabled {
			ids = append(ids, e.def.ID)
		}
	}
	return ids
}

// deletedOf returns the devices of an installation that the owner deleted and that were not registered since.
func (h *Host) deletedOf(i *installation) []string {
	ids := []string{}
	for id, owner := range h.deleted {
		if owner == i.name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// commit puts a complete registration into effect. A device that it does not name is kept: perhaps it sleeps. One that
// another installation served changes hands, and that installation's hash is forgotten, so that it registers again when
// it comes back. The mutex is held.
func (h *Host) commit(i *installation, reg *registration) (result host.RegisterResult) {
	result.Rejected = reg.dropForeign(h.entities)
	devices := map[string]map[string]host.Device{}
	for _, d := range reg.devices {
		if devices[rootOf(d.ID)] == nil {
			devices[rootOf(d.ID)] = map[string]host.Device{}
		}
		devices[rootOf(d.ID)][d.ID] = d
		delete(h.deleted, d.ID)
	}
	for id, r := range h.roots { // one that was pending has said who it is
		if r.owner == i && r.devices[id].Pending && devices[id] == nil {
			result.Removed += len(h.pick(func(e *entity) bool { return e.root == r }))
			h.remove([]string{id})
		}
	}
	for _, e := range h.pick(func(e *entity) bool { return devices[e.root.id] != nil && !reg.used[e.def.ID] }) {
		h.forget(e)
		result.Removed++
	}
	moved := map[*root]bool{}
	for id, parts := range devices {
		r := h.root(id, i)
		if moved[r] = r.owner != i; moved[r] {
			r.owner.hash = ""
			r.owner = i
		}
		h.replace(r, parts)
		i.session.snapshot.served[id] = true
	}
	for _, d := range reg.entities {
		before, r := h.entities[d.ID], h.roots[rootOf(d.Device)]
		switch {
		case before == nil:
			result.Created++
		case !reflect.DeepEqual(before.def, d):
			result.Updated++
		case before.root == r && !moved[r]:
			before.describe() // the device may have another name
			continue
		}
		h.define(r, d)
	}
	i.hash = reg.hash
	h.notify()
	return result
}

// replace takes the devices of a root, and tells which came, changed and went.
func (h *Host) replace(r *root, parts map[string]host.Device) {
	before := r.devices
	r.devices = parts
	for id := range before {
		if _, stays := parts[id]; !stays {
			h.deviceChanged("remove", id)
		}
	}
	for id, d := range parts {
		if old, there := before[id]; !there {
			h.deviceChanged("create", id)
		} else if old != d {
			h.deviceChanged("update", id)
		}
	}
}

// remove forgets devices with their parts and entities, or single parts, and returns how many devices those were. The
// mutex is held.
func (h *Host) remove(ids []string) int {
	named := map[string]bool{}
	for _, id := range ids {
		named[id] = true
	}
	removed := 0
	for id, r := range h.roots {
		for part := range r.devices {
			if !named[id] && !named[part] {
				continue
			}
			for _, e := range h.pick(func(e *entity) bool { return e.def.Device == part }) {
				h.forget(e)
			}
			removed++
			r.owner.hash = ""
			delete(r.devices, part)
			h.deviceChanged("remove", part)
		}
		if len(r.devices) == 0 {
			delete(h.roots, id)
		}
	}
	h.notify()
	return removed
}

// slug turns a name into the part of an entity_id behind the dot.
func slug(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else if n := b.Len(); n > 0 && b.String()[n-1] != '_' {
			b.WriteByte('_')
		}
	}
	return strings.TrimRight(b.String(), "_")
}
