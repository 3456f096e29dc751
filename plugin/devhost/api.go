package devhost

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"solarhub/plugin/host"
)

// State returns the state of an entity, by its entity_id or its unique id. A disabled entity has none.
func (h *Host) State(id string) (State, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.lookup(id); e != nil {
		id = e.entityID
	}
	s, there := h.states[id]
	return s, there
}

// lookup finds an entity by entity_id or unique id. The mutex is held.
func (h *Host) lookup(id string) *entity {
	if e := h.byEntityID[id]; e != nil {
		return e
	}
	return h.entities[id]
}

// SetValue writes a value (nil for a button) as the platform's native action would and returns when it is confirmed. An
// error is an *Error. An entity that is unavailable gives an error here, where the action of Home Assistant says
// nothing.
func (h *Host) SetValue(ctx context.Context, id string, value any) error {
	t, ok := h.target(id)
	if !ok {
		return fmt.Errorf("%s is no entity", id)
	}
	return h.operate(ctx, t, host.Value(value), Context{ID: newID()})
}

// Action calls an action as call_service does, such as "number.set_value", and returns its response, where it has one.
func (h *Host) Action(ctx context.Context, domain, name string, data map[string]any, entityIDs ...string) (any, error) {
	c := serviceCall{Domain: domain, Service: name, Data: map[string]any{}, by: Context{ID: newID()}}
	c.ReturnResponse = actions[domain+"."+name].response == responseOnly
	if len(entityIDs) > 0 {
		c.Target = map[string]any{"entity_id": entityIDs}
	}
	text, err := json.Marshal(map[string]any{"service_data": data, "target": c.Target})
	if err == nil {
		err = json.Unmarshal(text, &c) // so that all values are of the kinds that JSON has
	}
	if err != nil {
		return nil, err
	}
	return h.act(ctx, c)
}

// Wait returns when a condition holds, which is asked for after each change, without the mutex; or the error of ctx.
func (h *Host) Wait(ctx context.Context, holds func() bool) error {
	for {
		h.mu.Lock()
		change := h.change
		h.mu.Unlock()
		if holds() {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// WaitState waits until an entity has a state; the error tells the one it has instead.
func (h *Host) WaitState(ctx context.Context, id, want string) error {
	var last State
	err := h.Wait(ctx, func() bool {
		last, _ = h.State(id)
		return last.State == want
	})
	if err != nil {
		return fmt.Errorf("%s is %q, not %q: %w", id, last.State, want, err)
	}
	return nil
}

// Ready reports whether an installation has told everything.
func (h *Host) Ready(installation string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.installations[installation]
	return i != nil && i.session != nil && i.session.ready
}

// WaitReady waits until an installation has told everything.
func (h *Host) WaitReady(ctx context.Context, installation string) error {
	if err := h.Wait(ctx, func() bool { return h.Ready(installation) }); err != nil {
		return fmt.Errorf("installation %s is not ready: %w", installation, err)
	}
	return nil
}

// SetDisabled disables or enables an entity as the owner does in its settings.
func (h *Host) SetDisabled(id string, disabled bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.lookup(id)
	if e == nil {
		return fmt.Errorf("%s is no entity", id)
	}
	h.disable(e, disabled)
	return nil
}

// disable disables or enables an entity. As in the real one, enabling ends in a reload, which asks the plugin for all
// states. The mutex is held.
func (h *Host) disable(e *entity, disabled bool) {
	if e.disabled == disabled {
		return
	}
	entry := h.registry[e.def.ID]
	before := orNull(entry.DisabledBy)
	if entry.DisabledBy = ""; disabled {
		entry.DisabledBy = "user"
	}
	e.disabled = disabled
	h.registry[e.def.ID] = entry
	h.registryChanged("update", e.entityID, map[string]any{"disabled_by": before})
	e.shown = nil
	if disabled {
		h.drop(e.entityID)
	} else {
		h.refresh(e, nil)
	}
	if s := e.root.owner.session; s != nil {
		s.config(h)
		if !disabled {
			s.send(host.Event{Type: host.EventResync})
		}
	}
	h.notify()
}

// RemoveDevice deletes a device as the owner does in the host.
func (h *Host) RemoveDevice(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removeByOwner(id)
}

// removeByOwner deletes a device and tells the plugin that serves it. The mutex is held.
func (h *Host) removeByOwner(id string) {
	r := h.roots[rootOf(id)]
	if r == nil {
		return
	}
	s := r.owner.session
	h.remove([]string{id})
	h.deleted[id] = r.owner.name
	if s != nil {
		s.send(host.Event{Type: host.EventRemoved, Devices: []string{id}})
	}
}

// Diagnostics asks an installation for its diagnostics; ctx bounds the wait, and so do 10 s.
func (h *Host) Diagnostics(ctx context.Context, installation string) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	h.mu.Lock()
	i := h.installations[installation]
	if i == nil || i.session == nil {
		h.mu.Unlock()
		return nil, h.notConnected("")
	}
	answer := make(chan any, 1)
	id := newID()
	i.session.asked[id] = answer
	i.session.send(host.Event{Type: host.EventDiagnostics, RequestID: id})
	h.mu.Unlock()
	select {
	case data := <-answer:
		return data, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("diagnostics of %s: %w", installation, ctx.Err())
	}
}
