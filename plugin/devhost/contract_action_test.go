package devhost_test

import "strings"

// actionCases: what travels to the plugin, and what is refused before.
var actionCases = []contractCase{
	{"number.set_value", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("number", "limit")}
		for _, v := range []any{5, "6.5", 5000, 0, 5000.5, -1, "abc", nil} {
			b.call(p, "number.set_value", object{"value": v}, id)
		}
		b.call(p, "number.set_value", nil, id)
		b.call(p, "number.set_value", object{"value": 1, "more": 1}, id)
	}},
	{"select.select_option", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("select", "mode")}
		for _, v := range []any{"b", "z", nil} {
			b.call(p, "select.select_option", object{"option": v}, id)
		}
	}},
	{"switch", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("switch", "on")}
		b.call(p, "switch.turn_on", nil, id)
		b.call(p, "switch.turn_off", nil, id)
		b.call(p, "switch.turn_on", object{"x": 1}, id)
	}},
	{"time.set_value", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("time", "at")}
		for _, v := range []any{"6:30", "07:30:00", "07:30:15", "25:00", nil} {
			b.call(p, "time.set_value", object{"time": v}, id)
		}
	}},
	{"text.set_value", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("text", "note")}
		for _, v := range []any{"yo", "toolong", "", "A1", nil} {
			b.call(p, "text.set_value", object{"value": v}, id)
		}
	}},
	{"button.press", func(b *bench) {
		p, id := b.plug(), object{"entity_id": b.entity("button", "go")}
		b.call(p, "button.press", nil, id)
		b.see("state", b.state(b.entity("button", "go")))
		p.replies(refuse("no_answer", object{"device": "D", "register": "r", "reason": "x"}))
		b.call(p, "button.press", nil, id)
	}},
	{"targets", func(b *bench) {
		p, v := b.plug(), object{"value": 3}
		limit, plain := b.entity("number", "limit"), b.entity("number", "plain")
		for _, target := range []object{{"entity_id": limit}, {"entity_id": []string{limit, plain}},
			{"entity_id": "nodot"}, {"entity_id": 5},
			{"entity_id": "number.nosuch"}, {"entity_id": b.entity("switch", "on")}} {
			b.call(p, "number.set_value", v, target)
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
			{"number", "limit", []any{12, "12.5", "a lot", true, 1e6, "", "inf", "nan"}}, {"switch", "on",
				[]any{true, "On", "false", 1, "perhaps"}},
			{"time", "at", []any{"7:15", 435, "07:15:30", "25:00", 1440, 7.5}}, {"text", "note",
				[]any{5, "yes", true, 2.5}}, {"select", "mode", []any{"b", "z", 5}},
			{"sensor", "power", []any{"b"}}, {"sensor", "off", []any{5}}, {"button", "go", []any{"x"}},
		} {
			for _, v := range w.values {
				b.call(p, "solarhub.write_value", object{"entity_id": b.entity(w.platform, w.key), "value": v}, nil)
			}
		}
		id := b.entity("number", "limit")
		b.call(p, "solarhub.write_value", object{"entity_id": id, "value": 3}, nil, object{"return_response": true})
		for _, data := range []object{{"entity_id": id, "value": 3, "force": true},
			{"entity_id": id, "value": 3, "force": "yes"}, {"entity_id": id, "value": 3, "force": "perhaps"},
			{"entity_id": id, "value": 3, "x": 1}, {"entity_id": id}, {"value": 3}, {"entity_id": id,
				"value": nil}, {"entity_id": id, "value": []int{1}},
			{"entity_id": "number.nosuch", "value": 3}, {"entity_id": "nosuch", "value": 3}, {"entity_id": []string{id},
				"value": 3}, {"entity_id": strings.ToUpper(id), "value": 3}} {
			b.call(p, "solarhub.write_value", data, nil)
		}
		b.call(p, "solarhub.write_value", object{"value": 3}, object{"entity_id": id})
	}},
	{"solarhub.read_value and refresh", func(b *bench) {
		p, id, ask := b.plug(), b.entity("number", "limit"), object{"return_response": true}
		b.call(p, "solarhub.read_value", object{"entity_id": id}, nil, ask)
		b.call(p, "solarhub.read_value", object{"entity_id": b.entity("sensor", "off")}, nil, ask)
		b.call(p, "solarhub.read_value", object{"entity_id": id}, nil)
		b.call(p, "solarhub.read_value", nil, nil, ask)
		b.call(p, "solarhub.read_value", object{"entity_id": "sensor.nosuch"}, nil, ask)
		b.call(p, "solarhub.refresh", object{"device_id": b.device()}, nil)
		b.call(p, "solarhub.refresh", object{"device_id": "nosuch"}, nil)
		b.call(p, "solarhub.refresh", nil, nil)
		b.call(p, "solarhub.refresh", object{"device_id": b.device()}, nil, ask)
		p.replies(func(object) object { return object{"ok": true} })
		b.call(p, "solarhub.read_value", object{"entity_id": id}, nil, ask)
		p.replies(refuse("no_answer", object{"device": "Inverter", "register": "holding 5", "reason": "silence"}))
		b.call(p, "solarhub.read_value", object{"entity_id": id}, nil, ask)
		b.call(p, "solarhub.refresh", object{"device_id": b.device()}, nil)
	}},
	{"return_response", func(b *bench) {
		b.call(b.plug(), "number.set_value", object{"value": 3}, object{"entity_id": b.entity("number", "limit")},
			object{"return_response": true})
	}},
	{"an action that does not exist", func(b *bench) {
		for _, name := range []string{"nosuch.thing", "number.nosuch", "solarhub.nosuch"} {
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
