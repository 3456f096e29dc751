package devhost

import (
	"encoding/json"
	"fmt"
	"testing"

	"solarhub/plugin/host"
)

// BenchmarkStates tells 500 new values to a host that 2,000 entities are at home in and one page looks at: what an
// update costs the process that the demo is.
func BenchmarkStates(b *testing.B) {
	h, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	c := newConn(h, nil)
	c.admin = true
	h.conns[c] = struct{}{}
	ask := func(name string, fields object) {
		fields["id"], fields["type"] = c.lastID+1, name
		c.dispatch(b.Context(), encoded(fields))
		c.queue = nil
	}
	ask("subscribe_entities", object{})
	ask(host.CommandHello, hello(1))
	for seq := range 10 {
		entities := []object{}
		for i := range 200 {
			id := fmt.Sprint("n", 200*seq+i)
			entities = append(entities, object{"id": id, "device": "SN1", "platform": "sensor", "key": id, "name": id,
				"unit": "W", "enabled": true})
		}
		devices := []object{}
		if seq == 0 {
			devices = append(devices, object{"id": "SN1", "name": "Inverter"})
		}
		ask(host.CommandRegister, with(1, object{"seq": seq, "last": seq == 9, "hash": "h", "devices": devices,
			"entities": entities}))
	}
	ask(host.CommandStates, with(1, object{"s": object{}, "ready": true}))
	if n := len(h.States()); n != 2000 {
		b.Fatalf("%d entities", n)
	}
	frames := make([]json.RawMessage, 2)
	for n := range frames {
		values := object{}
		for i := range 500 {
			values[fmt.Sprint("n", i)] = i + n
		}
		frames[n] = encoded(with(1, object{"id": 100, "type": host.CommandStates, "s": values}))
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		c.lastID = 0
		c.dispatch(b.Context(), frames[i%2])
		if n := len(c.queue); n != 501 {
			b.Fatalf("%d messages, want 500 changes and the answer", n)
		}
		for c.next() != nil {
		}
	}
}
