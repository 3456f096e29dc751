package devhost_test

import (
	"maps"
	"testing"
	"testing/synctest"

	"solarhub/plugin/devhost"
)

// rule sets the switch once the limit is above 50.
func (b *bench) rule() object {
	return object{"watch": b.entity("number", "limit"), "above": 50, "set": b.entity("switch", "on"), "to": "on"}
}

func TestTheAutomationActsWhenALimitIsCrossed(t *testing.T) {
	inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
		p := b.plug()
		p.say(object{b.id("limit"): 40})
		b.person().ask("devhost/automation", object{"automation": b.rule()})
		for _, step := range []struct {
			answer func(call object) object
			values []any
			calls  int
			failed any
		}{
			{refuse("failed", object{"reason": "no"}), []any{60}, 1, "no"},
			{confirm, []any{70}, 0, "no"}, // still above
			{confirm, []any{40, 51}, 1, nil},
		} {
			p.replies(step.answer)
			for _, v := range step.values {
				p.say(object{b.id("limit"): v})
				synctest.Wait()
			}
			calls := 0
			for _, e := range p.drain() {
				if e["type"] == "call" && e["id"] == b.id("on") && e["value"] == true {
					calls++
				}
			}
			s, _ := h.State("automation.rule")
			if calls != step.calls || s.Attributes["last_error"] != step.failed ||
				s.Attributes["last_triggered"] == nil {
				t.Errorf("%v: %d calls, then it shows %v", step.values, calls, s.Attributes)
			}
		}
		b.person().ask("devhost/automation", object{"automation": nil})
		if _, there := h.State("automation.rule"); there {
			t.Error("the automation is still there")
		}
	})
}

func TestAutomationsThatAreRefused(t *testing.T) {
	inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
		b.plug()
		for name, change := range map[string]object{"nothing watched": {"watch": ""}, "no limit": {"above": nil},
			"two limits": {"below": 5}, "a sensor set": {"set": b.entity("sensor", "power")},
			"nothing set": {"set": "number.nosuch"}, "no state of a switch": {"to": "perhaps"},
			"no number": {"set": b.entity("number", "plain"), "to": "much"},
			"no time":   {"set": b.entity("time", "at"), "to": "25:00"}} {
			a := b.rule()
			maps.Copy(a, change)
			_, refused := b.person().ask("devhost/automation", object{"automation": a})
			if refused["code"] != "invalid_format" {
				t.Errorf("%s: %v", name, refused)
			}
		}
	})
}
