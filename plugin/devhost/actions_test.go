package devhost

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

func TestHandshake(t *testing.T) {
	_, open := listen(t, Options{})
	for _, auth := range []any{object{"type": "auth", "access_token": "wrong"}, object{"type": "auth"},
		object{"type": "ping"}, 5} {
		c := open("")
		c.say(auth)
		if got := c.hear(); !strings.Contains(got, `"auth_invalid"`) {
			t.Errorf("%v: %s", auth, got)
		}
		if _, _, err := c.ws.Read(t.Context()); err == nil {
			t.Errorf("%v: the connection stays open", auth)
		}
	}
}

func TestCommandsOfTheHost(t *testing.T) {
	h, open := listen(t, Options{SafeMode: true, PlainToken: "plain"})
	c := open("token")
	c.say(object{"id": 5, "type": "ping"})
	c.want(`{"id":5,"type":"pong"}`)
	c.say(object{"id": 5, "type": "ping"})
	c.want(`{"error":{"code":"id_reuse","message":"Identifier values have to ` +
		`increase."},"id":5,"success":false,"type":"result"}`)
	c.say(object{"id": 0, "type": "ping"})
	c.want(`{"error":{"code":"invalid_format","message":"Message incorrectly ` +
		`formatted."},"id":0,"success":false,"type":"result"}`)
	c.say(object{"id": 6, "type": "nothing"})
	c.want(`{"error":{"code":"unknown_command","message":"Unknown command."},"id":6,"success":false,"type":"result"}`)
	c.say(object{"id": 6, "type": "ping"}) // an unknown command does not use up its id
	c.want(`{"id":6,"type":"pong"}`)
	c.id = 6
	if got := c.ok("get_config", nil); !strings.Contains(got, `"safe_mode":true`) ||
		!strings.Contains(got, `"state":"RUNNING"`) {
		t.Errorf("get_config is %s", got)
	}
	if got := c.ok("get_states", nil); got != "[]" {
		t.Errorf("get_states is %s", got)
	}
	c.refused("invalid_format", "supported_features", nil)
	c.refused("not_found", "unsubscribe_events", object{"subscription": 99})
	c.refused("not_found", "call_service", object{"domain": "light", "service": "turn_on"})
	c.refused("stale_session", host.CommandHeartbeat, object{"session": 1})
	open("plain").refused("unauthorized", host.CommandHello, hello(1))

	c.ok("supported_features", object{"features": object{"coalesce_messages": 1}})
	c.say([]object{{"id": 100, "type": "ping"}, {"id": 101, "type": "ping"}})
	if got := c.hear(); got != `{"id":100,"type":"pong"}` &&
		got != `[{"id":100,"type":"pong"},{"id":101,"type":"pong"}]` {
		t.Errorf("two pongs are %s", got)
	}
	c.ws.Write(t.Context(), websocket.MessageText, []byte(`{"id":NaN}`))
	for {
		if _, _, err := c.ws.Read(t.Context()); err != nil {
			break // what is no JSON ends the connection
		}
	}
	if len(h.States()) != 0 {
		t.Error("there are states")
	}
}

func TestStateEvents(t *testing.T) {
	_, open := listen(t, Options{})
	watcher, plugin := open("token"), open("token")
	watcher.ok("subscribe_events", object{"event_type": "state_changed"})
	session := plugin.plug()
	seen := map[string]string{}
	for len(seen) < 4 || seen["number.inverter_limit"] != "10" {
		var m struct {
			Event struct {
				Data struct {
					EntityID string `json:"entity_id"`
					New      *State `json:"new_state"`
				} `json:"data"`
			} `json:"event"`
		}
		if err := json.Unmarshal([]byte(watcher.hear()), &m); err != nil {
			t.Fatal(err)
		}
		seen[m.Event.Data.EntityID] = m.Event.Data.New.State
	}
	watcher.ok("unsubscribe_events", object{"subscription": 1})
	if got := plugin.ok(host.CommandStates, with(session, object{"s": object{"SN1_limit": 10,
		"nothing": 1}})); got != `{"unknown":["nothing"]}` {
		t.Errorf("states answers %s", got)
	}
}

func TestActions(t *testing.T) {
	h, open := listen(t, Options{})
	plugin, person := open("token"), open("token")
	session := plugin.plug()
	for _, c := range []struct {
		domain, service string
		data            object
		entity          string
		call            object
	}{
		{"number", "set_value", object{"value": 20}, "number.inverter_limit",
			object{"action": "set", "id": "SN1_limit", "value": 20.0, "force": false}},
		{"number", "set_value", object{"value": "21.5"}, "number.inverter_limit",
			object{"action": "set", "id": "SN1_limit", "value": 21.5, "force": false}},
		{"select", "select_option", object{"option": "b"}, "select.inverter_mode",
			object{"action": "set", "id": "SN1_mode", "value": "b", "force": false}},
		{"switch", "turn_on", nil, "switch.inverter_on", object{"action": "set", "id": "SN1_on", "value": true,
			"force": false}},
		{"switch", "turn_off", nil, "switch.inverter_on", object{"action": "set", "id": "SN1_on", "value": false,
			"force": false}},
		{"time", "set_value", object{"time": "6:30:00"}, "time.inverter_at",
			object{"action": "set", "id": "SN1_at", "value": "06:30", "force": false}},
		{"text", "set_value", object{"value": "hi"}, "text.inverter_note",
			object{"action": "set", "id": "SN1_note", "value": "hi", "force": false}},
		{"button", "press", nil, "button.inverter_go", object{"action": "press", "id": "SN1_go"}},
		{"solarhub", "write_value", object{"entity_id": "number.inverter_limit", "value": "7", "force": true}, "",
			object{"action": "set", "id": "SN1_limit", "value": 7.0, "force": true}},
		{"solarhub", "write_value", object{"entity_id": "switch.inverter_on", "value": "On"}, "",
			object{"action": "set", "id": "SN1_on", "value": true, "force": false}},
		{"solarhub", "write_value", object{"entity_id": "time.inverter_at", "value": "07:15"}, "",
			object{"action": "set", "id": "SN1_at", "value": "07:15", "force": false}},
		{"solarhub", "write_value", object{"entity_id": "text.inverter_note", "value": 5}, "",
			object{"action": "set", "id": "SN1_note", "value": "5", "force": false}},
		{"solarhub", "refresh", object{"device_id": deviceID("SN1")}, "", object{"action": "refresh", "device": "SN1"}},
	} {
		fields := object{"domain": c.domain, "service": c.service, "service_data": c.data}
		if c.entity != "" {
			fields["target"] = object{"entity_id": []string{c.entity}}
		}
		id := person.send("call_service", fields)
		call := plugin.answer(session, nil)
		delete(call, "call_id")
		limit := call["remaining_ms"]
		delete(call, "remaining_ms")
		delete(call, "type")
		if !reflect.DeepEqual(call, c.call) || limit != 30000.0 && c.service != "refresh" {
			t.Errorf("%s.%s calls %v with %v ms", c.domain, c.service, call, limit)
		}
		var reply struct {
			ID     int64
			Result struct{ Context Context }
		}
		if err := json.Unmarshal([]byte(person.hear()), &reply); err != nil || reply.ID != id ||
			len(reply.Result.Context.ID) != 26 || *reply.Result.Context.UserID != ownerID {
			t.Errorf("%s.%s answers %+v, %v", c.domain, c.service, reply, err)
		}
	}
	id := person.send("call_service", object{"domain": "solarhub", "service": "read_value", "return_response": true,
		"service_data": object{"entity_id": "number.inverter_limit"}})
	plugin.answer(session, object{"response": object{"value": 5}})
	if got := person.hear(); !strings.Contains(got, fmt.Sprintf(`"id":%d`, id)) ||
		!strings.Contains(got, `"response":{"value":5}`) {
		t.Errorf("read_value answers %s", got)
	}
	if _, ok := h.State("sensor.inverter_power"); ok {
		t.Error("a disabled entity has a state")
	}
}

func TestActionsThatAreRefused(t *testing.T) {
	_, open := listen(t, Options{})
	plugin, person := open("token"), open("token")
	session := plugin.plug()
	limit := object{"entity_id": "number.inverter_limit"}
	for _, c := range []struct {
		domain, service string
		data, target    object
		code, key       string
	}{
		{"number", "set_value", object{"value": 9999}, limit, "service_validation_error", "out_of_range"},
		{"number", "set_value", object{"value": "NaN"}, limit, "invalid_format", ""},
		{"number", "set_value", nil, limit, "invalid_format", ""},
		{"select", "select_option", object{"option": "z"}, object{"entity_id": "select.inverter_mode"},
			"service_validation_error", "not_valid_option"},
		{"time", "set_value", object{"time": "25:00"}, object{"entity_id": "time.inverter_at"}, "invalid_format", ""},
		{"solarhub", "write_value", object{"entity_id": "number.nothing", "value": 1}, nil, "service_validation_error",
			"unknown_entity"},
		{"solarhub", "write_value", object{"entity_id": "number.inverter_limit"}, nil, "invalid_format", ""},
		{"solarhub", "write_value", object{"entity_id": "number.inverter_limit", "value": "inf"}, nil,
			"service_validation_error", "not_a_number"},
		{"solarhub", "write_value", object{"entity_id": "switch.inverter_on", "value": "perhaps"}, nil,
			"service_validation_error", "not_on_or_off"},
	} {
		_, err := person.do("call_service", object{"domain": c.domain, "service": c.service, "service_data": c.data,
			"target": c.target})
		if err == nil || err.Code != c.code || err.Key != c.key {
			t.Errorf("%s.%s %v: %#v", c.domain, c.service, c.data, err)
		}
	}
	// The real one says nothing of entities that are unavailable or do not exist, even when the value is wrong.
	plugin.ok(host.CommandStates, with(session, object{"s": object{}, "u": object{"SN1_limit": false}}))
	person.ok("call_service", object{"domain": "number", "service": "set_value", "service_data": object{"value": 9999},
		"target": limit})
	person.ok("call_service", object{"domain": "number", "service": "set_value", "service_data": object{"value": 1},
		"target": object{"entity_id": "number.nothing"}})

	id := person.send("call_service", object{"domain": "solarhub", "service": "write_value",
		"service_data": object{"entity_id": "number.inverter_limit", "value": 5}})
	plugin.answer(session, object{"value": 6, "superseded": true})
	if got := person.hear(); !strings.Contains(got, `"translation_key":"superseded"`) ||
		!strings.Contains(got, fmt.Sprintf(`"id":%d`, id)) {
		t.Errorf("a superseded write answers %s", got)
	}
}
