package devhost

import (
	"net/http"
	"strings"
	"testing"

	"solarhub/plugin/host"
)

// automate makes an automation that wants two settings once the limit is above 50.
func automate(t *testing.T, h *Host, more string) {
	t.Helper()
	config := `{"alias": "Too high", "triggers": [{"trigger": "numeric_state", "entity_id": ["number.inverter_limit"], "above": 50, "below": 100}],
		"actions": [{"action": "switch.turn_on", "target": {"entity_id": "switch.inverter_on"}` + more + `},
			{"action": "text.set_value", "target": {"entity_id": "text.inverter_note"}, "data": {"value": "high"}}]}`
	a, err := parseAutomation("a1", []byte(config))
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setAutomation(a)
	h.keep()
}

func (h *Host) waitIdle(t *testing.T) State {
	t.Helper()
	var s State
	if err := h.Wait(t.Context(), func() bool { s, _ = h.State("automation.too_high"); return s.Attributes["current"] == 0 }); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAnAutomationStopsAtTheFirstFailure(t *testing.T) {
	for more, want := range map[string]string{"": "text was not set", `, "continue_on_error": true`: "text was set"} {
		h, open := listen(t, Options{})
		plugin := open("token")
		session := plugin.plug()
		automate(t, h, more)
		plugin.ok(host.CommandStates, with(session, object{"s": object{"SN1_limit": 60}}))
		call := plugin.call()
		if call["id"] != "SN1_on" || call["value"] != true {
			t.Fatalf("the automation calls %v", call)
		}
		plugin.send(host.CommandResult, with(session, object{"call_id": call["call_id"], "ok": false, "error": object{"code": "failed", "placeholders": object{"reason": "no"}}}))
		got := "text was not set"
		if more != "" {
			if next := plugin.answer(session, nil); next["id"] == "SN1_note" {
				got = "text was set"
			}
		}
		s := h.waitIdle(t)
		if failed := s.Attributes["last_error"] == "no"; got != want || failed != (more == "") {
			t.Errorf("%s, with %v", got, s.Attributes)
		}
	}
}

func TestAutomationsAreKept(t *testing.T) {
	memory := &Volatile{}
	h, _ := listen(t, Options{Memory: memory})
	automate(t, h, "")
	h, _ = listen(t, Options{Memory: memory})
	if s, ok := h.State("automation.too_high"); !ok || s.State != "on" {
		t.Errorf("after a restart: %+v", s)
	}
}

func TestAutomationsThatAreRefused(t *testing.T) {
	h, err := New(Options{Token: "t"})
	if err != nil {
		t.Fatal(err)
	}
	good := `"triggers": [{"trigger": "numeric_state", "entity_id": "sensor.x", "above": 1}], "actions": [{"action": "switch.turn_on", "target": {"entity_id": "switch.x"}}]`
	for body, want := range map[string]string{
		`{"alias": "A", ` + good + `}`:                                     "",
		`{` + good + `}`:                                                   "alias",
		`{"alias": "A", "mode": "restart", ` + good + `}`:                  "mode",
		`{"alias": "A", "conditions": [{}], ` + good + `}`:                 "conditions",
		`{"alias": "A", "triggers": [], "actions": []}`:                    "triggers",
		`{"alias": "A", "x": 1, ` + good + `}`:                             "x",
		`nonsense`:                                                         "malformed",
		strings.Replace(`{"alias": "A", `+good+`}`, "numeric_", "", 1):     "state",
		strings.Replace(`{"alias": "A", `+good+`}`, `"above": 1`, ``, 1):   "malformed",
		strings.Replace(`{"alias": "A", `+good+`}`, `turn_on`, `fly`, 1):   "switch.fly",
		strings.Replace(`{"alias": "A", `+good+`}`, `switch.x`, `x`, 1):    "entity_id",
		strings.Replace(`{"alias": "A", `+good+`}`, `sensor.x`, ``, 1):     "entity_id",
		strings.Replace(`{"alias": "A", `+good+`}`, `, "above": 1`, ``, 1): "above",
	} {
		r := send(h.Handler(), http.MethodPost, "localhost", "/api/config/automation/config/a", body, "", "Authorization", "Bearer t")
		if ok := want == ""; ok != (r.Code == 200) || !strings.Contains(strings.ToLower(r.Body.String()), want) {
			t.Errorf("%s: %d %s, want %q", body, r.Code, r.Body, want)
		}
	}
}
