package devhost

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Automation is the one automation that this host carries out, for the demo: when a number crosses a limit, set
// something. It is made with the command devhost/automation, which Home Assistant does not have, and shown as the state
// of automationID.
type Automation struct {
	Watch string   `json:"watch"`           // entity_id whose state is compared
	Above *float64 `json:"above,omitempty"` // it acts when the state comes to lie above this
	Below *float64 `json:"below,omitempty"` // and below this; one of the two is given
	Set   string   `json:"set"`             // entity_id that is set
	To    string   `json:"to"`              // the state that it is brought to
}

// automationID is the entity_id of the automation.
const automationID = "automation.rule"

// automation is an Automation at work. The mutex of the host guards it.
type automation struct {
	Automation
	running   bool
	triggered string // moment of the last run
	failed    string // why the last run failed
}

func (a Automation) check() error {
	platform, _, _ := strings.Cut(a.Set, ".")
	_, err := setting(platform, a.Set, a.To)
	switch {
	case !entityIDForm.MatchString(a.Watch) || !entityIDForm.MatchString(a.Set):
		return errors.New("the entity ids of what is watched and what is set are needed")
	case (a.Above == nil) == (a.Below == nil):
		return errors.New("one limit is needed: above or below")
	}
	return err
}

// setting returns the action that sets an entity to what a person has typed.
func setting(platform, id, to string) (serviceCall, error) {
	c := serviceCall{Domain: platform, Service: "set_value", Data: map[string]any{"entity_id": id}}
	switch platform {
	case "number", "text":
		c.Data["value"] = to
	case "time":
		c.Data["time"] = to
	case "select":
		c.Service, c.Data["option"] = "select_option", to
	case "switch":
		c.Service = "turn_" + strings.ToLower(to)
	}
	if err := fit(actions[platform+"."+c.Service].fields, c.Data, false); err != nil {
		return c, fmt.Errorf("%s cannot be set to %q", id, to)
	}
	return c, nil
}

func (a Automation) fits(s State) bool {
	v, err := strconv.ParseFloat(s.State, 64)
	return err == nil && (a.Above == nil || v > *a.Above) && (a.Below == nil || v < *a.Below)
}

// trigger starts the automation if it waits for this change. The mutex is held.
func (h *Host) trigger(before, after State) {
	a := h.automation
	if a == nil || a.running || h.closed || a.Watch != after.EntityID || !a.fits(after) || a.fits(before) {
		return
	}
	by := Context{ID: newID(), ParentID: &after.Context.ID}
	a.running, a.triggered = true, moment(time.Now())
	h.showAutomation(by)
	platform, _, _ := strings.Cut(a.Set, ".")
	call, _ := setting(platform, a.Set, a.To) // check has tried it
	call.by = by
	h.serving.Go(func() {
		_, err := h.act(h.life, call)
		h.mu.Lock()
		defer h.mu.Unlock()
		a.running = false
		if a.failed = ""; err != nil {
			a.failed = asError(err).Message
		}
		if h.automation == a {
			h.showAutomation(by)
		}
		h.notify()
	})
}

// showAutomation shows the automation as an entity. The mutex is held.
func (h *Host) showAutomation(by Context) {
	a := h.automation
	attributes := map[string]any{"friendly_name": "Automation", "watch": a.Watch, "set": a.Set, "to": a.To,
		"last_triggered": orNull(a.triggered), "last_error": orNull(a.failed), "current": 0}
	if a.running {
		attributes["current"] = 1
	}
	if a.Above != nil {
		attributes["above"] = *a.Above
	}
	if a.Below != nil {
		attributes["below"] = *a.Below
	}
	h.put(automationID, "on", attributes, by)
}

// setAutomation takes an automation in place of the one that there is; nil is none. The mutex is held.
func (h *Host) setAutomation(a *Automation) {
	h.automation = nil
	if a == nil {
		h.drop(automationID)
		return
	}
	h.automation = &automation{Automation: *a}
	h.showAutomation(Context{ID: newID()})
}

func (h *Host) automationCommand(_ context.Context, c command) (any, error) {
	var f struct {
		Automation *Automation `json:"automation"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if f.Automation != nil {
		if err := f.Automation.check(); err != nil {
			return nil, invalid("%s", err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setAutomation(f.Automation)
	h.notify()
	return nil, nil
}
