package devhost_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

func sorted[T any](m map[string]T) []string {
	all := []string{}
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

func words(text string) []string { return strings.Fields(text) }

func (b *bench) scene() string { return "scene_" + b.tag }

// seeState writes down one state.
func (b *bench) seeState(what, entityID string) {
	b.t.Helper()
	for _, s := range b.states() {
		if s["entity_id"] == entityID {
			b.see(what, object{"state": s["state"], "attributes": s["attributes"]})
			return
		}
	}
	b.see(what, nil)
}

// sceneCases: scenes and automations.
var sceneCases = []contractCase{
	{"scenes: from the current settings, and back to them", func(b *bench) {
		p := b.plug()
		id := "scene." + b.scene()
		settings := []string{b.entity("number", "limit"), b.entity("select", "mode"), b.entity("switch", "on"), b.entity("text", "note"), b.entity("time", "at"), "number.nosuch"}
		b.call(p, "scene.create", object{"scene_id": b.scene(), "snapshot_entities": settings}, nil)
		b.seeState("scene", id)
		p.say(object{b.id("limit"): 900, b.id("mode"): "b", b.id("on"): true, b.id("note"): "yo", b.id("at"): "09:00"})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.seeStates("then")
		b.call(p, "scene.delete", nil, object{"entity_id": id})
		b.call(p, "scene.delete", nil, object{"entity_id": id})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.seeState("deleted", id)
	}},
	{"scenes: refused", func(b *bench) {
		p, limit := b.plug(), b.entity("number", "limit")
		for _, data := range []object{nil, {"scene_id": "Bad Id", "snapshot_entities": []string{limit}}, {"scene_id": "x"}, {"snapshot_entities": []string{limit}},
			{"scene_id": "x", "snapshot_entities": []string{"bad"}}, {"scene_id": "x", "snapshot_entities": []string{limit}, "entities": object{limit: "5"}},
			{"scene_id": "x", "entities": object{"bad": "5"}}, {"scene_id": "x", "entities": object{limit: 5}}, {"scene_id": "x", "snapshot_entities": []string{}},
			{"scene_id": "x", "snapshot_entities": []string{limit}, "more": 1}} {
			b.call(p, "scene.create", data, nil)
		}
		for _, data := range []object{nil, {"entities": 5}, {"entities": object{"bad": "5"}}, {"entities": object{limit: 5}}, {"entities": object{limit: object{}}},
			{"entities": object{limit: nil}}, {"entities": object{limit: "5"}, "more": 1}} {
			b.call(p, "scene.apply", data, nil)
		}
		b.call(p, "scene.turn_on", nil, nil)
	}},
	{"scenes: apply", func(b *bench) {
		p, limit := b.plug(), b.entity("number", "limit")
		for _, entities := range []object{{limit: "78"}, {limit: "78"}, {b.entity("switch", "on"): true}, {b.entity("switch", "on"): "off"},
			{limit: object{"state": "79", "more": 1}}, {limit: "9999"}, {limit: "abc", b.entity("select", "mode"): "zz", b.entity("time", "at"): "01:00:00",
				b.entity("sensor", "power"): "5", "nosuch.x": "1", "number.nosuch": "5", b.entity("switch", "on"): "perhaps"}, {}} {
			b.call(p, "scene.apply", object{"entities": entities}, nil)
		}
		p.replies(refuse("no_answer", object{"device": "Inverter", "register": "holding 5", "reason": "silence"}))
		b.call(p, "scene.apply", object{"entities": object{limit: "80"}}, nil)
		p.replies(nil)
		p.in("solarhub/states", object{"s": object{}, "u": object{b.id("limit"): false}})
		b.call(p, "scene.apply", object{"entities": object{limit: "81"}}, nil)
	}},
	{"scenes: one made again takes the place of the old one", func(b *bench) {
		p, id := b.plug(), "scene."+b.scene()
		b.call(p, "scene.create", object{"scene_id": b.scene(), "entities": object{b.entity("number", "limit"): "5"}}, nil)
		b.call(p, "scene.create", object{"scene_id": b.scene(), "entities": object{b.entity("number", "plain"): "5"}}, nil)
		b.seeState("scene", id)
		b.call(p, "homeassistant.turn_on", nil, object{"entity_id": id})
		b.call(p, "scene.delete", nil, object{"entity_id": id})
	}},
	{"automations: while this is above that, set this", func(b *bench) {
		p := b.plug()
		path := "/api/config/automation/config/" + b.tag
		id := "automation.auto_" + b.tag
		config := object{"alias": "Auto " + b.tag, "mode": "single", "conditions": []object{}, "triggers": []object{{"trigger": "numeric_state", "entity_id": b.entity("sensor", "power"), "above": 50}},
			"actions": []object{{"action": "number.set_value", "target": object{"entity_id": b.entity("number", "plain")}, "data": object{"value": 5}}}}
		request := func(what, method, path string, body any) {
			status, reply := b.request(method, path, body)
			if m, is := reply.(object); is && status == http.StatusBadRequest && method == http.MethodPost {
				delete(m, "message")
			}
			b.see(fmt.Sprintf("%s %s", what, method), []any{status, reply})
		}
		request("unknown", http.MethodGet, path, nil)
		request("make", http.MethodPost, path, config)
		b.until("the automation", func() bool { return b.state(id) == "on" })
		b.seeState("state", id)
		request("read", http.MethodGet, path, nil)
		b.person().look("config", "automation/config", object{"entity_id": id})
		b.person().look("of another", "automation/config", object{"entity_id": "automation.nosuch"})
		sets := func(what string, values ...any) {
			for _, v := range values {
				p.say(object{b.id("power"): v})
			}
			b.person().ask("ping", nil)
			b.until("no run", func() bool { return b.current(id) == 0 })
			n := 0
			for _, e := range p.drain() {
				if e["type"] == "call" {
					n++
				}
			}
			b.see(what, n)
		}
		sets("below", 20, 50)
		sets("above", 51)
		sets("still above", 60, 70)
		sets("below and above", 10, 55)
		sets("unknown and back above", nil, 56)
		b.call(p, "automation.turn_off", nil, object{"entity_id": id})
		b.see("off", b.state(id))
		sets("off", 10, 60)
		b.call(nil, "automation.trigger", nil, object{"entity_id": id})
		b.until("the run", func() bool { return b.current(id) == 0 && b.state(b.entity("number", "plain")) == "5" })
		p.drain()
		b.call(p, "automation.turn_on", nil, object{"entity_id": id})
		b.call(p, "homeassistant.toggle", nil, object{"entity_id": id})
		b.see("toggled", b.state(id))
		request("delete", http.MethodDelete, path, nil)
		b.until("gone", func() bool { return b.state(id) == "none" })
		request("again", http.MethodDelete, path, nil)
		for _, wrong := range []object{{"x": 1}, {"alias": "x", "actions": []object{}}, {"alias": "x", "triggers": []object{{"trigger": "nosuch"}}, "actions": []object{}},
			{"alias": "x", "triggers": []object{{"trigger": "numeric_state", "entity_id": b.entity("sensor", "power")}}, "actions": []object{}}} {
			request("wrong", http.MethodPost, path, wrong)
		}
	}},
}

// current is how often an automation is running.
func (b *bench) current(entityID string) float64 {
	for _, s := range b.states() {
		if s["entity_id"] == entityID {
			return s["attributes"].(object)["current"].(float64)
		}
	}
	return -1
}
