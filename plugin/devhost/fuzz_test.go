package devhost

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"solarhub/plugin/host"
)

// service is a call_service as a client sends it.
func service(domain, name, data string) string {
	return fmt.Sprintf(`{"id":1,"type":"call_service","domain":%q,"service":%q,"service_data":%s}`, domain, name, data)
}

// FuzzFrame sends commands as a client may, from the network, to a host with a plugin: none may panic, and each answer
// is JSON. What a command starts has ended when the host is closed.
func FuzzFrame(f *testing.F) {
	for name := range commands {
		f.Add(fmt.Sprintf(`{"id":1,"type":%q}`, name))
	}
	for _, frame := range []string{
		service("number", "set_value", `{"value":"inf","entity_id":"all"}`),
		service("select", "select_option", `{"option":"b","entity_id":["select.inverter_mode"]}`),
		service("scene", "create", `{"scene_id":"x","snapshot_entities":["number.inverter_limit"]}`),
		service("scene", "turn_on", `{"entity_id":"scene.x"}`),
		service("solarhub", "write_value", `{"entity_id":"time.inverter_at","value":1e300}`),
		`{"id":1,"type":"devhost/automation","automation":{"watch":"sensor.x","above":1,"set":"switch.x"}}`,
		`{"id":1,"type":"solarhub/states","session":1,"s":{"SN1_limit":{},"SN1_mode":[]},"d":{"SN1":{"online":true}}}`,
		`{"id":1,"type":"solarhub/register","session":1,"seq":0,"last":true,"hash":"h","devices":[{"id":5}],` +
			`"entities":[{"id":"x","platform":7}]}`,
		`{"id":1,"type":"solarhub/result","session":1,"call_id":"x","ok":false,"error":{"code":[],` +
			`"placeholders":{"reason":{}}}}`,
		`{"id":1.5}`, `[]`, `5`, `{"id":1e400,"type":"ping"}`,
	} {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame string) {
		if !json.Valid([]byte(frame)) {
			return // ends the connection before it gets here
		}
		h, err := New(Options{Write: time.Millisecond, Refresh: time.Millisecond, Answer: time.Millisecond,
			Connect: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		c := newConn(h, nil)
		c.admin = true
		h.conns[c] = struct{}{}
		for i, m := range []any{merge(hello(1), object{"id": 1, "type": host.CommandHello}),
			with(1, merge(inverter(), object{"id": 2, "type": host.CommandRegister})),
			object{"id": 3, "type": host.CommandStates, "session": 1, "s": object{"SN1_limit": 5, "SN1_mode": "a"},
				"ready": true}} {
			c.dispatch(t.Context(), encoded(m))
			c.lastID = 0
			if n := len(c.queue); n <= i {
				t.Fatalf("%v is not answered", m)
			}
		}
		c.dispatch(t.Context(), json.RawMessage(frame))
		h.Close()
		c.running.Wait()
		for _, answer := range c.queue {
			if !json.Valid(answer) {
				t.Errorf("%s answers %s", frame, answer)
			}
		}
	})
}
