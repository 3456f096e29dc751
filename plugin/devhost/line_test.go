package devhost

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestTheLineIsWhatTheProcessTells(t *testing.T) {
	h, open := listen(t, Options{Line: func(_ context.Context, topic string) (any, error) {
		if topic == "nosuch" {
			return nil, errors.New("there is no such topic")
		}
		return object{"topic": topic}, nil
	}})
	c := open("token")
	if got := c.ok("devhost/line", object{"topic": "plan"}); got != `{"topic":"plan"}` {
		t.Errorf("the line is %s", got)
	}
	c.refused("unknown_error", "devhost/line", object{"topic": "nosuch"})
	if h.Watched("exchange") {
		t.Error("somebody listens already")
	}
	h.Publish("exchange", make(chan int)) // nobody listens, so it is not even encoded
	c.ok("devhost/line/subscribe", object{"topic": "exchange"})
	everything := open("token")
	everything.ok("devhost/line/subscribe", nil)
	if !h.Watched("exchange") || !h.Watched("stats") {
		t.Error("nobody listens")
	}
	h.Publish("stats", 1)
	h.Publish("exchange", object{"ms": 5})
	c.want(`{"event":{"data":{"ms":5},"topic":"exchange"},"id":3,"type":"event"}`)
	everything.want(`{"event":{"data":1,"topic":"stats"},"id":1,"type":"event"}`)
	everything.ok("unsubscribe_events", object{"subscription": 1})
	if h.Watched("stats") {
		t.Error("somebody still listens")
	}
	_, without := listen(t, Options{})
	without("token").refused("not_found", "devhost/line", nil)
}

func TestEachWriteTellsHowItEnded(t *testing.T) {
	_, open := listen(t, Options{})
	plugin, watcher, person := open("token"), open("token"), open("token")
	session := plugin.plug()
	watcher.ok("subscribe_events", object{"event_type": "devhost_write"})
	scene := func(service string, data object) int64 {
		return person.send("call_service", object{"domain": "scene", "service": service, "service_data": data})
	}
	scene("create", object{"scene_id": "calm", "snapshot_entities": []string{"number.inverter_limit",
		"switch.inverter_on"}})
	person.hear()
	plugin.ok("solarhub/states", with(session, object{"s": object{"SN1_limit": 7, "SN1_on": true}}))
	id := scene("turn_on", object{"entity_id": "scene.calm"})
	for range 2 {
		call := plugin.call()
		fields := object{"call_id": call["call_id"], "ok": call["id"] == "SN1_on",
			"error": object{"code": "no_answer", "placeholders": object{"reason": "silence"}}}
		plugin.send("solarhub/result", with(session, fields))
	}
	seen := map[string]string{}
	for range 2 {
		data := watcher.event()["data"].(object)
		text, _ := data["error"].(object)
		message, _ := text["message"].(string)
		seen[data["entity_id"].(string)] = message
	}
	if message, told := seen["number.inverter_limit"]; !told || message != "silence" {
		t.Errorf("told of the writes are %v", seen)
	}
	if message, told := seen["switch.inverter_on"]; !told || message != "" {
		t.Errorf("told of the writes are %v", seen)
	}
	if got := person.hear(); !strings.Contains(got, "no_answer") || id == 0 {
		t.Errorf("the scene answers %s", got)
	}
}
