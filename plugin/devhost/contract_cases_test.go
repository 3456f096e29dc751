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
	{"hand-shake: a command first", handshake(`{"id":1,"type":"ping"}`)},
	{"hand-shake: more than 64 KiB", handshake(`{"type":"auth","access_token":"` + strings.Repeat("x", 70_000) + `"}`)},
	{"an id is used once and increases, but an unknown command does not use it up", func(b *bench) {
		c := b.person()
		c.lookAs("unknown", 5, "nosuch/command")
		c.lookAs("the same id", 5, "ping")
		c.lookAs("5 again", 5, "ping")
		c.lookAs("4", 4, "ping")
		c.lookAs("none", 0, "ping")
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
