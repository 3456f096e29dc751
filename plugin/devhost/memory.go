package devhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"solarhub/plugin/host"
)

// kept is what survives a restart: definitions by device, the hash each installation registered, and the registry.
type kept struct {
	Hashes     map[string]string     `json:"hashes"`   // by installation
	Roots      map[string]definition `json:"devices"`  // by device id without part
	Registry   map[string]registry   `json:"registry"` // by unique id
	Deleted    map[string]string     `json:"deleted"`  // by device that the owner deleted: its installation
	Automation *Automation           `json:"automation,omitempty"`
}

// definition is a device with its parts and all their entities.
type definition struct {
	Installation string        `json:"installation"`
	Devices      []host.Device `json:"devices"`
	Entities     []host.Entity `json:"entities"`
}

// registry is what Home Assistant keeps of an entity.
type registry struct {
	EntityID   string `json:"entity_id"`
	DisabledBy string `json:"disabled_by,omitempty"` // integration, user or empty
}

// load makes entities from what was kept, unavailable until a plugin is ready. A file that does not exist holds
// nothing.
func (h *Host) load() error {
	if h.options.File == "" {
		return nil
	}
	text, err := os.ReadFile(h.options.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return fmt.Errorf("load definitions: %w", err)
	}
	maps.Copy(h.registry, k.Registry)
	maps.Copy(h.deleted, k.Deleted)
	for name, hash := range k.Hashes {
		h.installation(name).hash = hash
	}
	for _, id := range slices.Sorted(maps.Keys(k.Roots)) {
		d := k.Roots[id]
		r := h.root(id, h.installation(d.Installation))
		for _, dev := range d.Devices {
			r.devices[dev.ID] = dev
		}
		for _, e := range d.Entities {
			h.define(r, e)
		}
	}
	h.setAutomation(k.Automation)
	return nil
}

// kept is what survives a restart. The mutex is held.
func (h *Host) kept() kept {
	k := kept{Hashes: map[string]string{}, Roots: map[string]definition{}, Registry: maps.Clone(h.registry),
		Deleted: maps.Clone(h.deleted)}
	if h.automation != nil {
		k.Automation = &h.automation.Automation
	}
	for name, i := range h.installations {
		k.Hashes[name] = i.hash
	}
	for id, r := range h.roots {
		d := definition{Installation: r.owner.name}
		for _, device := range slices.Sorted(maps.Keys(r.devices)) {
			d.Devices = append(d.Devices, r.devices[device])
		}
		for _, e := range h.pick(func(e *entity) bool { return e.root == r }) {
			d.Entities = append(d.Entities, e.def)
		}
		k.Roots[id] = d
	}
	return k
}

// save replaces the file as a whole, so that a crash leaves the old one.
func (h *Host) save(k kept) error {
	file := h.options.File
	if file == "" {
		return nil
	}
	if err := os.WriteFile(file+".next", encoded(k), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".next", file)
}
