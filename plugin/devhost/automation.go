package devhost

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
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

// check says why h cannot carry the automation out.
func (a Automation) check(h *Host) error {
	t, known := h.target(a.Set)
	switch {
	case !known || a.Watch == "":
		return errors.New("the entity ids of what is watched and what is set are needed")
	case (a.Above == nil) == (a.Below == nil):
		return errors.New("one limit is needed: above or below")
	}
	if _, err := h.fit(t, a.To); err != nil || !slices.Contains(settable, t.def.Platform) {
		return fmt.Errorf("%s cannot be set to %q", a.Set, a.To)
	}
	return nil
}

// settable are the platforms that have a value to set.
var settable = []string{"number", "select", "switch", "text", "time"}

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
	a.running, a.triggered = true, moment(time.Now())
	h.showAutomation()
	h.serving.Go(func() {
		t, known := h.target(a.Set)
		err := errors.New(a.Set + " is not there")
		if known {
			err = h.bring(h.life, t, a.To)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		a.running = false
		if a.failed = ""; err != nil {
			a.failed = asError(err).Message
		}
		if h.automation == a {
			h.showAutomation()
		}
		h.notify()
	})
}

// showAutomation shows the automation as an entity. The mutex is held.
func (h *Host) showAutomation() {
	a := h.automation
	attributes := map[string]any{"friendly_name": "Automation", "watch": a.Watch, "set": a.Set, "to": a.To,
		"last_triggered": orNull(a.triggered), "last_error": orNull(a.failed), "running": a.running}
	if a.Above != nil {
		attributes["above"] = *a.Above
	}
	if a.Below != nil {
		attributes["below"] = *a.Below
	}
	h.put(automationID, "on", attributes)
}

// setAutomation takes an automation in place of the one that there is; nil is none. The mutex is held.
func (h *Host) setAutomation(a *Automation) {
	h.automation = nil
	if a == nil {
		h.drop(automationID)
		return
	}
	h.automation = &automation{Automation: *a}
	h.showAutomation()
}

func (h *Host) automationCommand(c command) (any, error) {
	var f struct {
		Automation *Automation `json:"automation"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if f.Automation != nil {
		if err := f.Automation.check(h); err != nil {
			return nil, invalid("%s", err)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setAutomation(f.Automation)
	h.notify()
	return nil, nil
}
