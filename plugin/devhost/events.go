package devhost

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"solarhub/plugin/host"
)

// The events of Home Assistant that are fired here.
const (
	eventStateChanged   = "state_changed"
	eventEntityRegistry = "entity_registry_updated"
	eventDeviceRegistry = "device_registry_updated"
	anyEvent            = "*"
)

// eventReverted is the companion's own event: PROTOCOL.md, section 3.
const eventReverted = domain + "_reverted"

// eventWrite is an event of this host alone: how one set-value ended, whoever asked for it. A scene's writes have one
// reply between them; this tells of each.
const eventWrite = "devhost_write"

// openEvents are those that a user who is no administrator may subscribe to.
var openEvents = []string{eventStateChanged, eventEntityRegistry, eventDeviceRegistry}

// subscription is what a client listens to under the id of the command.
type subscription struct {
	event string          // of subscribe_events; anyEvent for all
	only  map[string]bool // of subscribe_entities: these entity ids; empty: all. nil: not that command
	topic string          // of devhost/line/subscribe
	end   func()          // of solarhub/hello: the session ends
}

// fire tells the subscribers of an event. The mutex is held.
func (h *Host) fire(kind string, data any, by Context) {
	var text json.RawMessage // made once, when somebody listens
	for c := range h.conns {
		for id, s := range c.subs {
			if s.event != kind && s.event != anyEvent {
				continue
			}
			if text == nil {
				text = encoded(map[string]any{"event_type": kind, "data": data, "origin": "LOCAL",
					"time_fired": moment(time.Now()), "context": by})
			}
			c.event(id, text)
		}
	}
}

// changed tells of a new state: to those who listen to events, to those who listen to entities, and to the automation.
// The mutex is held.
func (h *Host) changed(before, after State) {
	id, by := after.EntityID, after.Context
	if id == "" {
		id, by = before.EntityID, Context{ID: newID()}
	}
	h.fire(eventStateChanged, map[string]any{"entity_id": id, "old_state": orNil(before), "new_state": orNil(after)},
		by)
	var text json.RawMessage
	for c := range h.conns {
		for n, s := range c.subs {
			if s.only == nil || len(s.only) > 0 && !s.only[id] {
				continue
			}
			if text == nil {
				text = encoded(difference(before, after))
			}
			c.event(n, text)
		}
	}
	h.trigger(before, after)
}

func orNil(s State) any {
	if s.EntityID == "" {
		return nil
	}
	return s
}

// encoded is v as JSON. What is sent here is made of what came as JSON.
func encoded(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func (h *Host) subscribeEvents(_ context.Context, c command) (any, error) {
	f := struct {
		EventType string `json:"event_type"`
	}{EventType: anyEvent}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if !c.conn.admin && !slices.Contains(openEvents, f.EventType) {
		return nil, unauthorized()
	}
	return h.subscribe(c, subscription{event: f.EventType}, nil)
}

func (h *Host) subscribeEntities(_ context.Context, c command) (any, error) {
	var f struct {
		IDs any `json:"entity_ids"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	only := map[string]bool{}
	if f.IDs != nil {
		names, _ := entityIDs(f.IDs) // fit has tried it
		for _, id := range names {
			only[id] = true
		}
	}
	return h.subscribe(c, subscription{only: only}, func() any {
		all := map[string]any{}
		for id, s := range h.states {
			if len(only) == 0 || only[id] {
				all[id] = compressed(s)
			}
		}
		return map[string]any{"a": all}
	})
}

// subscribe answers a command and then begins to send events, the first of which is what first returns, unless it is
// nil.
func (h *Host) subscribe(c command, s subscription, first func() any) (any, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.conn.answer(c.id, nil, nil) // before the first event
	if first != nil {
		c.conn.event(c.id, first())
	}
	c.conn.subs[c.id] = s
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
	s, ok := c.conn.subs[f.Subscription]
	if !ok {
		return nil, &Error{Code: host.RefusedNotFound, Message: "Subscription not found."}
	}
	delete(c.conn.subs, f.Subscription)
	if s.end != nil {
		s.end()
	}
	return nil, nil
}
