package devhost

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"solarhub/plugin/host"
)

// Automation is the part of Home Assistant's automations that this host carries out: while numbers cross a threshold, call
// actions one after the other. It is made, read and deleted over the same REST address as there,
// /api/config/automation/config/<id>, and runs in mode "single". Conditions, templates, delays and other triggers are
// refused.
type Automation struct {
	ID          string     `json:"id"`
	Alias       string     `json:"alias"`
	Description string     `json:"description,omitempty"`
	Triggers    []Trigger  `json:"triggers"`
	Conditions  []struct{} `json:"conditions"`
	Actions     []Step     `json:"actions"`
	Mode        string     `json:"mode"`
}

// Trigger fires when the state of an entity, a number, comes to lie above one limit and below the other, where it did not
// before. An entity that has no value does not fire, and does when it comes back.
type Trigger struct {
	Trigger  string   `json:"trigger"` // numeric_state
	EntityID idList   `json:"entity_id"`
	Above    *float64 `json:"above,omitempty"`
	Below    *float64 `json:"below,omitempty"`
}

// Step is one action of an automation.
type Step struct {
	Action          string         `json:"action"` // such as number.set_value
	Target          map[string]any `json:"target,omitempty"`
	Data            map[string]any `json:"data,omitempty"`
	ContinueOnError bool           `json:"continue_on_error,omitempty"`
}

// automation is an Automation at work. The mutex of the host guards it.
type automation struct {
	Automation
	entityID  string
	off       bool
	running   int
	triggered string // moment of the last run
	failed    string // why the last run stopped
}

// check says why an automation cannot be taken.
func (a Automation) check() error {
	switch {
	case a.Alias == "":
		return fmt.Errorf("required key not provided at 'alias'")
	case a.Mode != "single":
		return fmt.Errorf("mode is %q; this host knows single", a.Mode)
	case len(a.Conditions) > 0:
		return fmt.Errorf("conditions are not known to this host")
	case len(a.Triggers) == 0 || len(a.Actions) == 0:
		return fmt.Errorf("a trigger and an action are needed at 'triggers' and 'actions'")
	}
	for _, t := range a.Triggers {
		switch {
		case t.Trigger != "numeric_state":
			return fmt.Errorf("trigger is %q; this host knows numeric_state", t.Trigger)
		case len(t.EntityID) == 0 || t.Above == nil && t.Below == nil:
			return fmt.Errorf("a trigger needs entity_id, and above or below")
		}
		for _, id := range t.EntityID {
			if !entityIDForm.MatchString(id) {
				return fmt.Errorf("entity ID %s is an invalid entity ID at 'entity_id'", id)
			}
		}
	}
	for _, s := range a.Actions {
		known, ok := actions[s.Action]
		if !ok {
			return fmt.Errorf("action is %q; there is none of that name", s.Action)
		}
		data := maps.Clone(s.Data)
		if data == nil {
			data = map[string]any{}
		}
		maps.Copy(data, s.Target)
		if err := known.takes(data); err != nil {
			return fmt.Errorf("%s: %s", s.Action, asError(err).Message)
		}
	}
	return nil
}

// parseAutomation reads what was sent to the REST address, strictly.
func parseAutomation(id string, text []byte) (Automation, error) {
	a := Automation{Mode: "single"}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		return a, err
	}
	a.ID = id
	return a, a.check()
}

func (t Trigger) fits(s State) bool {
	v, err := strconv.ParseFloat(s.State, 64)
	return err == nil && (t.Above == nil || v > *t.Above) && (t.Below == nil || v < *t.Below)
}

// trigger starts the automations that wait for a change. The mutex is held.
func (h *Host) trigger(before, after State) {
	for _, a := range h.automations {
		if a.off || a.running > 0 {
			continue
		}
		for _, t := range a.Triggers {
			if slices.Contains(t.EntityID, after.EntityID) && t.fits(after) && !t.fits(before) {
				h.start(a, after.Context)
				break
			}
		}
	}
}

// start runs an automation in a goroutine of its own. The mutex is held.
func (h *Host) start(a *automation, cause Context) {
	if h.closed {
		return
	}
	by := Context{ID: newID(), ParentID: &cause.ID}
	a.running++
	a.triggered = moment(time.Now())
	h.fire(eventAutomationFired, map[string]any{"name": a.Alias, "entity_id": a.entityID}, by)
	h.showAutomation(a, by)
	steps := a.Actions
	h.serving.Go(func() {
		err := h.steps(h.life, steps, by)
		h.mu.Lock()
		defer h.mu.Unlock()
		a.running--
		if a.failed = ""; err != nil {
			a.failed = asError(err).Message
			h.options.Log.Error().Err(err).Str("automation", a.Alias).Msg("An automation stopped")
		}
		if slices.Contains(h.automations, a) {
			h.showAutomation(a, by)
		}
		h.notify()
	})
}

// steps carries out the actions of an automation. The first failure ends it, unless it is to go on.
func (h *Host) steps(ctx context.Context, all []Step, by Context) error {
	for _, s := range all {
		domain, service, _ := strings.Cut(s.Action, ".")
		_, err := h.act(ctx, serviceCall{Domain: domain, Service: service, Target: s.Target, Data: s.Data, by: by,
			ReturnResponse: actions[s.Action].response == responseOnly})
		if err != nil && !s.ContinueOnError {
			return err
		}
	}
	return nil
}

func (h *Host) showAutomation(a *automation, by Context) {
	state := "on"
	if a.off {
		state = "off"
	}
	attributes := map[string]any{"id": a.ID, "last_triggered": orNull(a.triggered), "mode": "single", "current": a.running,
		"friendly_name": a.Alias}
	if a.failed != "" { // the real one tells it in its traces
		attributes["last_error"] = a.failed
	}
	h.put(a.entityID, state, attributes, by)
}

// setAutomation makes an automation, or replaces the one with its id. The mutex is held.
func (h *Host) setAutomation(config Automation) {
	i := slices.IndexFunc(h.automations, func(a *automation) bool { return a.ID == config.ID })
	if i < 0 {
		h.automations = append(h.automations, &automation{entityID: h.freeID("automation." + slug(config.Alias))})
		i = len(h.automations) - 1
	}
	a := h.automations[i]
	a.Automation = config
	h.showAutomation(a, Context{ID: newID()})
}

// deleteAutomation reports whether there was one. The mutex is held.
func (h *Host) deleteAutomation(id string) bool {
	i := slices.IndexFunc(h.automations, func(a *automation) bool { return a.ID == id })
	if i < 0 {
		return false
	}
	gone := h.automations[i]
	h.automations = slices.Delete(h.automations, i, i+1)
	h.drop(gone.entityID)
	return true
}

func (h *Host) automationConfigs() []Automation {
	all := make([]Automation, len(h.automations))
	for i, a := range h.automations {
		all[i] = a.Automation
	}
	return all
}

func (h *Host) automationConfig(_ context.Context, c command) (any, error) {
	var f entityField
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.automations {
		if a.entityID == f.EntityID {
			return map[string]any{"config": a.Automation}, nil
		}
	}
	return nil, &Error{Code: host.RefusedNotFound, Message: "Entity not found"}
}

var automationActions = map[string]action{
	"automation.trigger":  {fields: map[string]field{"skip_condition": may(boolean)}, aim: aimNeeded, run: overAutomations(triggerNow)},
	"automation.turn_on":  {aim: aimNeeded, run: overAutomations(func(_ *Host, a *automation, _ Context) { a.off = false })},
	"automation.turn_off": {fields: map[string]field{"stop_actions": may(boolean)}, aim: aimNeeded, run: overAutomations(func(_ *Host, a *automation, _ Context) { a.off = true })},
	"automation.toggle":   {aim: aimNeeded, run: overAutomations(func(_ *Host, a *automation, _ Context) { a.off = !a.off })},
}

func triggerNow(h *Host, a *automation, by Context) {
	if a.running == 0 {
		h.start(a, by)
	}
}

// overAutomations does something with each automation that is aimed at.
func overAutomations(do func(h *Host, a *automation, by Context)) func(h *Host, ctx context.Context, c serviceCall) (any, error) {
	return func(h *Host, _ context.Context, c serviceCall) (any, error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		chosen := h.selected(c.Data, "automation")
		for _, a := range h.automations {
			if slices.Contains(chosen, a.entityID) {
				do(h, a, c.by)
				h.showAutomation(a, c.by)
			}
		}
		h.notify()
		return nil, nil
	}
}
