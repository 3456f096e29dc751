package devhost

import (
	"context"
	"maps"
	"slices"

	"solarhub/plugin/host"
)

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// entry is an entity as the registry tells it. The mutex is held.
func (h *Host) entry(e *entity) map[string]any {
	return map[string]any{
		"config_entry_id": entryID, "device_id": deviceID(e.def.Device),
		"disabled_by":     orNull(h.registry[e.def.ID].DisabledBy),
		"entity_category": orNull(e.def.Category), "entity_id": e.entityID, "name": orNull(e.title),
		"original_name": e.def.Name,
		"platform":      domain, "unique_id": e.def.ID,
	}
}

func (h *Host) listEntities(context.Context, command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []any{}
	for _, e := range h.pick(func(*entity) bool { return true }) {
		all = append(all, h.entry(e))
	}
	return all, nil
}

// listForDisplay tells the decimals of sensors, which the registry does not.
func (h *Host) listForDisplay(context.Context, command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []any{}
	for _, e := range h.pick(func(e *entity) bool { return !e.disabled }) {
		short := map[string]any{"ei": e.entityID}
		if e.def.Platform == "sensor" && e.def.Precision != nil {
			short["dp"] = *e.def.Precision
		}
		all = append(all, short)
	}
	return map[string]any{"entities": all}, nil
}

// updateEntity takes what an owner changes of an entity here: whether it is disabled, and its name.
func (h *Host) updateEntity(_ context.Context, c command) (any, error) {
	var f struct {
		EntityID   string  `json:"entity_id"`
		DisabledBy *string `json:"disabled_by"`
		Name       *string `json:"name"`
	}
	fields := map[string]any{}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if err := c.fields(&fields); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.byEntityID[f.EntityID]
	if e == nil {
		return nil, &Error{Code: host.RefusedNotFound, Message: "Entity not found"}
	}
	if _, given := fields["name"]; given {
		h.rename(e, f.Name)
	}
	if _, given := fields["disabled_by"]; given {
		if f.DisabledBy != nil && *f.DisabledBy != "user" {
			return nil, invalid("value must be one of ['user', None] at 'disabled_by'")
		}
		h.disable(e, f.DisabledBy != nil)
	}
	return map[string]any{"entity_entry": h.entry(e)}, nil
}

func (h *Host) rename(e *entity, name *string) {
	before := orNull(e.title)
	if e.title = ""; name != nil {
		e.title = *name
	}
	r := h.registry[e.def.ID]
	r.Name = e.title
	h.registry[e.def.ID] = r
	h.registryChanged("update", e.entityID, map[string]any{"name": before})
	e.describe()
	if !e.disabled {
		h.write(e)
	}
}

func (h *Host) listDevices(context.Context, command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []any{}
	for _, id := range slices.Sorted(maps.Keys(h.roots)) {
		r := h.roots[id]
		for _, part := range slices.Sorted(maps.Keys(r.devices)) {
			d := r.devices[part]
			var via any
			if d.Via != "" {
				via = deviceID(d.Via)
			}
			all = append(all, map[string]any{
				"config_entry_id": entryID, "hw_version": orNull(d.HWVersion), "id": deviceID(d.ID),
				"identifiers": [][]string{{domain,
					d.ID}}, "manufacturer": orNull(d.Manufacturer), "model": orNull(d.Model),
				"name": d.Name, "name_by_user": nil, "serial_number": orNull(d.SerialNumber),
				"sw_version":    orNull(d.SWVersion),
				"via_device_id": via,
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
