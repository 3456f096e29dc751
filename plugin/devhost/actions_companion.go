package devhost

import (
	"context"
	"fmt"
	"math"
	"strings"

	"solarhub/plugin/host"
)

// companionActions raise whenever nothing is carried out, also for an entity that is unavailable or disabled, and so
// take the entity as an ordinary field.
var companionActions = map[string]action{
	domain + ".write_value": {fields: map[string]field{"entity_id": needs(oneEntity), "value": needs(scalar),
		"force": may(boolish)},
		response: responseOptional, run: (*Host).writeValue},
	domain + ".read_value": {fields: map[string]field{"entity_id": needs(oneEntity)}, response: responseOnly,
		run: (*Host).readValue},
	domain + ".refresh": {fields: map[string]field{"device_id": needs(textual)}, run: (*Host).refreshDevice},
}

// textual is what is taken for a text: a number is written out.
var textual = kind{"str", func(v any) bool {
	switch v.(type) {
	case string, float64, bool:
		return true
	}
	return false
}}

// asText writes a value as Python does.
func asText(v any) string {
	switch v := v.(type) {
	case float64:
		return number(v)
	case bool:
		if v {
			return "True"
		}
		return "False"
	}
	return fmt.Sprint(v)
}

var (
	oneEntity = kind{"an entity id", func(v any) bool {
		s, ok := v.(string)
		return ok && entityIDForm.MatchString(strings.ToLower(s))
	}}
	scalar  = kind{"bool or int or float or str", textual.fits}
	boolish = kind{"a boolean", func(v any) bool { _, ok := switched(v); return ok }}
)

// switched reads what stands for on or off in a form.
func switched(v any) (on, ok bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case float64:
		return v != 0, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "1", "true", "yes", "on", "enable":
			return true, true
		case "0", "false", "no", "off", "disable":
			return false, true
		}
	}
	return false, false
}

func (h *Host) unknown(id string) error {
	return h.failure(host.NewCallError(host.CodeUnknownEntity, host.CodeUnknownEntity, map[string]string{"id": id}), id,
		"")
}

// one returns the one entity that an action names.
func (h *Host) one(c serviceCall) (target, error) {
	id := strings.ToLower(c.Data["entity_id"].(string))
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.byEntityID[id]
	if e == nil {
		return target{}, h.unknown(id)
	}
	t := e.target()
	if e.disabled { // only its own name is known
		t.name = e.def.Name
	}
	return t, nil
}

func (h *Host) writeValue(ctx context.Context, c serviceCall) (any, error) {
	t, err := h.one(c)
	if err != nil {
		return nil, err
	}
	value, err := h.forPlatform(t, c.Data["value"])
	if err != nil {
		return nil, err
	}
	force, _ := switched(c.Data["force"])
	f, err := h.set(ctx, t, value, force, c.by)
	if err != nil {
		return nil, err
	}
	if f.Superseded {
		return nil, h.failure(host.NewCallError(host.CodeSuperseded, host.CodeSuperseded,
			map[string]string{"value": asText(f.Value)}), t.name, "")
	}
	return map[string]any{"value": f.Value}, nil
}

// forPlatform turns what a form's text field or YAML gives into the type of the platform. YAML reads 22:00 without
// quotes as 22 * 60, which is a time of day all the same.
func (h *Host) forPlatform(t target, v any) (any, error) {
	switch t.def.Platform {
	case "number":
		if f := asFloat(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
	case "switch":
		if s := strings.ToLower(fmt.Sprint(v)); s == "on" || s == "true" || s == "off" || s == "false" {
			return s == "on" || s == "true", nil
		}
	case "time":
		if f, is := v.(float64); is && f >= 0 && f < 24*60 && f == math.Trunc(f) {
			return fmt.Sprintf("%02d:%02d", int(f)/60, int(f)%60), nil
		}
		if timeOfDay.fits(v) {
			return asTime(v), nil
		}
	case "select", "text":
		return asText(v), nil
	default:
		return v, nil // read only: the plugin says so
	}
	return nil, h.wrongType(t, v)
}

func (h *Host) wrongType(t target, v any) error {
	refused := host.NewCallError(host.CodeWrongType, host.CodeWrongType, map[string]string{"value": asText(v)})
	return h.failure(refused, t.name, t.def.Platform)
}

func (h *Host) readValue(ctx context.Context, c serviceCall) (any, error) {
	t, err := h.one(c)
	if err != nil {
		return nil, err
	}
	f, err := h.call(ctx, h.find(t.root), t.name, callFrame{Action: host.ActionRead, ID: t.def.ID}, h.options.Write,
		c.by)
	if f.Response == nil {
		f.Response = map[string]any{}
	}
	return f.Response, err
}

// refreshDevice has every enabled register of a device read once. A part stands for its device.
func (h *Host) refreshDevice(ctx context.Context, c serviceCall) (any, error) {
	id := asText(c.Data["device_id"])
	root, name := h.rootByRegistryID(id)
	if root == "" {
		return nil, h.unknown(id)
	}
	_, err := h.call(ctx, h.find(root), name, callFrame{Action: host.ActionRefresh, Device: root}, h.options.Refresh,
		c.by)
	return nil, err
}

func (h *Host) rootByRegistryID(id string) (root, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.roots {
		for _, d := range r.devices {
			if deviceID(d.ID) == id {
				return r.id, r.devices[r.id].Name
			}
		}
	}
	return "", ""
}
