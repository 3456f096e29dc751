package devhost_test

import (
	"fmt"
	"slices"
	"strings"
)

// plug is the plugin's end of a case.
type plug struct {
	*client
	session any
	answer  func(call object) object // fields of solarhub/result; nil: none is sent. The client's mutex guards it
}

// replies has calls answered so from now on, or with nil not at all.
func (p *plug) replies(answer func(call object) object) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = answer
}

func helloOf(installation string, epoch int64, devices ...string) object {
	if devices == nil {
		devices = []string{}
	}
	return object{"protocol": object{"min": 1, "max": 1}, "plugin_version": "1.2.3", "installation": installation,
		"epoch":   epoch,
		"devices": devices}
}

// devices of a case: an inverter with a battery.
func (b *bench) devices() []object {
	return []object{{"id": "D" + b.tag, "name": "Bench " + b.tag, "manufacturer": "Maker", "model": "One",
		"serial_number": "D1", "sw_version": "2"},
		{"id": "D" + b.tag + "/battery", "via": "D" + b.tag, "name": "Bench " + b.tag + " battery"}}
}

// defined is one definition, of the entity with a key.
func (b *bench) defined(key, platform string, more object) object {
	e := object{"id": b.id(key), "device": "D" + b.tag, "platform": platform, "key": key,
		"name": strings.ToUpper(key[:1]) + key[1:], "enabled": true}
	for k, v := range more {
		e[k] = v
	}
	return e
}

func (b *bench) id(key string) string { return "D" + b.tag + "_" + key }

func (b *bench) entity(platform, key string) string {
	return fmt.Sprintf("%s.bench_%s_%s", platform, b.tag, key)
}

// definitions is one entity of each kind.
func (b *bench) definitions() []object {
	return []object{
		b.defined("limit", "number", object{"min": 0, "max": 5000, "step": 1, "unit": "W", "device_class": "power",
			"category": "config", "mode": "box", "icon": "mdi:flash"}),
		b.defined("plain", "number", object{"min": 0, "max": 10, "step": 0.5}),
		b.defined("mode", "select", object{"options": []string{"a", "b", "c"}}),
		b.defined("on", "switch", nil),
		b.defined("at", "time", nil),
		b.defined("note", "text", object{"min_length": 1, "max_length": 5, "pattern": "[a-z]+"}),
		b.defined("go", "button", nil),
		b.defined("power", "sensor", object{"unit": "W", "device_class": "power", "state_class": "measurement",
			"precision": 1}),
		b.defined("kind", "sensor", object{"device_class": "enum", "options": []string{"x", "y"},
			"category": "diagnostic"}),
		b.defined("words", "sensor", nil),
		b.defined("since", "sensor", object{"device_class": "timestamp"}),
		b.defined("alarm", "binary_sensor", object{"device_class": "problem"}),
		b.defined("charge", "sensor", object{"device": "D" + b.tag + "/battery", "unit": "%", "device_class": "battery",
			"state_class": "measurement"}),
		b.defined("off", "sensor", object{"enabled": false}),
	}
}

func (b *bench) values() object {
	return object{b.id("limit"): 1000, b.id("plain"): 2.5, b.id("mode"): "a", b.id("on"): false, b.id("at"): "06:00",
		b.id("note"):  "hi",
		b.id("power"): 12.5, b.id("kind"): "x", b.id("words"): "some", b.id("since"): "2020-01-02T03:04:05+01:00",
		b.id("alarm"):  true,
		b.id("charge"): 50}
}

// hello opens a session without registering anything.
func (b *bench) hello(epoch int64) *plug {
	b.t.Helper()
	p := &plug{client: b.dial()}
	b.plugs = append(b.plugs, p)
	p.onEvent = p.handle
	said := helloOf("house "+b.tag, epoch, "D"+b.tag)
	result, refused := p.ask("solarhub/hello", said)
	for range 1000 { // the host may need a moment to see that the connection before is closed
		if refused == nil || refused["code"] != "installation_in_use" {
			break
		}
		result, refused = p.ask("solarhub/hello", said)
	}
	if refused != nil {
		b.t.Fatalf("hello: %v", refused)
	}
	p.session = result.(object)["session"]
	return p
}

// plug brings a plugin to where everything is told. It confirms every set-value.
func (b *bench) plug() *plug {
	b.t.Helper()
	p := b.hello(1000)
	p.in("solarhub/register", b.registration(b.definitions()))
	p.replies(confirm)
	p.ready()
	return p
}

func (b *bench) registration(entities []object) object {
	return object{"seq": 0, "last": true, "hash": "h1", "devices": b.devices(), "entities": entities}
}

func (p *plug) ready() { p.in("solarhub/states", object{"s": p.b.values(), "ready": true}) }

// confirm says that the device holds what was wanted.
func confirm(call object) object {
	answer := object{"ok": true, "value": call["value"]}
	if call["action"] == "set" {
		answer["s"] = object{call["id"].(string): call["value"]}
	}
	if call["action"] == "read" {
		answer["response"] = object{"value": 5, "unit": "W"}
	}
	return answer
}

// refuse says that a call failed.
func refuse(code any, placeholders object) func(object) object {
	return func(object) object {
		e := object{"code": code}
		if placeholders != nil {
			e["placeholders"] = placeholders
		}
		return object{"ok": false, "error": e}
	}
}

// handle answers calls, and the companion's question whether the plug is alive.
func (p *plug) handle(e object) {
	if e["type"] == "probe" {
		p.send("solarhub/heartbeat", object{"session": p.session})
		return
	}
	p.mu.Lock()
	answer := p.answer
	p.mu.Unlock()
	if e["type"] == "call" && answer != nil {
		fields := answer(e)
		fields["call_id"], fields["session"] = e["call_id"], p.session
		p.send("solarhub/result", fields)
	}
}

// in asks within the session; it must not be refused.
func (p *plug) in(kind string, fields object) any {
	p.b.t.Helper()
	result, refused := p.ask(kind, p.within(fields))
	if refused != nil {
		p.b.t.Fatalf("%s: %v", kind, refused)
	}
	return result
}

// within puts the session into fields.
func (p *plug) within(fields object) object {
	m := object{"session": p.session}
	for k, v := range fields {
		m[k] = v
	}
	return m
}

// say sends values.
func (p *plug) say(values object) { p.in("solarhub/states", object{"s": values}) }

// state is what a person sees of an entity.
func (b *bench) state(entityID string) string {
	for _, s := range b.states() {
		if s["entity_id"] == entityID {
			return s["state"].(string)
		}
	}
	return "none"
}

// states are those of the case.
func (b *bench) states() (all []object) {
	b.t.Helper()
	list, refused := b.person().ask("get_states", nil)
	if refused != nil {
		b.t.Fatal(refused)
	}
	for _, s := range list.([]any) {
		if s := s.(object); strings.Contains(s["entity_id"].(string), b.tag) {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(x, y object) int {
		return strings.Compare(x["entity_id"].(string),
			y["entity_id"].(string))
	})
	return all
}

// seeStates writes down entity_id and state of everything.
func (b *bench) seeStates(what string) {
	b.t.Helper()
	all := object{}
	for _, s := range b.states() {
		all[s["entity_id"].(string)] = s["state"]
	}
	b.see(what, all)
}

// call calls an action as a person and writes down the reply, and what it has the plugin do.
func (b *bench) call(p *plug, name string, data, target object, more ...object) {
	b.t.Helper()
	what := name
	fields := serviceFields(name, data, target)
	for _, m := range more {
		for k, v := range m {
			fields[k] = v
			what += fmt.Sprintf(" %s=%v", k, v)
		}
	}
	for _, of := range []object{data, target} {
		if of != nil {
			what += fmt.Sprintf(" %v", of)
		}
	}
	result, refused := b.person().ask("call_service", fields)
	var reply any = "ok"
	if refused != nil {
		reply = object{"error": refused}
	} else if r := result.(object); r["response"] != nil {
		reply = object{"response": r["response"]}
	}
	b.see(b.untagged(hexed.ReplaceAllString(what, "HEX")), reply)
	if p == nil {
		return
	}
	calls := []string{}
	for _, e := range p.drain() {
		if e["type"] == "call" {
			delete(e, "call_id")
			delete(e, "clock_ms")
			delete(e, "type")
			calls = append(calls, fmt.Sprint(e))
		}
	}
	slices.Sort(calls)
	for _, c := range calls {
		b.see("  calls", strings.TrimPrefix(c, "map"))
	}
}

func serviceFields(name string, data, target object) object {
	domain, service, _ := strings.Cut(name, ".")
	fields := object{"domain": domain, "service": service}
	if data != nil {
		fields["service_data"] = data
	}
	if target != nil {
		fields["target"] = target
	}
	return fields
}

// device is the registry id of the case's device.
func (b *bench) device() string {
	b.t.Helper()
	list, _ := b.person().ask("config/device_registry/list", nil)
	for _, d := range list.([]any) {
		for _, pair := range d.(object)["identifiers"].([]any) {
			if pair.([]any)[1] == "D"+b.tag {
				return d.(object)["id"].(string)
			}
		}
	}
	b.t.Fatal("the device is not in the registry")
	return ""
}

// begin calls an action and returns where its answer comes, once the plugin has it.
func (b *bench) begin(p *plug, value any) chan object {
	b.t.Helper()
	_, to := b.person().send("call_service", serviceFields("number.set_value", object{"value": value},
		object{"entity_id": b.entity("number", "plain")}))
	p.event(func(e object) bool { return e["type"] == "call" })
	return to
}
