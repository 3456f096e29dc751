package devhost

import (
	"encoding/json"
	"time"

	"solarhub/plugin/host"
)

// anyEvent stands for all events, and for all topics of a line.
const anyEvent = "*"

// subscription is what a client listens to under the id of the command.
type subscription struct {
	event    string // of subscribe_events; anyEvent for all
	entities bool   // of subscribe_entities
	topic    string // of devhost/line/subscribe
	end      func() // of solarhub/hello: the session ends
}

// tell sends what an event is to all subscriptions that want it; it is made once, when somebody listens. The mutex is
// held.
func (h *Host) tell(wants func(s subscription) bool, event func() any) {
	var text json.RawMessage
	for c := range h.conns {
		for id, s := range c.subs {
			if !wants(s) {
				continue
			}
			if text == nil {
				text = encoded(event())
			}
			c.event(id, text)
		}
	}
}

// fire tells the subscribers of an event. The mutex is held.
func (h *Host) fire(kind string, data any) {
	h.tell(func(s subscription) bool { return s.event == kind || s.event == anyEvent }, func() any {
		return map[string]any{"event_type": kind, "data": data, "origin": "LOCAL", "time_fired": moment(time.Now())}
	})
}

// changed tells of a new state: to those who listen to events, to those who listen to entities, and to the automation.
// The mutex is held.
func (h *Host) changed(before, after State) {
	change := map[string]any{"entity_id": after.EntityID, "old_state": before, "new_state": after}
	if before.EntityID == "" {
		change["old_state"] = nil
	}
	if after.EntityID == "" {
		change["entity_id"], change["new_state"] = before.EntityID, nil
	}
	h.fire("state_changed", change)
	h.tell(func(s subscription) bool { return s.entities }, func() any { return difference(before, after) })
	h.trigger(before, after)
}

// encoded is v as JSON. What is sent here is made of what came as JSON.
func encoded(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func (h *Host) subscribeEvents(c command) (any, error) {
	f := struct {
		EventType string `json:"event_type"`
	}{EventType: anyEvent}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	return h.subscribe(c, subscription{event: f.EventType}, nil)
}

// subscribeEntities tells all entities first; which ones a client names does not matter here.
func (h *Host) subscribeEntities(c command) (any, error) {
	return h.subscribe(c, subscription{entities: true}, func() any {
		all := map[string]any{}
		for id, s := range h.states {
			all[id] = compressed(s)
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

func (h *Host) unsubscribeEvents(c command) (any, error) {
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
