package devhost_test

import (
	"slices"
	"strings"

	"github.com/coder/websocket"
)

// contractCases are all cases, in the order in which they run.
var contractCases = slices.Concat(connectionCases, companionCases, brokenCases, entityCases, actionCases, refusalCases,
	sceneCases)

// connectionCases: the hand-shake, and what frames and ids must be like.
var connectionCases = []contractCase{
	{"hand-shake: right token", func(b *bench) {
		c := b.connect()
		c.frame(object{"type": "auth", "access_token": b.side.token})
		b.see("answer", c.next())
		go c.read()
		b.see("ping", first(c.ask("ping", nil)))
	}},
	{"hand-shake: wrong token", handshake(`{"type":"auth","access_token":"wrong"}`)},
	{"hand-shake: token of another type", handshake(`{"type":"auth","access_token":5}`)},
	{"hand-shake: no token", handshake(`{"type":"auth"}`)},
	{"hand-shake: a command first", handshake(`{"id":1,"type":"ping"}`)},
	{"hand-shake: a list", handshake(`[]`)},
	{"hand-shake: no JSON", handshake(`{"type":`)},
	{"hand-shake: more than 64 KiB", handshake(`{"type":"auth","access_token":"` + strings.Repeat("x", 70_000) + `"}`)},
	{"unknown command does not use up its id", func(b *bench) {
		c := b.person()
		c.whole("unknown", object{"id": int64(5), "type": "nosuch/command"})
		c.whole("the same id", object{"id": int64(5), "type": "ping"})
	}},
	{"an id is used once and increases", func(b *bench) {
		c := b.person()
		c.whole("5", object{"id": int64(5), "type": "ping"})
		c.whole("5 again", object{"id": int64(5), "type": "ping"})
		c.whole("4", object{"id": int64(4), "type": "ping"})
		c.whole("refused all the same", object{"id": int64(6), "type": "get_states", "more": 1})
		c.whole("6 again", object{"id": int64(6), "type": "ping"})
	}},
	{"an id is a whole number above 0", func(b *bench) {
		c := b.person()
		for _, id := range []any{0, -1, 1.5} {
			c.whole("id", object{"id": id, "type": "ping"})
		}
		for _, text := range []string{`{"id":"7","type":"ping"}`, `{"type":"ping"}`, `{"id":null,"type":"ping"}`, `5`,
			`"ping"`, `null`, `[5]`} {
			c.mu.Lock()
			to := make(chan object, 1)
			c.waiting[0] = to
			c.mu.Unlock()
			c.raw(websocket.MessageText, []byte(text))
			b.see(text, c.wait(text, to))
		}
	}},
	{"a type is a text", func(b *bench) {
		c := b.person()
		for i, kind := range []any{5, "", nil} {
			c.whole("type", object{"id": int64(i + 1), "type": kind})
		}
		c.whole("none", object{"id": int64(9)})
	}},
	{"a field that the command does not have", func(b *bench) {
		for _, kind := range []string{"ping", "get_states", "get_config", "config/device_registry/list",
			"config/entity_registry/list",
			"subscribe_entities", "call_service", "unsubscribe_events"} {
			b.person().look(kind, kind, object{"surplus": 1})
		}
	}},
	{"a field of another type, or none", func(b *bench) {
		c := b.person()
		c.look("features missing", "supported_features", nil)
		c.look("features of texts", "supported_features", object{"features": object{"x": "y"}})
		c.look("event_type", "subscribe_events", object{"event_type": 5})
		c.look("subscription missing", "unsubscribe_events", nil)
		c.look("subscription unknown", "unsubscribe_events", object{"subscription": 99})
		c.look("entity ids", "subscribe_entities", object{"entity_ids": []string{"nodot"}})
		c.look("domain", "call_service", object{"service": "x"})
		c.look("service data", "call_service", object{"domain": "number", "service": "set_value", "service_data": 5})
		c.look("null target", "call_service", object{"domain": "number", "service": "set_value", "target": nil})
		c.look("null data", "call_service", object{"domain": "number", "service": "set_value", "service_data": nil})
	}},
	{"several commands in one frame", func(b *bench) {
		c := b.person()
		c.look("features", "supported_features", object{"features": object{"coalesce_messages": 1}})
		var to []chan object
		c.mu.Lock()
		for id := range int64(3) {
			to = append(to, make(chan object, 1))
			c.waiting[10+id] = to[id]
		}
		c.id = 20
		c.mu.Unlock()
		c.frame([]object{{"id": 10, "type": "ping"}, {"id": 11, "type": "nosuch"},
			{"id": 12, "type": "get_states", "x": 1}})
		for _, t := range to {
			b.see("answer", c.wait("a list", t))
		}
		c.raw(websocket.MessageText, []byte(`[]`))
		b.see("after an empty list", first(c.ask("ping", nil)))
	}},
	{"a binary frame that nobody asked for", func(b *bench) {
		c := b.person()
		c.raw(websocket.MessageBinary, []byte{1, 2, 3})
		b.see("then", first(c.ask("ping", nil)))
	}},
	{"no JSON ends the connection", func(b *bench) {
		c := b.person()
		c.raw(websocket.MessageText, []byte(`{"id":NaN,"type":"ping"}`))
		c.closed()
		b.see("another is not disturbed", first(b.dial().ask("ping", nil)))
	}},
	{"a frame above 4 MiB ends the connection", func(b *bench) {
		c := b.person()
		c.raw(websocket.MessageText, []byte(`{"id":1,"type":"ping","x":"`+strings.Repeat("x", 4<<20)+`"}`))
		c.closed()
		b.see("another is not disturbed", first(b.dial().ask("ping", nil)))
	}},
	{"a frame just below 4 MiB is read", func(b *bench) {
		b.person().look("answer", "ping", object{"x": strings.Repeat("x", 4<<20-100)})
	}},
	{"what the host is", func(b *bench) {
		config := first(b.person().ask("get_config", nil)).(object)
		for _, key := range []string{"state", "safe_mode", "recovery_mode"} {
			b.see(key, config[key])
		}
		for _, domain := range []string{"solarhub", "nosuch"} {
			b.see(domain, slices.Contains(config["components"].([]any), any(domain)))
		}
	}},
}

func first(result any, refused object) any {
	if refused != nil {
		return object{"error": refused}
	}
	return result
}

// handshake sends one frame instead of a good token and looks at what comes until the connection ends.
func handshake(frame string) func(b *bench) {
	return func(b *bench) {
		c := b.connect()
		close(c.ended) // nobody reads it in the background
		c.raw(websocket.MessageText, []byte(frame))
		m := c.next()
		if text, is := m["message"].(string); is && strings.HasPrefix(text, "Auth message incorrectly formatted") {
			m["message"] = "Auth message incorrectly formatted"
		}
		b.see("answer", m)
		if m != nil {
			b.see("then", c.next())
		}
	}
}
