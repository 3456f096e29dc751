package devhost

import (
	"context"
	"maps"
	"slices"

	"solarhub/plugin/host"
)

// deviceID is the registry id of a device.
func deviceID(id string) string { return hexID("device " + id) }

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// entry is an entity as the registry tells it. The mutex is held.
func (h *Host) entry(e *entity) map[string]any {
	r := h.registry[e.def.ID]
	made := seconds(h.began)
	return map[string]any{
		"area_id": nil, "categories": map[string]any{}, "config_entry_id": entryID, "config_subentry_id": nil, "created_at": made,
		"device_id": deviceID(e.def.Device), "disabled_by": orNull(r.DisabledBy), "entity_category": orNull(e.def.Category),
		"entity_id": e.entityID, "hidden_by": nil, "icon": nil, "id": hexID("entity " + e.def.ID), "labels": []any{}, "modified_at": made,
		"name": orNull(e.title), "next_name_part": "device", "options": map[string]any{}, "original_name": e.def.Name,
		"platform": domain, "translation_key": nil, "unique_id": e.def.ID,
	}
}

// extended is an entry with what only the look at a single one tells.
func (h *Host) extended(e *entity) map[string]any {
	all := h.entry(e)
	class, icon := orNull(e.def.DeviceClass), orNull(e.def.Icon)
	if e.def.Platform != "sensor" && e.def.Platform != "number" && e.def.Platform != "binary_sensor" {
		class = nil
	}
	var capabilities map[string]any
	for _, name := range []string{"min", "max", "step", "mode", "pattern", "options", "state_class"} {
		if v, has := e.attributes[name]; has {
			if capabilities == nil {
				capabilities = map[string]any{}
			}
			capabilities[name] = v
		}
	}
	maps.Copy(all, map[string]any{"aliases": []any{nil}, "capabilities": capabilities, "device_class": nil, "original_device_class": class,
		"original_icon": icon})
	return all
}

func (h *Host) allEntities() []*entity { return h.pick(func(*entity) bool { return true }) }

func (h *Host) listEntities(context.Context, command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []any{}
	for _, e := range h.allEntities() {
		all = append(all, h.entry(e))
	}
	return all, nil
}

func (h *Host) listForDisplay(context.Context, command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []any{}
	for _, e := range h.allEntities() {
		if e.disabled {
			continue
		}
		short := map[string]any{"ei": e.entityID, "pl": domain, "lb": []any{}, "di": deviceID(e.def.Device), "np": "device", "en": e.def.Name}
		if n := slices.Index([]string{"config", "diagnostic"}, e.def.Category); n >= 0 {
			short["ec"] = n
		}
		if e.title != "" {
			short["en"] = e.title
		}
		if e.def.Platform == "sensor" && e.def.Precision != nil {
			short["dp"] = *e.def.Precision
		}
		all = append(all, short)
	}
	return map[string]any{"entity_categories": map[string]string{"0": "config", "1": "diagnostic"}, "entities": all}, nil
}

type entityField struct {
	EntityID string `json:"entity_id"`
}

// named returns the entity that a command names. The mutex is held.
func (h *Host) named(c command) (*entity, error) {
	var f entityField
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if e := h.byEntityID[f.EntityID]; e != nil {
		return e, nil
	}
	return nil, &Error{Code: host.RefusedNotFound, Message: "Entity not found"}
}

func (h *Host) getEntity(_ context.Context, c command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e, err := h.named(c)
	if err != nil {
		return nil, err
	}
	return h.extended(e), nil
}

// updateEntity takes what an owner changes of an entity here: whether it is disabled, and its name.
func (h *Host) updateEntity(_ context.Context, c command) (any, error) {
	var f struct {
		DisabledBy *string `json:"disabled_by"`
		Name       *string `json:"name"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if err := c.fields(&fields); err != nil {
		return nil, err
	}
	h.mu.Lock()
	e, err := h.named(c)
	if err == nil {
		if _, given := fields["name"]; given {
			h.rename(e, f.Name)
		}
	}
	h.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if _, given := fields["disabled_by"]; given {
		if f.DisabledBy != nil && *f.DisabledBy != "user" {
			return nil, invalid("value must be one of ['user', None] at 'disabled_by'")
		}
		if err := h.SetDisabled(e.entityID, f.DisabledBy != nil); err != nil {
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return map[string]any{"entity_entry": h.extended(e)}, nil
}

func (h *Host) rename(e *entity, name *string) {
	before := orNull(e.title)
	if e.title = ""; name != nil {
		e.title = *name
	}
	r := h.registry[e.def.ID]
	r.Name = e.title
	h.registry[e.def.ID] = r
	h.keep()
	h.registryChanged("update", e.entityID, map[string]any{"name": before})
	e.describe()
	if !e.disabled {
		h.write(e)
	}
}

func (h *Host) listDevices(context.Context, command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all, made := []any{}, seconds(h.began)
	for _, id := range slices.Sorted(maps.Keys(h.roots)) {
		r := h.roots[id]
		for _, part := range slices.Sorted(maps.Keys(r.devices)) {
			d := r.devices[part]
			var via any
			if d.Via != "" {
				via = deviceID(d.Via)
			}
			all = append(all, map[string]any{
				"area_id": nil, "configuration_url": nil, "config_entries": []string{entryID},
				"config_entries_subentries": map[string]any{entryID: []any{nil}}, "config_entry_id": entryID, "config_subentry_id": nil,
				"connections": []any{}, "created_at": made, "disabled_by": nil, "entry_type": nil, "hw_version": orNull(d.HWVersion),
				"id": deviceID(d.ID), "identifiers": [][]string{{domain, d.ID}}, "labels": []any{}, "manufacturer": orNull(d.Manufacturer),
				"model": orNull(d.Model), "model_id": nil, "modified_at": made, "name_by_user": nil, "name": d.Name, "next_name_part": nil,
				"parent_device_id": nil, "primary_config_entry": entryID, "serial_number": orNull(d.SerialNumber),
				"sw_version": orNull(d.SWVersion), "via_device_id": via,
			})
		}
	}
	return all, nil
}

// removeEntry deletes a device as its owner does.
func (h *Host) removeEntry(_ context.Context, c command) (any, error) {
	var f struct {
		Device string `json:"device_id"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.roots {
		for id := range r.devices {
			if deviceID(id) == f.Device {
				h.removeByOwner(id)
				return nil, nil
			}
		}
	}
	return nil, &Error{Code: host.RefusedHostError, Message: "Unknown device"}
}
