package devhost_test

import (
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

// sceneCases: scenes that are made of the current settings.
var sceneCases = []contractCase{
	{"scenes: from the current settings, and back to them", func(b *bench) {
		p := b.plug()
		id := "scene." + b.scene()
		settings := []string{b.entity("number", "limit"), b.entity("select", "mode"), b.entity("switch", "on"),
			b.entity("text", "note"),
			b.entity("time", "at"), "number.nosuch"}
		b.call(p, "scene.create", object{"scene_id": b.scene(), "snapshot_entities": settings}, nil)
		b.seeState("scene", id)
		p.say(object{b.id("limit"): 900, b.id("mode"): "b", b.id("on"): true, b.id("note"): "yo", b.id("at"): "09:00"})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.seeStates("then")
		b.call(p, "scene.delete", nil, object{"entity_id": id})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.seeState("deleted", id)
	}},
	{"scenes: one fails, the others are carried out", func(b *bench) {
		p, id := b.plug(), "scene."+b.scene()
		limit, plain := b.entity("number", "limit"), b.entity("number", "plain")
		b.call(p, "scene.create", object{"scene_id": b.scene(), "snapshot_entities": []string{limit, plain}}, nil)
		p.say(object{b.id("limit"): 900, b.id("plain"): 5})
		fail := refuse("no_answer", object{"device": "Inverter", "register": "holding 5", "reason": "silence"})
		p.replies(func(call object) object {
			if call["id"] == b.id("limit") {
				return fail(call)
			}
			return confirm(call)
		})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.until("the other", func() bool { return b.state(plain) == "2.5" })
		p.drain()
		p.in("solarhub/states", object{"s": object{}, "u": object{b.id("limit"): false}})
		b.call(p, "scene.turn_on", nil, object{"entity_id": id})
		b.call(p, "scene.delete", nil, object{"entity_id": id})
	}},
}
