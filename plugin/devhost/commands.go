package devhost

import (
	"cmp"
	"context"
	"slices"

	"solarhub/plugin/host"
)

// commands are all that a client may send.
var commands = map[string]handler{
	"ping":                  (*Host).ping,
	"supported_features":    (*Host).supportedFeatures,
	"get_config":            (*Host).getConfig,
	"get_states":            (*Host).getStates,
	"call_service":          (*Host).callService,
	"subscribe_events":      (*Host).subscribeEvents,
	"unsubscribe_events":    (*Host).unsubscribeEvents,
	host.CommandHello:       (*Host).hello,
	host.CommandRegister:    current((*Host).register),
	host.CommandStates:      current((*Host).states),
	host.CommandResult:      current((*Host).result),
	host.CommandHeartbeat:   current((*Host).heartbeat),
	host.CommandDiagnostics: current((*Host).diagnosed),
	host.CommandRemove:      current((*Host).removeDevices),
	host.CommandBye:         current((*Host).bye),
}

func (h *Host) ping(_ context.Context, c command) (any, error) {
	c.conn.send(map[string]any{"id": c.id, "type": "pong"})
	return later{}, nil
}

func (h *Host) supportedFeatures(_ context.Context, c command) (any, error) {
	var f struct {
		Features map[string]int `json:"features"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if f.Features == nil {
		return nil, &Error{Code: host.RefusedInvalidFormat, Message: "required key not provided at 'features'"}
	}
	c.conn.mu.Lock()
	defer c.conn.mu.Unlock()
	c.conn.coalesce = f.Features["coalesce_messages"] == 1
	return nil, nil
}

func (h *Host) getConfig(context.Context, command) (any, error) {
	components := []string{"api", "websocket_api"}
	if !h.options.WithoutCompanion {
		components = append(components, "solarhub")
	}
	return map[string]any{
		"location_name": "Development host",
		"version":       h.options.Version,
		"state":         "RUNNING",
		"safe_mode":     h.options.SafeMode,
		"recovery_mode": h.options.RecoveryMode,
		"components":    components,
		"language":      "en",
		"time_zone":     "UTC",
	}, nil
}

func (h *Host) getStates(context.Context, command) (any, error) {
	return h.States(), nil
}

// States returns the states of all entities that are not disabled, by entity_id.
func (h *Host) States() []State {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := []State{}
	for _, e := range h.entities {
		if !e.disabled {
			all = append(all, e.shown)
		}
	}
	slices.SortFunc(all, func(a, b State) int { return cmp.Compare(a.EntityID, b.EntityID) })
	return all
}

func (h *Host) subscribeEvents(_ context.Context, c command) (any, error) {
	var f struct {
		EventType string `json:"event_type"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	c.conn.answer(c.id, nil, nil) // before the first event
	c.conn.subs[c.id] = f.EventType
	return later{}, nil
}

func (h *Host) unsubscribeEvents(_ context.Context, c command) (any, error) {
	var f struct {
		Subscription int64 `json:"subscription"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := c.conn.subs[f.Subscription]; !ok {
		return nil, &Error{Code: host.RefusedNotFound, Message: "Subscription not found."}
	}
	delete(c.conn.subs, f.Subscription)
	return nil, nil
}
