package devhost

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"solarhub/plugin/host"
)

// serviceCall is a call_service of a client, or of the automation.
type serviceCall struct {
	Domain         string         `json:"domain"`
	Service        string         `json:"service"`
	Data           map[string]any `json:"service_data"`
	Target         map[string]any `json:"target"`
	ReturnResponse bool           `json:"return_response"`

	by Context
}

// action is what call_service can do.
type action struct {
	fields   map[string]field // of the data, with that of the target among it
	response response
	run      func(h *Host, ctx context.Context, c serviceCall) (any, error)
}

// response says whether an action returns something.
type response int

const (
	responseNone response = iota
	responseOptional
	responseOnly
)

// actions are all that there is, by domain and name.
var actions map[string]action

func init() { // scenes call actions, so the table cannot be made with them
	actions = map[string]action{}
	for _, some := range []map[string]action{nativeActions(), companionActions, sceneActions} {
		maps.Copy(actions, some)
	}
}

// callService runs an action in its own goroutine and answers when it has ended, however long that takes.
func (h *Host) callService(ctx context.Context, c command) (any, error) {
	s := serviceCall{by: c.conn.context()}
	if err := c.fields(&s); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // an action goes on though its caller has left
	c.conn.running.Go(func() {
		response, err := h.act(ctx, s)
		result := map[string]any{"context": s.by}
		if s.ReturnResponse {
			result["response"] = response
		}
		c.conn.answer(c.id, result, err)
	})
	return later{}, nil
}

// act carries out an action.
func (h *Host) act(ctx context.Context, c serviceCall) (any, error) {
	name := c.Domain + "." + c.Service
	a, ok := actions[name]
	if !ok || c.Domain == domain && h.options.WithoutCompanion {
		return nil, &Error{Code: host.RefusedNotFound, Message: fmt.Sprintf("Action %s not found.", name)}
	}
	switch {
	case c.ReturnResponse && a.response == responseNone:
		return nil, validation("homeassistant", "service_does_not_support_response", name+" has no response", nil)
	case !c.ReturnResponse && a.response == responseOnly:
		return nil, validation("homeassistant", "service_lacks_response_request",
			name+" has a response, which must be asked for", nil)
	}
	data := maps.Clone(c.Data)
	if data == nil {
		data = map[string]any{}
	}
	for name, ids := range c.Target { // Home Assistant makes a list of a single one
		if one, is := ids.(string); is {
			ids = []any{one}
		}
		data[name] = ids
	}
	c.Data = data
	if err := fit(a.fields, data, false); err != nil {
		return nil, err
	}
	return a.run(h, ctx, c)
}

// together runs calls at once, waits for all and returns the first error in their order.
func together(calls []func() error) error {
	errs := make([]error, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() { errs[i] = call() })
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// touch makes what e shows for a while the act of by. The mutex is held.
func (e *entity) touch(by Context) { e.by, e.byAt = by, time.Now() }

// find returns who serves the entity's device now.
func (h *Host) find(root string) func() *installation {
	return func() *installation {
		if r := h.roots[root]; r != nil {
			return r.owner
		}
		return nil
	}
}

// set writes a value and returns when it is confirmed.
func (h *Host) set(ctx context.Context, t target, value any, force bool, by Context) (host.ResultFrame, error) {
	return h.carryOut(ctx, t, value, callFrame{Action: host.ActionSet, ID: t.def.ID, Value: &value, Force: &force}, by)
}

// operate does what the platform's own action does: it writes a value, or presses the button.
func (h *Host) operate(ctx context.Context, t target, value any, by Context) error {
	var err error
	if t.def.Platform == "button" {
		_, err = h.carryOut(ctx, t, nil, callFrame{Action: host.ActionPress, ID: t.def.ID}, by)
	} else {
		_, err = h.set(ctx, t, value, false, by)
	}
	return err
}

// carryOut has the plugin do something with an entity. Those who listen are told how it ended.
func (h *Host) carryOut(ctx context.Context, t target, value any, call callFrame, by Context) (host.ResultFrame,
	error) {
	began := time.Now()
	result, err := h.call(ctx, h.find(t.root), t.name, call, h.options.Write, by)
	told := map[string]any{"entity_id": t.entityID, "name": t.name, "value": value, "ok": err == nil,
		"took_ms": time.Since(began).Milliseconds()}
	if err != nil {
		told["error"] = asError(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fire(eventWrite, told, by)
	return result, err
}

// target is what an action needs of an entity, taken under the mutex.
type target struct {
	def      host.Entity
	entityID string
	name     string
	root     string
}

func (h *Host) target(id string) (target, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.lookup(id)
	if e == nil {
		return target{}, false
	}
	return e.target(), true
}

// target returns what an action needs of the entity. The mutex is held.
func (e *entity) target() target {
	return target{def: e.def, entityID: e.entityID, name: e.name(), root: e.root.id}
}
