package devhost

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"solarhub/plugin/host"
)

// service is a call_service of a client.
type service struct {
	Domain  string         `json:"domain"`
	Service string         `json:"service"`
	Data    map[string]any `json:"service_data"`
	Target  struct {
		EntityID idList `json:"entity_id"`
	} `json:"target"`
	ReturnResponse bool `json:"return_response"`
}

// idList is one id or a list of them.
type idList []string

// UnmarshalJSON takes both forms.
func (l *idList) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*l = idList{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(l))
}

// callService runs an action in its own goroutine and answers when it has ended, however long that takes.
func (h *Host) callService(ctx context.Context, c command) (any, error) {
	var s service
	if err := c.fields(&s); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx) // an action goes on though its caller has left
	c.conn.running.Go(func() {
		response, err := h.act(ctx, s)
		result := map[string]any{"context": map[string]any{"id": fmt.Sprintf("context-%d", c.id), "parent_id": nil, "user_id": "owner"}}
		if s.ReturnResponse {
			result["response"] = response
		}
		c.conn.answer(c.id, result, err)
	})
	return later{}, nil
}

// act carries out an action. Entities that are unavailable or do not exist are left out without a word, as in the real one:
// only the actions of the companion's own domain raise for them.
func (h *Host) act(ctx context.Context, s service) (any, error) {
	name := s.Domain + "." + s.Service
	if own, ok := map[string]func(context.Context, service) (any, error){
		"solarhub.write_value": h.writeValue,
		"solarhub.read_value":  h.readValue,
		"solarhub.refresh":     h.refresh,
	}[name]; ok {
		return own(ctx, s)
	}
	convert, ok := natives[name]
	if !ok {
		return nil, &Error{Code: host.RefusedNotFound, Message: "Service " + name + " not found.", Domain: "homeassistant", Key: "service_not_found"}
	}
	targets := s.Target.EntityID
	if more, ok := s.Data["entity_id"]; ok {
		text, _ := json.Marshal(more) // it came from JSON
		var ids idList
		if json.Unmarshal(text, &ids) == nil {
			targets = append(targets, ids...)
		}
	}
	var calls []func() error
	for _, id := range targets {
		e, ok := h.usable(id, s.Domain)
		if !ok {
			h.options.Log.Warn().Str("entity_id", id).Msg("Referenced entities are missing or not currently available")
			continue
		}
		value, err := convert(e, s.Data)
		if err != nil {
			return nil, err
		}
		calls = append(calls, func() error { return h.set(ctx, e, value, false) })
	}
	return nil, together(calls)
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

// view is what an action needs of an entity, taken under the mutex.
type view struct {
	def      host.Entity
	entityID string
	name     string
	root     string
}

// usable returns the entity if it is of the domain and available.
func (h *Host) usable(id, domain string) (view, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.byEntityID[id]
	if e == nil || e.def.Platform != domain || !e.available(time.Now()) {
		return view{}, false
	}
	return e.view(), true
}

func (e *entity) view() view {
	return view{def: e.def, entityID: e.entityID, name: e.name(), root: e.root.id}
}

// find returns who serves the entity's device now.
func (h *Host) find(root string) func() *installation {
	return func() *installation {
		if r := h.roots[root]; r != nil {
			return r.owner
		}
		return nil
	}
}

// set writes a value, or presses a button, and returns when it is confirmed.
func (h *Host) set(ctx context.Context, e view, value any, force bool) error {
	_, err := h.setting(ctx, e, value, force)
	return err
}

func (h *Host) setting(ctx context.Context, e view, value any, force bool) (host.ResultFrame, error) {
	call := host.Call{Action: host.ActionSet, ID: e.def.ID, Value: value, Force: force}
	if e.def.Platform == "button" {
		call = host.Call{Action: host.ActionPress, ID: e.def.ID}
	}
	return h.call(ctx, h.find(e.root), e.name, call, h.options.Write)
}

// natives turn the data of a native action into the value that travels to the plugin, with Home Assistant's own checks.
var natives = map[string]func(e view, data map[string]any) (any, error){
	"number.set_value":     number,
	"select.select_option": option,
	"switch.turn_on":       func(view, map[string]any) (any, error) { return true, nil },
	"switch.turn_off":      func(view, map[string]any) (any, error) { return false, nil },
	"text.set_value":       text,
	"time.set_value":       timeOfDay,
	"button.press":         func(view, map[string]any) (any, error) { return nil, nil },
}

func invalid(format string, args ...any) error {
	return &Error{Code: host.RefusedInvalidFormat, Message: fmt.Sprintf(format, args...)}
}

// finite reads a number; NaN and infinities, which ParseFloat takes, are none.
func finite(text string) (float64, bool) {
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && host.Value(f) != nil
}

func number(e view, data map[string]any) (any, error) {
	v, ok := data["value"].(float64)
	if s, is := data["value"].(string); is {
		v, ok = finite(s)
	}
	if !ok {
		return nil, invalid("expected float for dictionary value @ data['value']")
	}
	if v < *e.def.Min || v > *e.def.Max {
		return nil, validation("number", "out_of_range", fmt.Sprintf("Value %g for %s is outside valid range %g - %g", v, e.entityID,
			*e.def.Min, *e.def.Max), map[string]string{"value": fmt.Sprint(v), "entity_id": e.entityID, "min_value": fmt.Sprint(*e.def.Min),
			"max_value": fmt.Sprint(*e.def.Max)})
	}
	return v, nil
}

func option(e view, data map[string]any) (any, error) {
	v, ok := data["option"].(string)
	if !ok {
		return nil, invalid("required key not provided @ data['option']")
	}
	if !slices.Contains(e.def.Options, v) {
		return nil, validation("select", "not_valid_option", fmt.Sprintf("Option %s is not valid for entity %s", v, e.entityID),
			map[string]string{"entity_id": e.entityID, "option": v})
	}
	return v, nil
}

func text(_ view, data map[string]any) (any, error) {
	v, ok := data["value"].(string)
	if !ok {
		return nil, invalid("expected str for dictionary value @ data['value']")
	}
	return v, nil
}

var clockWithSeconds = regexp.MustCompile(`^(([01]?[0-9]|2[0-3]):[0-5][0-9])(:[0-5][0-9])?$`)

func timeOfDay(_ view, data map[string]any) (any, error) {
	s, _ := data["time"].(string)
	m := clockWithSeconds.FindStringSubmatch(s)
	if m == nil {
		return nil, invalid("Invalid time specified: %v @ data['time']", data["time"])
	}
	if len(m[1]) == 4 { // 6:00
		return "0" + m[1], nil
	}
	return m[1], nil
}

// target returns the one entity that an action of our own domain names.
func (h *Host) target(s service) (view, error) {
	id, _ := s.Data["entity_id"].(string)
	if id == "" && len(s.Target.EntityID) == 1 {
		id = s.Target.EntityID[0]
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.byEntityID[id]
	if e == nil {
		return view{}, failure(host.NewCallError(host.CodeUnknownEntity, fmt.Sprintf("%q is no entity of SolarHub", id),
			map[string]string{"id": id}), id)
	}
	return e.view(), nil
}

// writeValue is the action that raises whenever the value is not written, also for an unavailable entity.
func (h *Host) writeValue(ctx context.Context, s service) (any, error) {
	e, err := h.target(s)
	if err != nil {
		return nil, err
	}
	value, ok := s.Data["value"]
	if !ok {
		return nil, invalid("required key not provided @ data['value']")
	}
	force, _ := s.Data["force"].(bool)
	value, err = forPlatform(e, value)
	if err != nil {
		return nil, err
	}
	f, err := h.setting(ctx, e, value, force)
	if err != nil {
		return nil, err
	}
	if f.Superseded {
		return nil, failure(host.NewCallError(host.CodeSuperseded, fmt.Sprintf("a newer value was written instead: %v", f.Value),
			map[string]string{"value": fmt.Sprint(f.Value)}), e.name)
	}
	return map[string]any{"value": f.Value}, nil
}

// forPlatform turns what a text field of a form gives into the type of the platform.
func forPlatform(e view, v any) (any, error) {
	expected := ""
	text, isText := v.(string)
	switch e.def.Platform {
	case "number":
		if _, is := v.(float64); is {
			return v, nil
		}
		if f, ok := finite(text); ok {
			return f, nil
		}
		expected = "a number"
	case "switch":
		switch on := strings.ToLower(fmt.Sprint(v)); on {
		case "on", "true", "off", "false":
			return on == "on" || on == "true", nil
		}
		expected = "on or off"
	case "time":
		if t, err := timeOfDay(e, map[string]any{"time": v}); err == nil {
			return t, nil
		}
		expected = "a time like 06:30"
	case "select", "text":
		if isText {
			return v, nil
		}
		return fmt.Sprint(v), nil
	default:
		return v, nil // read only: the plugin says so
	}
	return nil, failure(host.NewCallError(host.CodeWrongType, expected+" is expected",
		map[string]string{"value": fmt.Sprint(v), "expected": expected}), e.name)
}

// readValue reads a register now.
func (h *Host) readValue(ctx context.Context, s service) (any, error) {
	e, err := h.target(s)
	if err != nil {
		return nil, err
	}
	f, err := h.call(ctx, h.find(e.root), e.name, host.Call{Action: host.ActionRead, ID: e.def.ID}, h.options.Write)
	return f.Response, err
}

// refresh has every enabled register of a device read once. device_id is the device id of the plugin here.
func (h *Host) refresh(ctx context.Context, s service) (any, error) {
	device, _ := s.Data["device_id"].(string)
	_, err := h.call(ctx, h.find(rootOf(device)), device, host.Call{Action: host.ActionRefresh, Device: device}, h.options.Refresh)
	return nil, err
}
