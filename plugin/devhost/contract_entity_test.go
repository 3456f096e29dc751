package devhost_test

import (
	"slices"
	"strings"
)

// own returns the entries of a registry that belong to the case.
func (b *bench) own(list any, key string) (all []object) {
	for _, e := range list.([]any) {
		if s, is := e.(object)[key].(string); is && strings.Contains(s, b.tag) {
			all = append(all, e.(object))
		}
	}
	slices.SortFunc(all, func(x, y object) int { return strings.Compare(x[key].(string), y[key].(string)) })
	return all
}

// only returns some fields of an object.
func only(from object, keys ...string) object {
	some := object{}
	for _, k := range keys {
		if v, has := from[k]; has {
			some[k] = v
		}
	}
	return some
}

// entityCases: what a card and developer tools see of entities.
var entityCases = []contractCase{
	{"registry: entities", func(b *bench) {
		b.plug()
		for _, e := range b.own(first(b.person().ask("config/entity_registry/list", nil)), "entity_id") {
			b.see("entity", only(e, "entity_id", "unique_id", "platform", "device_id", "disabled_by", "entity_category",
				"name", "original_name"))
		}
	}},
	{"registry: decimals of sensors", func(b *bench) {
		b.plug()
		list := first(b.person().ask("config/entity_registry/list_for_display", nil)).(object)
		for _, e := range b.own(list["entities"], "ei") {
			b.see("entity", only(e, "ei", "dp"))
		}
	}},
	{"registry: devices", func(b *bench) {
		b.plug()
		for _, d := range b.own(first(b.person().ask("config/device_registry/list", nil)), "name") {
			b.see("device", only(d, "id", "identifiers", "via_device_id", "name", "name_by_user", "manufacturer",
				"model", "serial_number", "sw_version"))
		}
	}},
	{"registry: events when entities come and go", func(b *bench) {
		c := b.person()
		c.ask("subscribe_events", object{"event_type": "entity_registry_updated"})
		p := b.hello(1000)
		p.in("solarhub/register", b.registration(b.definitions()[:2]))
		p.in("solarhub/register", b.registration(b.definitions()[:1]))
		for _, e := range c.drain() {
			if data := e["data"].(object); data["action"] != "update" {
				b.see("event", object{"action": data["action"], "entity_id": data["entity_id"]})
			}
		}
	}},
	{"an owner's name for an entity", func(b *bench) {
		p := b.plug()
		id := b.entity("number", "plain")
		_, refused := b.person().ask("config/entity_registry/update", object{"entity_id": id, "name": "My number"})
		b.see("refused", refused)
		for _, s := range b.states() {
			if s["entity_id"] == id {
				b.see("attributes", s["attributes"])
			}
		}
		p.replies(refuse("read_only", object{"reason": "so it is"}))
		b.call(p, "number.set_value", object{"value": 1}, object{"entity_id": id})
	}},
	{"subscribe_entities: the first message and what changes", func(b *bench) {
		p := b.plug()
		c, id := b.person(), b.entity("sensor", "power")
		n, to := c.send("subscribe_entities", object{"entity_ids": []string{id, b.entity("switch", "on")}})
		b.see("subscribed", c.wait("subscribe", to))
		show := func(what string) {
			for _, e := range c.drain() {
				b.see(what, e)
			}
		}
		show("first")
		p.say(object{b.id("power"): 13})
		show("another state")
		p.say(object{b.id("power"): 13, b.id("limit"): 7})
		show("the same state, and one that is not asked for")
		p.in("solarhub/states", object{"s": object{b.id("power"): 13},
			"c": object{b.id("power"): "2020-01-01T00:00:00+00:00"}})
		show("another attribute")
		p.in("solarhub/states", object{"s": object{b.id("power"): 14},
			"c": object{b.id("power"): "2020-01-01T00:00:00+00:00"}})
		show("another state")
		p.say(object{b.id("power"): 14})
		show("an attribute less")
		p.in("solarhub/states", object{"s": object{}, "u": object{b.id("power"): false}})
		show("unavailable")
		b.person().ask("config/entity_registry/update", object{"entity_id": b.entity("switch", "on"),
			"disabled_by": "user"})
		b.until("the disabled entity", func() bool { return b.state(b.entity("switch", "on")) == "none" })
		all := c.drain()
		b.see("disabled", all[len(all)-1])
		c.look("unsubscribe", "unsubscribe_events", object{"subscription": n})
		p.say(object{b.id("limit"): 15})
		b.see("afterwards", len(c.drain()))
	}},
	{"subscribe_entities: without a list everything", func(b *bench) {
		b.plug()
		c := b.person()
		c.ask("subscribe_entities", nil)
		all := c.drain()[0]["a"].(object)
		mine := []string{}
		for id := range all {
			if strings.Contains(id, b.tag) {
				mine = append(mine, id)
			}
		}
		slices.Sort(mine)
		b.see("entities", mine)
		b.see("limit", all[b.entity("number", "limit")])
	}},
	{"subscribe_entities: new entities and removed ones", func(b *bench) {
		p := b.hello(1000)
		id := b.entity("number", "limit")
		b.person().ask("subscribe_entities", object{"entity_ids": id})
		b.person().drain()
		p.in("solarhub/register", b.registration(b.definitions()[:1]))
		p.in("solarhub/states", object{"s": object{b.id("limit"): 3}, "ready": true})
		p.in("solarhub/remove", object{"devices": []string{"D" + b.tag}})
		for _, e := range b.person().drain() {
			b.see("event", e)
		}
	}},
	{"state_changed as an event", func(b *bench) {
		p := b.plug()
		c := b.person()
		c.ask("subscribe_events", object{"event_type": "state_changed"})
		c.ask("call_service", serviceFields("number.set_value", object{"value": 7},
			object{"entity_id": b.entity("number", "plain")}))
		p.drain()
		for _, e := range c.drain() {
			b.see("event", e)
		}
	}},
	{"who caused a change", func(b *bench) {
		p := b.plug()
		c, id := b.person(), b.entity("number", "plain")
		context := func(what string) {
			for _, s := range b.states() {
				if s["entity_id"] == id {
					b.see(what, s["context"])
				}
			}
		}
		context("the plugin")
		reply := first(c.ask("call_service", serviceFields("number.set_value", object{"value": 7},
			object{"entity_id": id}))).(object)
		context("a person")
		for _, s := range b.states() {
			if s["entity_id"] == id {
				b.see("the same context", s["context"].(object)["id"] == reply["context"].(object)["id"])
			}
		}
		p.say(object{b.id("plain"): 8})
		context("the plugin, right after")
	}},
}
