package devhost_test

// codes are the errors of a call with all placeholders that belong to them: PROTOCOL.md, section 5.
var codes = map[string]string{
	"out_of_range": "value min max unit", "off_step": "value step below above", "wrong_type": "value",
	"unknown_option": "value options",
	"read_only":      "", "not_armed": "key", "unknown_entity": "id", "unknown_key": "key nearest",
	"several_failed": "device group", "step_failed": "device register",
	"not_identified": "device",
	"exception":      "device register code text",
	"not_verified":   "device register wanted found", "no_answer": "device register", "line_down": "device line",
	"expired":         "seconds",
	"outcome_unknown": "device register", "superseded": "value", "queue_full": "", "cancelled": "", "stopping": "",
	"failed":        "",
	"not_connected": "", "lost": "", "timeout": "seconds",
}

// refusalCases: PROTOCOL.md, section 5, and how several failures reach one caller.
var refusalCases = []contractCase{
	{"each error of a call, with all its placeholders", func(b *bench) {
		p := b.plug()
		for _, code := range sorted(codes) {
			placeholders := object{"reason": "because it is so."}
			for _, name := range words(codes[code]) {
				placeholders[name] = "the " + name
			}
			p.replies(refuse(code, placeholders))
			b.see("code", code)
			b.call(p, "number.set_value", object{"value": 3}, object{"entity_id": b.entity("number", "plain")})
		}
	}},
	{"an error without a unit", func(b *bench) {
		p := b.plug()
		p.replies(refuse("out_of_range", object{"value": "5", "min": "1", "max": "4", "unit": "", "reason": "r"}))
		b.call(p, "number.set_value", object{"value": 3}, object{"entity_id": b.entity("number", "plain")})
	}},
	{"a newer value was written instead", func(b *bench) {
		p := b.plug()
		p.replies(func(object) object { return object{"ok": true, "value": 8, "superseded": true} })
		b.call(p, "number.set_value", object{"value": 3}, object{"entity_id": b.entity("number", "plain")})
		b.call(p, "solarhub.write_value", object{"value": 3, "entity_id": b.entity("number", "plain")}, nil)
	}},
	{"two entities, one fails: the other is carried out, the error comes back", func(b *bench) {
		p := b.plug()
		fail := refuse("no_answer", object{"device": "Inverter", "register": "holding 5", "reason": "silence"})
		p.replies(func(call object) object {
			if call["id"] == b.id("limit") {
				return fail(call)
			}
			return confirm(call)
		})
		b.call(p, "number.set_value", object{"value": 3}, object{"entity_id": []string{b.entity("number", "limit"),
			b.entity("number", "plain")}})
		b.see("the other", b.state(b.entity("number", "plain")))
	}},
}
