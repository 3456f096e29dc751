package devhost_test

import (
	"fmt"
	"slices"
	"strings"
	"time"
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

// entityCases: what a card and developer tools see of entities.
var entityCases = []contractCase{
	{"registry: entities", func(b *bench) {
		b.plug()
		for _, e := range b.own(first(b.person().ask("config/entity_registry/list", nil)), "entity_id") {
			delete(e, "options") // what voice assistants may see
			b.see("entity", e)
		}
	}},
	{"registry: entities for display", func(b *bench) {
		b.plug()
		list := first(b.person().ask("config/entity_registry/list_for_display", nil)).(object)
		b.see("categories", object{"0": list["entity_categories"].(object)["0"], "1": list["entity_categories"].(object)["1"]})
		for _, e := range b.own(list["entities"], "ei") {
			b.see("entity", e)
		}
	}},
	{"registry: one entity", func(b *bench) {
		b.plug()
		for _, id := range []string{b.entity("number", "limit"), b.entity("select", "mode"), b.entity("text", "note"), b.entity("sensor", "power"),
			b.entity("sensor", "off"), b.entity("button", "go")} {
			if e, is := first(b.person().ask("config/entity_registry/get", object{"entity_id": id})).(object); is {
				delete(e, "options")
				b.see("entity", e)
			}
		}
		b.person().look("unknown", "config/entity_registry/get", object{"entity_id": "number.nosuch"})
		b.person().look("none", "config/entity_registry/get", nil)
	}},
	{"registry: devices", func(b *bench) {
		b.plug()
		for _, d := range b.own(first(b.person().ask("config/device_registry/list", nil)), "name") {
			b.see("device", d)
		}
		_, is := first(b.person().ask("config/area_registry/list", nil)).([]any)
		b.see("areas are a list", is)
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
		p.in("solarhub/states", object{"s": object{b.id("power"): 13}, "c": object{b.id("power"): "2020-01-01T00:00:00+00:00"}})
		show("another attribute")
		p.in("solarhub/states", object{"s": object{b.id("power"): 14}, "c": object{b.id("power"): "2020-01-01T00:00:00+00:00"}})
		show("another state")
		p.say(object{b.id("power"): 14})
		show("an attribute less")
		p.in("solarhub/states", object{"s": object{}, "u": object{b.id("power"): false}})
		show("unavailable")
		b.person().ask("config/entity_registry/update", object{"entity_id": b.entity("switch", "on"), "disabled_by": "user"})
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
	{"state_changed and call_service as events", func(b *bench) {
		p := b.plug()
		c := b.person()
		c.ask("subscribe_events", object{"event_type": "call_service"})
		c.ask("subscribe_events", object{"event_type": "state_changed"})
		c.ask("call_service", serviceFields("number.set_value", object{"value": 7}, object{"entity_id": b.entity("number", "plain")}))
		p.drain()
		for _, e := range c.drain() {
			b.see("event", e)
		}
	}},
	{"the history of an entity", func(b *bench) {
		p := b.plug()
		c, power := b.person(), b.entity("sensor", "power")
		for _, v := range []any{20, 20, nil, 30} {
			p.say(object{b.id("power"): v})
		}
		ask := func(more object) (any, object) {
			f := object{"start_time": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), "entity_ids": []string{power, "sensor.nosuch"}}
			for k, v := range more {
				f[k] = v
			}
			return c.ask("history/history_during_period", f)
		}
		b.until("the recorder has written it", func() bool {
			all, _ := first(ask(nil)).(object)[power].([]any)
			return len(all) > 0 && all[len(all)-1].(object)["s"] == "30"
		})
		for _, more := range []object{{"minimal_response": true, "no_attributes": true}, {"no_attributes": true}, {"start_time": "yesterday"}, {"end_time": "2020-01-01T00:00:00Z"},
			{"start_time": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, {"entity_ids": []string{}}} {
			result, refused := ask(more)
			delete(more, "start_time")
			b.see(fmt.Sprint(more), []any{result, refused})
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
		reply := first(c.ask("call_service", serviceFields("number.set_value", object{"value": 7}, object{"entity_id": id}))).(object)
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
