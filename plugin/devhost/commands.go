package devhost

import (
	"context"
	"encoding/json"

	"solarhub/plugin/host"
)

// handler answers a command with its result or an error, usually an *Error. later says that the command is answered by
// itself.
type handler func(h *Host, ctx context.Context, c command) (result any, err error)

// later is the result of a command that answers by itself.
type later struct{}

// spec is a command: who may send it, what it carries, what answers it.
type spec struct {
	handle handler
	fields map[string]field
	admin  bool // for administrators alone
	open   bool // fields without a name here are ignored: PROTOCOL.md, section 1
}

// commands are all that a client may send.
var commands map[string]spec

func init() { // the handlers know the table, so it cannot be made with them
	commands = map[string]spec{
		"ping":                        {handle: (*Host).ping},
		"supported_features":          {handle: (*Host).supportedFeatures, fields: map[string]field{"features": needs(mapOf(integer))}},
		"get_config":                  {handle: (*Host).getConfig},
		"get_states":                  {handle: (*Host).getStates},
		"get_services":                {handle: (*Host).getServices},
		"auth/current_user":           {handle: (*Host).currentUser},
		"manifest/get":                {handle: (*Host).manifestGet, fields: map[string]field{"integration": needs(str)}},
		"manifest/list":               {handle: (*Host).manifestList, fields: map[string]field{"integrations": may(texts)}},
		"config/entity_registry/list": {handle: (*Host).listEntities},
		"config/entity_registry/list_for_display": {handle: (*Host).listForDisplay},
		"config/entity_registry/get":              {handle: (*Host).getEntity, fields: map[string]field{"entity_id": needs(str)}},
		"config/entity_registry/update": {handle: (*Host).updateEntity, admin: true, fields: map[string]field{"entity_id": needs(str),
			"disabled_by": may(maybe(str)), "name": may(maybe(str))}},
		"config/device_registry/list": {handle: (*Host).listDevices},
		"config/device_registry/remove_config_entry": {handle: (*Host).removeEntry, admin: true,
			fields: map[string]field{"device_id": needs(str), "config_entry_id": needs(str)}},
		"config/area_registry/list":  {handle: empty},
		"config/label_registry/list": {handle: empty},
		"config/floor_registry/list": {handle: empty},
		"automation/config":          {handle: (*Host).automationConfig, admin: true, fields: map[string]field{"entity_id": needs(str)}},
		"call_service": {handle: (*Host).callService, fields: map[string]field{"domain": needs(str), "service": needs(str),
			"target": may(targets), "service_data": may(dict), "return_response": may(boolean)}},
		"fire_event":         {handle: (*Host).fireEvent, admin: true, fields: map[string]field{"event_type": needs(str), "event_data": may(dict)}},
		"subscribe_events":   {handle: (*Host).subscribeEvents, fields: map[string]field{"event_type": may(str)}},
		"subscribe_entities": {handle: (*Host).subscribeEntities, fields: map[string]field{"entity_ids": may(ids)}},
		"unsubscribe_events": {handle: (*Host).unsubscribeEvents, fields: map[string]field{"subscription": needs(integer)}},
		"history/history_during_period": {handle: (*Host).historyDuringPeriod, fields: map[string]field{"start_time": needs(str), "end_time": may(str),
			"entity_ids": needs(texts), "include_start_time_state": may(boolean), "significant_changes_only": may(boolean),
			"minimal_response": may(boolean), "no_attributes": may(boolean)}},
		"devhost/line":           {handle: (*Host).line, fields: map[string]field{"topic": may(str)}},
		"devhost/line/subscribe": {handle: (*Host).lineSubscribe, fields: map[string]field{"topic": may(str)}},
	}
	for name, s := range companionCommands {
		s.admin, s.open = true, true
		commands[name] = s
	}
}

func empty(*Host, context.Context, command) (any, error) { return []any{}, nil }

func (h *Host) ping(_ context.Context, c command) (any, error) {
	c.conn.send(map[string]any{"id": c.id, "type": "pong"})
	return later{}, nil
}

func (h *Host) supportedFeatures(_ context.Context, c command) (any, error) {
	var f struct {
		Features map[string]float64 `json:"features"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	c.conn.mu.Lock()
	defer c.conn.mu.Unlock()
	_, c.conn.coalesce = f.Features["coalesce_messages"]
	return nil, nil
}

func (h *Host) getConfig(context.Context, command) (any, error) {
	components := []string{"api", "automation", "button", "homeassistant", "number", "scene", "select", "sensor", "binary_sensor",
		"switch", "text", "time", "websocket_api"}
	if !h.options.WithoutCompanion {
		components = append(components, domain)
	}
	return map[string]any{
		"location_name": "Development host",
		"version":       h.options.Version,
		"state":         "RUNNING",
		"safe_mode":     h.options.SafeMode,
		"recovery_mode": h.options.RecoveryMode,
		"components":    components,
		"config_source": "storage",
		"language":      "en",
		"country":       "DE",
		"currency":      "EUR",
		"time_zone":     "UTC",
		"latitude":      52.5,
		"longitude":     13.4,
		"elevation":     34,
		"radius":        100,
		"debug":         false,
		"external_url":  nil,
		"internal_url":  nil,
		"unit_system": map[string]string{"length": "km", "accumulated_precipitation": "mm", "area": "m²", "mass": "g", "pressure": "Pa",
			"temperature": "°C", "volume": "L", "wind_speed": "m/s"},
	}, nil
}

func (h *Host) currentUser(_ context.Context, c command) (any, error) {
	name := "Guest"
	if c.conn.admin {
		name = "Owner"
	}
	return map[string]any{"id": c.conn.user(), "name": name, "is_owner": c.conn.admin, "is_admin": c.conn.admin, "credentials": []any{},
		"mfa_modules": []any{}}, nil
}

// manifest is what Options.Manifest says of the integration, as Home Assistant tells it.
func (h *Host) manifest() map[string]any {
	m := map[string]any{"domain": domain, "name": "SolarHub"}
	if len(h.options.Manifest) > 0 {
		_ = json.Unmarshal(h.options.Manifest, &m) // New has tried it
	}
	m["is_built_in"], m["overwrites_built_in"] = false, false
	return m
}

func (h *Host) manifestGet(_ context.Context, c command) (any, error) {
	var f struct {
		Integration string `json:"integration"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if f.Integration != domain || h.options.WithoutCompanion {
		return nil, &Error{Code: host.RefusedNotFound, Message: "Integration not found"}
	}
	return h.manifest(), nil
}

func (h *Host) manifestList(_ context.Context, c command) (any, error) {
	var f struct {
		Integrations []string `json:"integrations"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	wanted := f.Integrations == nil
	for _, name := range f.Integrations {
		wanted = wanted || name == domain
	}
	if !wanted || h.options.WithoutCompanion {
		return []any{}, nil
	}
	return []any{h.manifest()}, nil
}
