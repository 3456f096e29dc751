package devhost_test

import "strings"

// actionCases: what travels to the plugin, and what is refused before.
var actionCases = []contractCase{
	{"the actions of the platforms", func(b *bench) {
		p := b.plug()
		for _, a := range []struct {
			action, key string
			data        object
		}{
			{"number.set_value", "limit", object{"value": 5}}, {"number.set_value", "limit", object{"value": "6.5"}},
			{"select.select_option", "mode", object{"option": "b"}}, {"switch.turn_on", "on", nil},
			{"switch.turn_off", "on", nil}, {"time.set_value", "at", object{"time": "6:30"}},
			{"time.set_value", "at", object{"time": "07:30:15"}}, {"text.set_value", "note", object{"value": "yo"}},
		} {
			platform, _, _ := strings.Cut(a.action, ".")
			b.call(p, a.action, a.data, object{"entity_id": b.entity(platform, a.key)})
		}
	}},
	{"options without a word are their labels", func(b *bench) {
		p := b.hello(1000)
		p.in("solarhub/register", b.registration([]object{b.defined("made_up", "select",
			object{"options": []string{"a_first", "b_first"}, "labels": []string{"A first", "B first"}})}))
		p.replies(confirm)
		p.in("solarhub/states", object{"s": object{b.id("made_up"): "b_first"}, "ready": true})
		id := b.entity("select", "made_up")
		b.see("state", b.state(id))
		b.call(p, "select.select_option", object{"option": "A first"}, object{"entity_id": id})
		for _, v := range []string{"B first", "a_first"} {
			b.call(p, "solarhub.write_value", object{"entity_id": id, "value": v}, nil, object{"return_response": true})
		}
		b.see("state", b.state(id))
	}},
	{"button.press", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("button", "go")}
		b.call(p, "button.press", nil, id)
		b.see("state", b.state(b.entity("button", "go")))
		p.replies(refuse("no_answer", object{"device": "D", "register": "r", "reason": "x"}))
		b.call(p, "button.press", nil, id)
	}},
	{"targets", func(b *bench) {
		p, limit, plain := b.plug(), b.entity("number", "limit"), b.entity("number", "plain")
		for _, target := range []object{{"entity_id": limit}, {"entity_id": []string{limit, plain}},
			{"entity_id": "number.nosuch"}, {"entity_id": b.entity("switch", "on")}} {
			b.call(p, "number.set_value", object{"value": 3}, target)
		}
		b.call(p, "number.set_value", object{"value": 4, "entity_id": plain}, nil)
	}},
	{"an entity that is unavailable is left out without a word", func(b *bench) {
		p := b.plug()
		p.in("solarhub/states", object{"s": object{}, "u": object{b.id("limit"): false}})
		b.call(p, "number.set_value", object{"value": 99999}, object{"entity_id": b.entity("number", "limit")})
		b.call(p, "number.set_value", object{"value": 1}, object{"entity_id": []string{b.entity("number", "limit"),
			b.entity("number", "plain")}})
		b.call(p, "solarhub.write_value", object{"entity_id": b.entity("number", "limit"), "value": 5}, nil)
	}},
	{"solarhub.write_value", func(b *bench) {
		p := b.plug()
		for _, w := range []struct {
			platform, key string
			values        []any
		}{
			{"number", "limit", []any{12, "12.5", "a lot", 1e6, "inf"}}, {"switch", "on", []any{true, "On", "perhaps"}},
			{"time", "at", []any{"7:15", "07:15:30", "25:00"}}, {"text", "note", []any{"yes"}},
			{"select", "mode", []any{"b", "z"}}, {"sensor", "power", []any{"b"}}, {"sensor", "off", []any{5}},
		} {
			for _, v := range w.values {
				b.call(p, "solarhub.write_value", object{"entity_id": b.entity(w.platform, w.key), "value": v}, nil)
			}
		}
		id := b.entity("number", "limit")
		b.call(p, "solarhub.write_value", object{"entity_id": id, "value": 3}, nil, object{"return_response": true})
		b.call(p, "solarhub.write_value", object{"entity_id": id, "value": 3, "force": true}, nil)
		b.call(p, "solarhub.write_value", object{"entity_id": "number.nosuch", "value": 3}, nil)
	}},
	{"solarhub.read_value and refresh", func(b *bench) {
		p, id, ask := b.plug(), b.entity("number", "limit"), object{"return_response": true}
		b.call(p, "solarhub.read_value", object{"entity_id": id}, nil, ask)
		b.call(p, "solarhub.read_value", object{"entity_id": b.entity("sensor", "off")}, nil, ask)
		b.call(p, "solarhub.read_value", object{"entity_id": "sensor.nosuch"}, nil, ask)
		b.call(p, "solarhub.refresh", object{"device_id": b.device()}, nil)
		b.call(p, "solarhub.refresh", object{"device_id": "nosuch"}, nil)
		p.replies(refuse("no_answer", object{"device": "Inverter", "register": "holding 5", "reason": "silence"}))
		b.call(p, "solarhub.read_value", object{"entity_id": id}, nil, ask)
		b.call(p, "solarhub.refresh", object{"device_id": b.device()}, nil)
	}},
	{"a value that is no entity", func(b *bench) {
		p, ask := b.plug(), object{"return_response": true}
		for _, key := range []string{"secret", "limit"} {
			of := object{"device_id": b.device(), "key": key}
			b.call(p, "solarhub.read_value", of, nil, ask)
			for _, v := range []any{"12.5", 3} {
				b.call(p, "solarhub.write_value", with(of, object{"value": v}), nil, ask)
			}
		}
		p.replies(refuse("unknown_key", object{"key": "secrte", "nearest": "secret", "reason": "x"}))
		b.call(p, "solarhub.read_value", object{"device_id": b.device(), "key": "secrte"}, nil, ask)
		b.call(p, "solarhub.read_value", object{"device_id": "nosuch", "key": "secret"}, nil, ask)
	}},
	{"solarhub.write_group", func(b *bench) {
		p, ask := b.plug(), object{"return_response": true}
		of := object{"device_id": b.device(), "group": "window",
			"values": object{"limit": "12", "on": "off", "other": "x"}}
		p.replies(func(call object) object {
			members := object{}
			for key, v := range call["values"].(object) {
				members[key] = object{"value": v, "unchanged": key == "limit"}
			}
			return object{"ok": true, "response": object{"members": members}}
		})
		b.call(p, "solarhub.write_group", of, nil)
		b.call(p, "solarhub.write_group", of, nil, ask)
		b.call(p, "solarhub.write_group", with(of, object{"values": object{"limit": "much"}, "force": true}), nil)
		p.replies(refuse("unknown_key", object{"key": "windwo", "nearest": "window", "reason": "x"}))
		b.call(p, "solarhub.write_group", with(of, object{"group": "windwo"}), nil)
		p.replies(refuse("no_answer", object{"name": "Limit", "device": "D", "register": "r", "reason": "x"}))
		b.call(p, "solarhub.write_group", of, nil)
	}},
	{"an action that does not exist", func(b *bench) {
		for _, name := range []string{"number.nosuch", "solarhub.nosuch"} {
			b.call(nil, name, object{"value": 1}, nil)
		}
	}},
	{"what was read back is shown before the caller is told", func(b *bench) {
		p := b.plug()
		id := b.entity("number", "plain")
		p.replies(func(call object) object { return object{"ok": true, "value": 9, "s": object{b.id("plain"): 9}} })
		b.call(p, "number.set_value", object{"value": 3}, object{"entity_id": id})
		b.see("state", b.state(id))
		p.replies(func(call object) object {
			return object{"ok": false, "error": object{"code": "not_verified",
				"placeholders": object{"device": "D", "register": "r", "wanted": "3", "found": "8",
					"reason": "x"}}, "s": object{b.id("plain"): 8}}
		})
		b.call(p, "number.set_value", object{"value": 3}, object{"entity_id": id})
		b.see("state", b.state(id))
		p.replies(func(call object) object { return object{"ok": true, "value": 4} })
		b.call(p, "number.set_value", object{"value": 4}, object{"entity_id": id})
		b.see("state without s", b.state(id))
	}},
}
