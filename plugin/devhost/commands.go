package devhost

import (
	"context"
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
		"ping": {handle: (*Host).ping},
		"supported_features": {handle: (*Host).supportedFeatures,
			fields: map[string]field{"features": needs(mapOf(integer))}},
		"get_config":                  {handle: (*Host).getConfig},
		"get_states":                  {handle: (*Host).getStates},
		"config/entity_registry/list": {handle: (*Host).listEntities},
		"config/entity_registry/list_for_display": {handle: (*Host).listForDisplay},
		"config/entity_registry/update": {handle: (*Host).updateEntity, admin: true,
			fields: map[string]field{"entity_id": needs(str),
				"disabled_by": may(maybe(str)), "name": may(maybe(str))}},
		"config/device_registry/list": {handle: (*Host).listDevices},
		"config/device_registry/remove_config_entry": {handle: (*Host).removeEntry, admin: true,
			fields: map[string]field{"device_id": needs(str), "config_entry_id": needs(str)}},
		"call_service": {handle: (*Host).callService, fields: map[string]field{"domain": needs(str),
			"service": needs(str),
			"target":  may(dict), "service_data": may(dict), "return_response": may(boolean)}},
		"subscribe_events":   {handle: (*Host).subscribeEvents, fields: map[string]field{"event_type": may(str)}},
		"subscribe_entities": {handle: (*Host).subscribeEntities, fields: map[string]field{"entity_ids": may(ids)}},
		"unsubscribe_events": {handle: (*Host).unsubscribeEvents,
			fields: map[string]field{"subscription": needs(integer)}},
		"devhost/line":           {handle: (*Host).line, fields: map[string]field{"topic": may(str)}},
		"devhost/line/subscribe": {handle: (*Host).lineSubscribe, fields: map[string]field{"topic": may(str)}},
		"devhost/automation": {handle: (*Host).automationCommand, admin: true,
			fields: map[string]field{"automation": needs(maybe(dict))}},
	}
	for name, s := range companionCommands {
		s.admin, s.open = true, true
		commands[name] = s
	}
}

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
	components := []string{"button", "number", "scene", "select", "sensor", "binary_sensor", "switch", "text", "time"}
	if !h.options.WithoutCompanion {
		components = append(components, domain)
	}
	return map[string]any{
		"location_name": "Development host",
		"version":       h.options.Version,
		"state":         h.options.State,
		"safe_mode":     h.options.SafeMode,
		"recovery_mode": h.options.RecoveryMode,
		"components":    components,
	}, nil
}
