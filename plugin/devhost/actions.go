package devhost

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"solarhub/plugin/host"
)

// described are the actions as get_services tells them, in Home Assistant's own words.
//
//go:embed services.json
var described json.RawMessage

// serviceCall is a call_service of a client, or of an automation.
type serviceCall struct {
	Domain         string         `json:"domain"`
	Service        string         `json:"service"`
	Data           map[string]any `json:"service_data"`
	Target         map[string]any `json:"target"`
	ReturnResponse bool           `json:"return_response"`

	by Context
}

// response says whether an action returns something.
type response int

const (
	responseNone response = iota
	responseOptional
	responseOnly
)

// action is what call_service can do.
type action struct {
	fields   map[string]field // of the data, beside the target
	aim      aim
	response response
	run      func(h *Host, ctx context.Context, c serviceCall) (any, error)
}

// aim says whether an action takes a target.
type aim int

const (
	aimNone aim = iota
	aimOptional
	aimNeeded
)

// actions are all that there is, by domain and name.
var actions map[string]action

func init() { // scenes and automations call actions, so the table cannot be made with them
	actions = map[string]action{
		"homeassistant.turn_on":       {aim: aimOptional, run: generic("turn_on")},
		"homeassistant.turn_off":      {aim: aimOptional, run: generic("turn_off")},
		"homeassistant.toggle":        {aim: aimOptional, run: generic("toggle")},
		"homeassistant.update_entity": {fields: map[string]field{"entity_id": needs(ids)}, run: doNothing},
	}
	for name, n := range natives {
		actions[name] = action{fields: n.fields, aim: aimNeeded, run: n.run}
	}
	for _, more := range []map[string]action{ownActions, sceneActions, automationActions} {
		maps.Copy(actions, more)
	}
}

func doNothing(*Host, context.Context, serviceCall) (any, error) { return nil, nil }

func (h *Host) getServices(context.Context, command) (any, error) {
	if !h.options.WithoutCompanion {
		return described, nil
	}
	var all map[string]any
	if err := json.Unmarshal(described, &all); err != nil {
		return nil, err
	}
	delete(all, domain)
	return all, nil
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
	given := c
	c.Domain, c.Service = strings.ToLower(c.Domain), strings.ToLower(c.Service)
	name := c.Domain + "." + c.Service
	a, ok := actions[name]
	if !ok || c.Domain == domain && h.options.WithoutCompanion {
		return nil, notFound(given, c)
	}
	if err := a.answers(c.ReturnResponse); err != nil {
		return nil, err
	}
	data := maps.Clone(c.Data)
	if data == nil {
		data = map[string]any{}
	}
	maps.Copy(data, spelled(c.Target))
	c.Data = data
	if err := a.takes(data); err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.fire(eventCallService, map[string]any{"domain": c.Domain, "service": c.Service, "service_data": data}, c.by)
	h.mu.Unlock()
	return a.run(h, ctx, c)
}

// notFound is the error for an action that there is not. One that was asked for in capitals is looked for in small letters,
// and then Home Assistant takes it for another.
func notFound(given, c serviceCall) error {
	if given.Domain != c.Domain || given.Service != c.Service {
		return &Error{Code: host.RefusedHostError, Domain: "websocket_api", Key: "child_service_not_found",
			Message:      fmt.Sprintf("Service %s.%s called service %s.%s which was not found.", c.Domain, c.Service, given.Domain, given.Service),
			Placeholders: map[string]any{"domain": given.Domain, "service": given.Service, "child_domain": c.Domain, "child_service": c.Service}}
	}
	return &Error{Code: host.RefusedNotFound, Message: fmt.Sprintf("Service %s.%s not found.", c.Domain, c.Service), Domain: "homeassistant",
		Key: "service_not_found", Placeholders: map[string]any{"domain": c.Domain, "service": c.Service}}
}

// answers says whether an action may be asked for a response, or must be.
func (a action) answers(asked bool) error {
	switch {
	case asked && a.response == responseNone:
		return validation("homeassistant", "service_does_not_support_response",
			"An action which does not return responses can't be called with return_response=True",
			map[string]any{"return_response": "return_response=True"})
	case !asked && a.response == responseOnly:
		return validation("homeassistant", "service_lacks_response_request",
			"The action requires responses and must be called with return_response=True",
			map[string]any{"return_response": "return_response=True"})
	}
	return nil
}

// takes says what is wrong with the data of an action, its target among it.
func (a action) takes(data map[string]any) error {
	fields := a.fields
	if a.aim != aimNone {
		fields = maps.Clone(targetFields)
		maps.Copy(fields, a.fields)
	}
	if err := fit(fields, data, false); err != nil {
		return err
	}
	if a.aim == aimNeeded && !aimed(data) {
		return invalid("at least one of ['entity_id', 'device_id', 'area_id', 'floor_id', 'label_id'] is required")
	}
	return nil
}

// generic turns whatever can be turned, each with the action of its own domain. What cannot is left out.
func generic(service string) func(h *Host, ctx context.Context, c serviceCall) (any, error) {
	return func(h *Host, ctx context.Context, c serviceCall) (any, error) {
		var calls []func() error
		for _, domain := range []string{"switch", "automation", "scene"} {
			h.mu.Lock()
			chosen := h.selected(c.Data, domain)
			h.mu.Unlock()
			if _, can := actions[domain+"."+service]; !can || len(chosen) == 0 {
				continue
			}
			each := serviceCall{Domain: domain, Service: service, Data: map[string]any{"entity_id": listed(chosen)}, by: c.by}
			calls = append(calls, func() error { _, err := h.act(ctx, each); return err })
		}
		return nil, together(calls)
	}
}

func listed(ids []string) []any {
	all := make([]any, len(ids))
	for i, id := range ids {
		all[i] = id
	}
	return all
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

// carryOut has the plugin do something with an entity. How it ended is told to those who listen.
func (h *Host) carryOut(ctx context.Context, t target, value any, call callFrame, by Context) (host.ResultFrame, error) {
	began := time.Now()
	result, err := h.call(ctx, h.find(t.root), t.name, call, h.options.Write, by)
	told := map[string]any{"entity_id": t.entityID, "name": t.name, "value": value, "ok": err == nil, "took_ms": time.Since(began).Milliseconds()}
	if err != nil {
		told["error"] = asError(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fire(eventWrite, told, by)
	return result, err
}
