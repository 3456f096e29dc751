package devhost_test

import (
	"fmt"
	"slices"
	"strings"
)

// companionCases: PROTOCOL.md, sections 2 and 3.
var companionCases = []contractCase{
	{"hello", func(b *bench) {
		c := b.dial()
		b.plugs = append(b.plugs, &plug{client: c})
		c.look("hello", "solarhub/hello", helloOf("house "+b.tag, 1000, "D"+b.tag))
		f := helloOf("house "+b.tag, 1000)
		f["protocol"] = object{"min": 1, "max": 9, "new": true}
		f["surplus"] = object{"is": "ignored"}
		c.look("of a newer plugin, on the same connection", "solarhub/hello", f)
	}},
	{"commands that are malformed", func(b *bench) {
		for _, wrong := range []object{{"installation": 5}, {"epoch": "soon"}, {"protocol": 1}, {"devices": "SN1"}} {
			f := helloOf("house "+b.tag, 1)
			for k, v := range wrong {
				f[k] = v
			}
			b.person().look(fmt.Sprint("hello ", wrong), "solarhub/hello", f)
		}
		p := b.plug()
		many := object{}
		for i := range 501 {
			many[fmt.Sprint("n", i)] = i
		}
		for _, m := range []struct {
			what, kind string
			fields     object
		}{
			{"s", "states", object{"s": []int{1}}}, {"u", "states", object{"s": object{}, "u": object{"x": 1}}},
			{"d", "states", object{"s": object{}, "d": object{"x": true}}},
			{"ready", "states", object{"s": object{}, "ready": 1}}, {"501", "states", object{"s": many}},
			{"ok", "result", object{"call_id": "x", "ok": 1}}, {"devices", "remove", object{"devices": "D"}},
			{"201", "register", b.registration(make([]object, 201))},
		} {
			p.look(m.kind+" "+m.what, "solarhub/"+m.kind, p.within(m.fields))
		}
		p.look("session", "solarhub/heartbeat", object{"session": "1"})
		b.seeStates("nothing has changed")
	}},
	{"hello of another protocol", func(b *bench) {
		for _, v := range []object{{"min": 2, "max": 3}, {"min": 0, "max": 0}} {
			f := helloOf("house "+b.tag, 1)
			f["protocol"] = v
			b.person().look(fmt.Sprint(v), "solarhub/hello", f)
		}
		b.person().look("the right one, which takes the warning away", "solarhub/hello", helloOf("house "+b.tag, 1))
	}},
	{"hello of another process of the same name", func(b *bench) {
		p := b.plug()
		b.dial().look("older", "solarhub/hello", helloOf("house "+b.tag, 999, "D"+b.tag))
		b.dial().look("newer", "solarhub/hello", helloOf("house "+b.tag, 1001, "D"+b.tag))
		p.look("the connected one goes on", "solarhub/heartbeat", p.within(nil))
	}},
	{"the newest hello of a process wins", func(b *bench) {
		old := b.plug()
		b.hello(1000)
		b.see("event", old.event(func(e object) bool { return e["type"] != "config" }))
		old.look("the older session", "solarhub/heartbeat", old.within(nil))
		old.ws.CloseNow()
		<-old.ended
		b.seeStates("after its end")
	}},
	{"a session belongs to a connection", func(b *bench) {
		p := b.plug()
		for _, kind := range []string{"heartbeat", "states", "register", "result", "notice", "diagnostics", "remove",
			"bye"} {
			f := map[string]object{"states": {"s": object{}}, "register": b.registration(nil),
				"result": {"call_id": "x", "ok": true},
				"notice": {"kind": "reverted"}, "diagnostics": {"request_id": "x",
					"data": object{}}, "remove": {"devices": []string{}},
				"bye": {"reason": "", "back_in_ms": 0}}[kind]
			if kind == "register" {
				f["entities"] = []object{}
			}
			b.person().look(kind+" on another", "solarhub/"+kind, p.within(f))
		}
		b.person().look("of no session", "solarhub/heartbeat", object{"session": 0})
		p.look("heartbeat", "solarhub/heartbeat", p.within(object{"surplus": 1}))
		p.look("result of an unknown call", "solarhub/result", p.within(object{"call_id": "x", "ok": true}))
		p.look("diagnostics nobody asked for", "solarhub/diagnostics",
			p.within(object{"request_id": "x", "data": object{}}))
		p.look("remove of what is not there", "solarhub/remove", p.within(object{"devices": []string{"nosuch"}}))
	}},
	{"register: created, unchanged, updated, removed", func(b *bench) {
		p := b.hello(1000)
		all := b.definitions()
		p.look("new", "solarhub/register", p.within(b.registration(all)))
		p.look("the same", "solarhub/register", p.within(b.registration(all)))
		all[0]["max"], all[2]["name"] = 6000, "Way"
		p.look("two changed", "solarhub/register", p.within(b.registration(all)))
		p.look("three less", "solarhub/register", p.within(b.registration(all[3:])))
		all[4]["platform"] = "text"
		p.look("another platform", "solarhub/register", p.within(b.registration(all[3:])))
		b.seeStates("before ready")
		p.ready()
		b.seeStates("after ready")
	}},
	{"register: a device that was never identified goes when it is no longer named", func(b *bench) {
		p, all := b.hello(1000), b.definitions()
		place := object{"id": "D" + b.tag + "P", "name": "Place " + b.tag, "pending": true}
		status := object{"id": "D" + b.tag + "P_status", "device": place["id"], "platform": "sensor", "key": "status",
			"name": "Status"}
		both := with(b.registration(append(all, status)), object{"devices": append(b.devices(), place), "hash": "both"})
		p.look("with it", "solarhub/register", p.within(both))
		p.in("solarhub/states", object{"s": object{status["id"].(string): "why"}, "ready": true})
		b.see("status", b.state("sensor.place_"+b.tag+"_status"))
		p.look("without it", "solarhub/register", p.within(b.registration(all)))
		b.see("status", b.state("sensor.place_"+b.tag+"_status"))
	}},
	{"register: frames follow each other", func(b *bench) {
		p := b.hello(1000)
		all := b.definitions()
		frame := func(what string, seq int, last bool, hash string, devices []object, some []object) {
			p.look(what, "solarhub/register", p.within(object{"seq": seq, "last": last, "hash": hash,
				"devices": devices, "entities": some}))
		}
		none := []object{}
		frame("1 first", 1, false, "h", b.devices(), all[:2])
		frame("0", 0, false, "h", b.devices(), all[:2])
		frame("2 after 0", 2, true, "h", none, all[2:])
		frame("1 after a mistake", 1, true, "h", none, all[2:])
		frame("0 again", 0, false, "h", b.devices(), all[:2])
		frame("1 with another hash", 1, true, "other", none, all[2:])
		frame("0 once more", 0, false, "h", b.devices(), all[:2])
		frame("1", 1, false, "h", none, append(slices.Clone(all[2:5]), object{"id": "broken"}))
		frame("2, the last", 2, true, "h", none, all[5:])
		frame("3 after the last", 3, true, "h", none, none)
		b.see("hash", first(b.dial().ask("solarhub/hello", helloOf("house "+b.tag, 1000, "D"+b.tag))))
	}},
	{"register: an id says what it belongs to", func(b *bench) {
		p := b.plug()
		bad := b.registration([]object{b.defined("stray", "switch", object{"id": "X" + b.tag + "_stray"})})
		bad["devices"] = append(b.devices(), object{"id": "D" + b.tag + "/7", "name": "whole"},
			object{"id": "D" + b.tag + "b", "name": "part", "via": "D" + b.tag})
		p.look("in one registration", "solarhub/register", p.within(bad))
		p.look("as before", "solarhub/register", p.within(b.registration(b.definitions())))
		thief := &plug{client: b.dial()}
		thief.session = first(thief.ask("solarhub/hello", helloOf("garage "+b.tag, 5))).(object)["session"]
		other := object{"id": "D" + b.tag + "_on", "device": "D" + b.tag + "_x", "platform": "switch", "key": "on",
			"name": "On"}
		thief.look("of another installation", "solarhub/register",
			thief.within(object{"seq": 0, "last": true, "hash": "h2",
				"devices": []object{{"id": "D" + b.tag + "_x", "name": "Thief"}}, "entities": []object{other}}))
		thief.look("states", "solarhub/states",
			thief.within(object{"s": object{b.id("on"): true}, "u": object{b.id("at"): true},
				"d": object{"D" + b.tag: object{"online": false}}}))
		thief.look("remove", "solarhub/remove",
			thief.within(object{"devices": []string{"D" + b.tag, "D" + b.tag + "_x"}}))
		b.seeStates("then")
	}},
	{"register: a bad item rejects itself only", func(b *bench) {
		p := b.hello(1000)
		plain := object{"min": 0, "max": 1, "step": 1}
		bad := []object{b.defined("plain", "number", plain), b.defined("a1", "number", nil),
			b.defined("a4", "number", object{"min": "0", "max": 5, "step": 1}), b.defined("a5", "lamp", nil),
			b.defined("c6", "sensor", object{"device": "nosuch"}), b.defined("c7", "sensor", object{"enabled": "yes"}),
			b.defined("c8", "sensor", object{"name": ""}), b.defined("c9", "sensor", object{"key": nil})}
		devices := append(b.devices(), object{"id": "D" + b.tag, "name": "Twice"},
			object{"id": "D" + b.tag + "/x", "via": "nosuch", "name": "X"}, object{"id": "D" + b.tag + "/z"})
		p.look("register", "solarhub/register", p.within(object{"seq": 0, "last": true, "hash": "h",
			"devices": devices, "entities": slices.Concat(b.definitions()[:2], bad)}))
		p.ready()
		b.seeStates("the good ones are there")
	}},
	{"the hash is kept, and forgotten when another takes over", func(b *bench) {
		b.plug()
		hash := func(installation string, epoch int64) {
			f := helloOf(installation+" "+b.tag, epoch, "D"+b.tag)
			b.see(installation, first(b.dial().ask("solarhub/hello", f)).(object)["hash"])
		}
		hash("house", 1000)
		other := &plug{client: b.dial()}
		other.session = first(other.ask("solarhub/hello", helloOf("garage "+b.tag, 5, "D"+b.tag))).(object)["session"]
		other.look("the other registers less", "solarhub/register", other.within(b.registration(b.definitions()[:2])))
		hash("house", 1000)
		hash("garage", 5)
	}},
	{"one that was taken over owns nothing any more", func(b *bench) {
		p := b.plug()
		other := &plug{client: b.dial()}
		other.session = first(other.ask("solarhub/hello", helloOf("garage "+b.tag, 5, "D"+b.tag))).(object)["session"]
		other.in("solarhub/register", b.registration(b.definitions()[:3]))
		p.look("the old owner's states", "solarhub/states", p.within(object{"s": object{b.id("limit"): 7}}))
		b.seeStates("until the new owner is ready")
		other.in("solarhub/states", object{"s": object{b.id("limit"): 8}, "ready": true})
		b.seeStates("then")
		other.in("solarhub/bye", object{"reason": "x", "back_in_ms": 0})
	}},
	{"a device that is not registered again is kept", func(b *bench) {
		p := b.plug()
		p.look("another device only", "solarhub/register", p.within(object{"seq": 0, "last": true, "hash": "h2",
			"devices": []object{{"id": "E" + b.tag, "name": "Bench " + b.tag + " E"}},
			"entities": []object{b.defined("more", "sensor", object{"id": "E" + b.tag + "_more",
				"device": "E" + b.tag})}}))
		p.in("solarhub/states", object{"s": object{"E" + b.tag + "_more": 1}, "ready": true})
		b.seeStates("both")
	}},
	{"remove: a device with its parts, a part alone", func(b *bench) {
		p := b.plug()
		p.look("a part", "solarhub/remove", p.within(object{"devices": []string{"D" + b.tag + "/battery"}}))
		b.seeStates("without the part")
		b.see("hash", first(b.dial().ask("solarhub/hello", helloOf("house "+b.tag, 1000, "D"+b.tag))).(object)["hash"])
		p = b.plug()
		p.look("all", "solarhub/remove", p.within(object{"devices": []string{"D" + b.tag}}))
		b.seeStates("without anything")
	}},
	{"states: values and how they are shown", func(b *bench) {
		b.plug()
		for _, s := range b.states() {
			b.see("state", s)
		}
	}},
	{"states: ids that nobody owns", func(b *bench) {
		p := b.plug()
		p.look("states", "solarhub/states", p.within(object{"s": object{"nosuch": 1, b.id("limit"): 5},
			"u": object{"nosuch": false}, "d": object{"nosuch": object{"online": false}}}))
		b.see("limit", b.state(b.entity("number", "limit")))
	}},
	{"states: a value from the cache", func(b *bench) {
		p := b.plug()
		look := func(what string) {
			for _, s := range b.states() {
				if s["entity_id"] == b.entity("sensor", "power") {
					b.see(what, object{"state": s["state"], "read_at": s["attributes"].(object)["read_at"]})
				}
			}
		}
		p.in("solarhub/states", object{"s": object{b.id("power"): 7},
			"c": object{b.id("power"): "2020-01-01T00:00:00+00:00"}})
		look("cached")
		p.say(object{b.id("power"): 7})
		look("the same value, fresh")
	}},
	{"states: what is available", func(b *bench) {
		p := b.plug()
		root, part := "D"+b.tag, "D"+b.tag+"/battery"
		for _, step := range []object{{"u": object{b.id("limit"): false}}, {"u": object{b.id("limit"): true}},
			{"d": object{part: object{"online": false, "reason": "asleep"}}},
			{"d": object{root: object{"online": false}}}, {"d": object{part: object{"online": true}}},
			{"d": object{root: object{"online": true}}}} {
			what := strings.ReplaceAll(fmt.Sprint(step), b.tag, "TAG")
			step["s"] = object{}
			p.in("solarhub/states", step)
			b.see(what, object{"limit": b.state(b.entity("number", "limit")), "on": b.state(b.entity("switch", "on")),
				"charge": b.state("sensor.bench_" + b.tag + "_battery_charge"),
				"go":     b.state(b.entity("button", "go"))})
		}
	}},
	{"states: nothing is shown before ready, and a second ready changes nothing", func(b *bench) {
		p := b.hello(1000)
		p.in("solarhub/register", b.registration(b.definitions()))
		p.in("solarhub/states", object{"s": object{b.id("limit"): 5}, "u": object{b.id("on"): false}})
		b.seeStates("before")
		p.in("solarhub/states", object{"s": object{b.id("plain"): 5}, "ready": true})
		b.seeStates("ready")
		p.in("solarhub/states", object{"s": object{b.id("plain"): 6}, "ready": true})
		b.seeStates("ready again")
	}},
	{"states: a device that hello did not name is served once it is registered", func(b *bench) {
		p := &plug{client: b.dial()}
		b.plugs = append(b.plugs, p)
		p.session = first(p.ask("solarhub/hello", helloOf("house "+b.tag, 1))).(object)["session"]
		p.in("solarhub/states", object{"s": object{}, "ready": true})
		p.in("solarhub/register", b.registration(b.definitions()[:3]))
		b.seeStates("registered")
		p.say(object{b.id("limit"): 3})
		b.seeStates("told")
	}},
	{"disabled entities: told in hello, before the answer to register, and when the owner changes it", func(b *bench) {
		p := b.hello(1000)
		p.in("solarhub/register", b.registration(b.definitions()))
		b.see("config", p.event(func(e object) bool { return e["type"] == "config" }))
		p.ready()
		b.side.disable(b, b.entity("number", "plain"))
		b.see("config", p.event(func(e object) bool { return e["type"] == "config" }))
		b.see("state", b.state(b.entity("number", "plain")))
		b.see("hello", first(b.dial().ask("solarhub/hello", helloOf("house "+b.tag, 1000,
			"D"+b.tag))).(object)["disabled"])
	}},
	{"notice: a value that did not stay", func(b *bench) {
		p := b.plug()
		b.person().ask("subscribe_events", object{"event_type": "solarhub_reverted"})
		p.look("notice", "solarhub/notice", p.within(object{"kind": "reverted", "entity": b.id("plain"), "wanted": 5,
			"found": 6, "seconds": 12.5}))
		p.look("of an entity that is not there", "solarhub/notice",
			p.within(object{"kind": "reverted", "entity": "nosuch", "wanted": 5, "found": 6}))
		p.look("of the cache", "solarhub/notice", p.within(object{"kind": "cache", "reason": "full"}))
		p.look("of the cache, over", "solarhub/notice", p.within(object{"kind": "cache"}))
		p.look("of an unknown kind", "solarhub/notice", p.within(object{"kind": "new", "entity": b.id("plain")}))
		for _, e := range b.person().drain() {
			b.see("event", e)
		}
	}},
}
