package devhost

import (
	"context"
	"crypto/rand"
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
	return h.operate(ctx, t, host.Value(value))
}

// Action calls an action as call_service does, such as "number.set_value", and returns its response, where it has one.
func (h *Host) Action(ctx context.Context, domain, name string, data map[string]any, entityIDs ...string) (any, error) {
	c := serviceCall{Domain: domain, Service: name}
	target := map[string]any{}
	if len(entityIDs) > 0 {
		target["entity_id"] = entityIDs
	}
	text := encoded(map[string]any{"service_data": data, "target": target})
	if err := json.Unmarshal(text, &c); err != nil { // so that all values are of the kinds that JSON has
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

// SetDisabled disables or enables an entity as the owner does in its settings. As in the real one, enabling ends in a
// reload, which asks the plugin for all states.
func (h *Host) SetDisabled(id string, disabled bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.lookup(id)
	if e == nil {
		return fmt.Errorf("%s is no entity", id)
	}
	if e.disabled == disabled {
		return nil
	}
	entry := h.registry[e.def.ID]
	if entry.disabledBy = ""; disabled {
		entry.disabledBy = "user"
	}
	e.disabled = disabled
	h.registry[e.def.ID] = entry
	h.entityChanged("update", e.entityID)
	e.shown = nil
	if disabled {
		h.drop(e.entityID)
	} else {
		h.refresh(e)
	}
	if s := e.root.owner.session; s != nil {
		s.config(h)
		if !disabled {
			s.send(host.Event{Type: host.EventResync})
		}
	}
	h.notify()
	return nil
}

// RemoveDevice deletes a device as the owner does in the host, and tells the plugin that serves it.
func (h *Host) RemoveDevice(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
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
	id := rand.Text()
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
