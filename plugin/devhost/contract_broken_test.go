package devhost_test

// brokenCases: PROTOCOL.md, section 6.
var brokenCases = []contractCase{
	{"a connection that is lost: entities stay, a set-value waits for the plugin", func(b *bench) {
		p := b.plug()
		p.ask("unsubscribe_events", object{"subscription": 1}) // as a loss, but one whose moment is known
		p.ws.CloseNow()
		<-p.ended
		b.seeStates("in the time of grace")
		_, to := b.person().send("call_service", serviceFields("number.set_value", object{"value": 4},
			object{"entity_id": b.entity("number", "plain")}))
		b.person().ask("ping", nil) // the call has begun
		p = b.hello(1001)
		p.replies(confirm)
		b.seeStates("hello, before ready")
		p.ready()
		b.see("reply", b.person().wait("the call", to)["success"])
		b.see("state", b.state(b.entity("number", "plain")))
	}},
	{"a new session shows nothing of the old one", func(b *bench) {
		p := b.plug()
		p.ws.CloseNow()
		<-p.ended
		p = b.hello(1001)
		p.in("solarhub/states", object{"s": object{b.id("limit"): 77}, "ready": true})
		b.seeStates("then")
	}},
	{"a call that is pending when the connection is lost", func(b *bench) {
		p := b.plug()
		p.replies(nil)
		to := b.begin(p, 3)
		p.ws.CloseNow()
		<-p.ended
		b.hello(1001) // until then the plugin may not know that the connection is lost
		b.see("reply", b.person().wait("the call", to)["error"])
	}},
	{"a call that is pending when the same process says hello again", func(b *bench) {
		p := b.plug()
		p.replies(nil)
		to := b.begin(p, 3)
		b.hello(1000)
		b.see("reply", b.person().wait("the call", to)["error"])
	}},
	{"a call that is pending at bye", func(b *bench) {
		p := b.plug()
		p.replies(nil)
		to := b.begin(p, 3)
		p.look("bye", "solarhub/bye", p.within(object{"reason": "restart", "back_in_ms": 60_000}))
		b.see("reply", b.person().wait("the call", to)["error"])
		p.look("the session is over", "solarhub/heartbeat", p.within(nil))
		b.seeStates("in the time of grace")
	}},
	{"bye for good", func(b *bench) {
		p := b.plug()
		p.in("solarhub/bye", object{"reason": "stop", "back_in_ms": 0})
		b.seeStates("at once")
		b.call(nil, "solarhub.write_value", object{"entity_id": b.entity("number", "plain"), "value": 1}, nil)
		b.call(nil, "number.set_value", object{"value": 1}, object{"entity_id": b.entity("number", "plain")})
		b.call(nil, "solarhub.refresh", object{"device_id": b.device()}, nil)
		b.call(nil, "solarhub.read_value", object{"entity_id": b.entity("number", "plain")}, nil,
			object{"return_response": true})
	}},
	{"unsubscribing from hello ends the session", func(b *bench) {
		p := b.plug()
		p.look("unsubscribe", "unsubscribe_events", object{"subscription": 1})
		p.look("the session is over", "solarhub/heartbeat", p.within(nil))
	}},
	{"the owner deletes a device", func(b *bench) {
		p := b.plug()
		b.side.remove(b)
		b.see("event", p.event(func(e object) bool { return e["type"] == "removed" }))
		b.seeStates("then")
		again := b.hello(1000)
		hello := func() object {
			return first(again.ask("solarhub/hello", helloOf("house "+b.tag, 1000, "D"+b.tag))).(object)
		}
		b.see("hello", hello())
		again.session = hello()["session"]
		again.look("registered again", "solarhub/register", again.within(b.registration(b.definitions())))
		b.see("deleted", hello()["deleted"])
	}},
	{"the host restarts: entities are there before the plugin", func(b *bench) {
		p := b.plug()
		b.side.disable(b, b.entity("switch", "on"))
		b.me = nil
		b.side.restart(b.t)
		<-p.ended
		for _, s := range b.states() {
			if s["entity_id"] == b.entity("number", "limit") {
				b.see("limit", s)
			}
		}
		b.seeStates("before the plugin")
		hello := first(b.dial().ask("solarhub/hello", helloOf("house "+b.tag, 1, "D"+b.tag))).(object)
		b.see("hash", hello["hash"])
		b.see("disabled", hello["disabled"])
		p = b.hello(1)
		p.ready()
		b.seeStates("after ready, without registering")
	}},
}
