package devhost

import (
	"context"
	"fmt"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"solarhub/plugin/host"
)

// domain is that of the companion.
const domain = "solarhub"

// serviceCall is a call_service of a client.
type serviceCall struct {
	Domain         string         `json:"domain"`
	Service        string         `json:"service"`
	Data           map[string]any `json:"service_data"`
	Target         map[string]any `json:"target"`
	ReturnResponse bool           `json:"return_response"`
}

// entityIDs are those that the call names: one, or a list.
func (c serviceCall) entityIDs() (ids []string) {
	list, is := c.Data["entity_id"].([]any)
	if !is {
		list = []any{c.Data["entity_id"]}
	}
	for _, one := range list {
		if id, is := one.(string); is {
			ids = append(ids, id)
		}
	}
	return ids
}

// actions are all that call_service can do.
var actions = map[string]func(h *Host, ctx context.Context, c serviceCall) (any, error){
	"number.set_value":      setting("value"),
	"select.select_option":  setting("option"),
	"switch.turn_on":        setting(""),
	"switch.turn_off":       setting(""),
	"text.set_value":        setting("value"),
	"time.set_value":        setting("time"),
	"button.press":          setting(""),
	"scene.apply":           (*Host).applyStates,
	"scene.create":          (*Host).createScene,
	"scene.turn_on":         (*Host).applyScenes,
	"scene.delete":          (*Host).deleteScenes,
	domain + ".write_value": (*Host).writeValue,
	domain + ".write_group": (*Host).writeGroup,
	domain + ".read_value":  (*Host).readValue,
	domain + ".refresh":     (*Host).refreshDevice,
}

// callService runs an action in its own goroutine and answers when it has ended. An action goes on though its caller
// has left.
func (h *Host) callService(c command) (any, error) {
	var s serviceCall
	if err := c.fields(&s); err != nil {
		return nil, err
	}
	c.conn.running.Go(func() {
		response, err := h.act(h.life, s)
		result := map[string]any{}
		if s.ReturnResponse {
			result["response"] = response
		}
		c.conn.answer(c.id, result, err)
	})
	return later{}, nil
}

// act carries out an action.
func (h *Host) act(ctx context.Context, c serviceCall) (any, error) {
	run, known := actions[c.Domain+"."+c.Service]
	if !known || c.Domain == domain && h.options.WithoutCompanion {
		return nil, &Error{Code: host.RefusedNotFound,
			Message: fmt.Sprintf("Action %s.%s not found.", c.Domain, c.Service)}
	}
	data := map[string]any{}
	maps.Copy(data, c.Data)
	maps.Copy(data, c.Target)
	c.Data = data
	return run(h, ctx, c)
}

// setting returns the action of one of Home Assistant's own platforms, whose value has a name in the data. It sets each
// entity that is named, all at once. Those that are unavailable are left out without a word to the caller, as in the
// real one.
func setting(field string) func(h *Host, ctx context.Context, c serviceCall) (any, error) {
	return func(h *Host, ctx context.Context, c serviceCall) (any, error) {
		value := c.Data[field]
		if field == "" {
			value = c.Service == "turn_on"
		}
		var calls []func() error
		for _, id := range c.entityIDs() {
			t, known := h.target(id)
			if !known || t.def.Platform != c.Domain || !t.available {
				h.options.Log.Warn().Str("entity_id", id).Msg("An entity is not available, so an action leaves it out")
				continue
			}
			calls = append(calls, func() error {
				value, err := h.fit(t, value)
				if err == nil {
					err = h.operate(ctx, t, value)
				}
				return err
			})
		}
		return nil, h.together(calls)
	}
}

// together runs calls at once and returns when all have ended, with the first error. Close waits for them.
func (h *Host) together(calls []func() error) (failed error) {
	errs := make(chan error, len(calls))
	for _, call := range calls {
		h.serving.Go(func() { errs <- call() })
	}
	for range calls {
		if err := <-errs; err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

// set writes a value and returns when it is confirmed.
func (h *Host) set(ctx context.Context, t target, value any, force bool) (host.ResultFrame, error) {
	value = slugOf(t.def, value)
	return h.carryOut(ctx, t, value, callFrame{Action: host.ActionSet, ID: t.def.ID, Value: &value, Force: &force})
}

// operate does what the platform's own action does: it writes a value, or presses the button, whose press counts before
// anything comes of it.
func (h *Host) operate(ctx context.Context, t target, value any) error {
	if t.def.Platform != "button" {
		_, err := h.set(ctx, t, value, false)
		return err
	}
	h.mu.Lock()
	if e := h.entities[t.def.ID]; e != nil && e.shown != nil {
		e.pressed = moment(time.Now())
		h.write(e)
	}
	h.mu.Unlock()
	_, err := h.carryOut(ctx, t, nil, callFrame{Action: host.ActionPress, ID: t.def.ID})
	return err
}

// carryOut has the plugin do something with an entity. The event devhost_write tells those who listen how it ended,
// whoever asked for it: a scene's writes have one reply between them.
func (h *Host) carryOut(ctx context.Context, t target, value any, call callFrame) (host.ResultFrame, error) {
	began := time.Now()
	result, err := h.call(ctx, t, call, h.options.Write)
	told := map[string]any{"entity_id": t.entityID, "name": t.name, "value": value, "ok": err == nil,
		"took_ms": time.Since(began).Milliseconds()}
	if err != nil {
		told["error"] = asError(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fire("devhost_write", told)
	return result, err
}

// target is what an action needs of an entity, taken under the mutex.
type target struct {
	def       host.Entity
	entityID  string
	name      string
	root      string
	available bool
}

func (h *Host) target(id string) (target, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.lookup(id)
	if e == nil {
		return target{}, false
	}
	t := target{def: e.def, entityID: e.entityID, name: e.name(), root: e.root.id, available: e.available()}
	if e.disabled { // only its own name is known
		t.name = e.def.Name
	}
	return t, true
}

// The companion's own actions raise whenever nothing is carried out, also for an entity that is unavailable or
// disabled.

func (h *Host) unknown(id any) error {
	return h.failure(host.NewCallError(host.CodeUnknownEntity, host.CodeUnknownEntity,
		map[string]string{"id": fmt.Sprint(id)}), fmt.Sprint(id), "")
}

func (h *Host) writeValue(ctx context.Context, c serviceCall) (any, error) {
	t, err := h.named(c)
	if err != nil {
		return nil, err
	}
	value, err := h.fit(t, c.Data["value"])
	if err != nil {
		return nil, err
	}
	f, err := h.set(ctx, t, value, c.Data["force"] == true)
	if err != nil {
		return nil, err
	}
	if f.Superseded {
		return nil, h.failure(host.NewCallError(host.CodeSuperseded, host.CodeSuperseded,
			map[string]string{"value": fmt.Sprint(f.Value)}), t.name, "")
	}
	return map[string]any{"value": shown(t.def, f.Value)}, nil
}

func (h *Host) readValue(ctx context.Context, c serviceCall) (any, error) {
	t, err := h.named(c)
	if err != nil {
		return nil, err
	}
	f, err := h.call(ctx, t, callFrame{Action: host.ActionRead, ID: t.def.ID}, h.options.Write)
	if response, is := f.Response.(map[string]any); is {
		response["value"] = shown(t.def, response["value"])
	}
	return f.Response, err
}

// refreshDevice has every enabled register of a device read once. A part stands for its device.
func (h *Host) refreshDevice(ctx context.Context, c serviceCall) (any, error) {
	t, err := h.device(c)
	if err != nil {
		return nil, err
	}
	_, err = h.call(ctx, t, callFrame{Action: host.ActionRefresh, Device: t.root}, refreshTimeout)
	return nil, err
}

// device finds the device that an action names. A part stands for its device.
func (h *Host) device(c serviceCall) (t target, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.roots {
		for _, d := range r.devices {
			if deviceID(d.ID) == c.Data["device_id"] {
				t = target{root: r.id, name: d.Name}
			}
		}
	}
	if t.root == "" {
		err = h.unknown(c.Data["device_id"])
	}
	return t, err
}

// named finds the entity that an action names, or what stands for a value of a device that is no entity.
func (h *Host) named(c serviceCall) (target, error) {
	if id, is := c.Data["entity_id"]; is {
		t, known := h.target(fmt.Sprint(id))
		if !known {
			return t, h.unknown(id)
		}
		return t, nil
	}
	d, err := h.device(c)
	if err != nil {
		return d, err
	}
	return h.point(d, fmt.Sprint(c.Data["key"])), nil
}

// point returns what a device has under a key. If that is no entity, only the plugin knows what it is.
func (h *Host) point(d target, key string) target {
	id := d.root + "_" + key
	h.mu.Lock()
	e := h.entities[id]
	h.mu.Unlock()
	if e != nil {
		t, _ := h.target(e.entityID)
		return t
	}
	d.def, d.name = host.Entity{ID: id, Device: d.root}, d.name+" "+key
	return d
}

// writeGroup writes settings of a device that leave together.
func (h *Host) writeGroup(ctx context.Context, c serviceCall) (any, error) {
	d, err := h.device(c)
	if err != nil {
		return nil, err
	}
	given, _ := c.Data["values"].(map[string]any)
	force := c.Data["force"] == true
	values := host.Members{}
	for key, v := range given {
		member := h.point(d, key)
		member.name = d.name + " " + key
		if values[key], err = h.fit(member, v); err != nil {
			return nil, err
		}
	}
	f, err := h.call(ctx, d, callFrame{Action: host.ActionGroup, Device: d.root, Group: fmt.Sprint(c.Data["group"]),
		Values: values, Force: &force}, h.options.Write)
	response, _ := f.Response.(map[string]any)
	return map[string]any{"members": response["members"]}, err
}

var clock = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$`)

// fit turns what a form, a scene or YAML gives into a value of the platform's type. Whether an entity takes that value
// is for the plugin to say.
func (h *Host) fit(t target, v any) (any, error) {
	text := fmt.Sprint(v)
	switch t.def.Platform {
	case "number":
		if f, is := v.(float64); is {
			return f, nil
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return f, nil
		}
	case "switch":
		if s := strings.ToLower(text); s == "on" || s == "true" || s == "off" || s == "false" {
			return s == "on" || s == "true", nil
		}
	case "time":
		if clock.MatchString(text) {
			return strings.TrimSuffix(fmt.Sprintf("%05s", text), ":00"), nil
		}
	case "select", "text":
		return text, nil
	default:
		return v, nil // read only: the plugin says so
	}
	return nil, h.failure(host.NewCallError(host.CodeWrongType, host.CodeWrongType, map[string]string{"value": text}),
		t.name, t.def.Platform)
}
