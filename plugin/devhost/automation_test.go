package devhost

import (
	"testing"

	"solarhub/plugin/host"
)

// rule sets the switch once the limit is above 50.
var rule = object{"watch": "number.inverter_limit", "above": 50, "set": "switch.inverter_on", "to": "on"}

func (h *Host) waitIdle(t *testing.T) State {
	t.Helper()
	var s State
	if err := h.Wait(t.Context(),
		func() bool { s, _ = h.State(automationID); return s.Attributes["current"] == 0 }); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheAutomationActsWhenALimitIsCrossed(t *testing.T) {
	h, open := listen(t, Options{})
	plugin := open("token")
	session := plugin.plug()
	open("token").ok("devhost/automation", object{"automation": rule})
	say := func(v any) { plugin.ok(host.CommandStates, with(session, object{"s": object{"SN1_limit": v}})) }
	say(60)
	call := plugin.call()
	if call["id"] != "SN1_on" || call["value"] != true {
		t.Fatalf("the automation calls %v", call)
	}
	plugin.send(host.CommandResult, with(session, object{"call_id": call["call_id"], "ok": false,
		"error": object{"code": "failed", "placeholders": object{"reason": "no"}}}))
	if s := h.waitIdle(t); s.Attributes["last_error"] != "no" || s.Attributes["last_triggered"] == nil {
		t.Errorf("after a failure the automation shows %v", s.Attributes)
	}
	say(70) // still above: nothing
	say(40)
	say(51)
	plugin.answer(session, nil)
	if s := h.waitIdle(t); s.Attributes["last_error"] != nil {
		t.Errorf("after a success the automation shows %v", s.Attributes)
	}
}

func TestTheAutomationIsKeptAndTakenAway(t *testing.T) {
	memory := &Volatile{}
	h, open := listen(t, Options{Memory: memory})
	open("token").ok("devhost/automation", object{"automation": rule})
	h.Close()
	h, open = listen(t, Options{Memory: memory})
	if s, ok := h.State(automationID); !ok || s.Attributes["watch"] != "number.inverter_limit" {
		t.Errorf("after a restart: %+v", s)
	}
	open("token").ok("devhost/automation", object{"automation": nil})
	if _, ok := h.State(automationID); ok {
		t.Error("the automation is still there")
	}
}

func TestAutomationsThatAreRefused(t *testing.T) {
	_, open := listen(t, Options{PlainToken: "plain"})
	c := open("token")
	for name, change := range map[string]object{"nothing watched": {"watch": ""}, "no limit": {"above": nil},
		"two limits":   {"below": 5},
		"a sensor set": {"set": "sensor.x"}, "no state of a switch": {"to": "perhaps"}, "no number": {"set": "number.x",
			"to": "much"},
		"no time": {"set": "time.x", "to": "25:00"}} {
		a := merge(merge(object{}, rule), change)
		if _, err := c.do("devhost/automation", object{"automation": a}); err == nil ||
			err.Code != host.RefusedInvalidFormat {
			t.Errorf("%s: %v", name, err)
		}
	}
	open("plain").refused(host.RefusedUnauthorized, "devhost/automation", object{"automation": nil})
}
