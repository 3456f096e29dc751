package devhost_test

import (
	"maps"
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
	{"subscribe_entities: the first message and what changes", func(b *bench) {
		p := b.hello(1000)
		p.in("solarhub/register", b.registration(b.definitions()[:2]))
		p.in("solarhub/states", object{"s": object{b.id("plain"): 1, b.id("limit"): 3}, "ready": true})
		c := b.person()
		n, to := c.send("subscribe_entities", nil)
		b.see("subscribed", c.wait("subscribe", to))
		show := func(what string) {
			for _, e := range c.drain() {
				for kind, all := range e { // of each message what is about the case's entities
					if all, is := all.(object); is {
						maps.DeleteFunc(all, func(id string, _ any) bool { return !strings.Contains(id, b.tag) })
						if len(all) == 0 {
							delete(e, kind)
						}
					}
				}
				b.see(what, e)
			}
		}
		cached := object{b.id("plain"): "2020-01-01T00:00:00+00:00"}
		show("first")
		p.say(object{b.id("plain"): 3})
		show("another state")
		p.say(object{b.id("plain"): 3})
		show("the same state")
		p.in("solarhub/states", object{"s": object{b.id("plain"): 3}, "c": cached})
		show("another attribute")
		p.in("solarhub/states", object{"s": object{b.id("plain"): 4}, "c": cached})
		show("another state")
		p.say(object{b.id("plain"): 4})
		show("an attribute less")
		p.in("solarhub/states", object{"s": object{}, "u": object{b.id("plain"): false}})
		show("unavailable")
		p.in("solarhub/register", b.registration(b.definitions()[1:3]))
		show("one more and one less")
		c.look("unsubscribe", "unsubscribe_events", object{"subscription": n})
		p.say(object{b.id("plain"): 5})
		b.see("afterwards", len(c.drain()))
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
}
