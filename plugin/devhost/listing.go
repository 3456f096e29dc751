package devhost

import (
	"maps"
	"slices"
)

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (h *Host) listEntities(command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []any{}
	for _, e := range h.pick(func(*entity) bool { return true }) {
		list = append(list, map[string]any{"device_id": deviceID(e.def.Device),
			"disabled_by": orNull(h.registry[e.def.ID].disabledBy), "entity_category": orNull(e.def.Category),
			"entity_id": e.entityID, "name": nil, "original_name": e.def.Name, "platform": domain,
			"unique_id": e.def.ID})
	}
	return list, nil
}

// listForDisplay tells the decimals of sensors, which the registry does not.
func (h *Host) listForDisplay(command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []any{}
	for _, e := range h.pick(func(e *entity) bool { return !e.disabled }) {
		short := map[string]any{"ei": e.entityID}
		if e.def.Precision != nil {
			short["dp"] = *e.def.Precision
		}
		list = append(list, short)
	}
	return map[string]any{"entities": list}, nil
}

func (h *Host) listDevices(command) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(h.roots)) {
		for _, part := range slices.Sorted(maps.Keys(h.roots[id].devices)) {
			d := h.roots[id].devices[part]
			var via any
			if d.Via != "" {
				via = deviceID(d.Via)
			}
			list = append(list, map[string]any{"id": deviceID(d.ID), "via_device_id": via,
				"identifiers": [][]string{{domain, d.ID}}, "name": d.Name, "name_by_user": nil,
				"manufacturer": orNull(d.Manufacturer), "model": orNull(d.Model),
				"serial_number": orNull(d.SerialNumber), "sw_version": orNull(d.SWVersion)})
		}
	}
	return list, nil
}
