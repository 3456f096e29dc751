package host

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

// The JSON of each message, as PROTOCOL.md has it.
func TestMessages(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		message any
		want    string
	}{
		{Hello{Versions{1, 1}, "1.2.3", "house", 1700000000000, []string{"SN1"}},
			`{"protocol":{"min":1,"max":1},"plugin_version":"1.2.3","installation":"house","epoch":1700000000000,` +
				`"devices":["SN1"]}`},
		{HelloResult{Protocol: 1, Session: 3, Disabled: []string{}},
			`{"protocol":1,"companion_version":"","ha_version":"","session":3,"hash":null,"disabled":[],` +
				`"deleted":null,` +
				`"heartbeat_ms":0,"grace_ms":0,"clock_ms":0}`},
		{Register{Session: 1, Seq: 0, Last: true, Hash: "h", Devices: []Device{{ID: "a/b", Via: "a", Name: "B"}},
			Entities: []Entity{}},
			`{"session":1,"seq":0,"last":true,"hash":"h","devices":[{"id":"a/b","via":"a","name":"B"}],"entities":[]}`},
		{Entity{ID: "a_k", Device: "a", Platform: "button", Key: "k", Name: "K"},
			`{"id":"a_k","device":"a","platform":"button","key":"k","name":"K","enabled":false}`},
		{StatesFrame{Session: 1, Values: map[string]any{"x": nil, "y": false, "z": 0.0}},
			`{"session":1,"s":{"x":null,"y":false,"z":0}}`},
		{StatesFrame{Session: 1, Values: map[string]any{"x": 1.5}, Cached: map[string]time.Time{"x": at},
			Available: map[string]bool{"y": false}, Devices: map[string]DeviceState{"a": {Online: false, Reason: "r"}},
			Ready: true},
			`{"session":1,"s":{"x":1.5},"c":{"x":"2026-11-01T12:00:00+01:00"},"u":{"y":false},` +
				`"d":{"a":{"online":false,"reason":"r"}},"ready":true}`},
		{ResultFrame{Session: 1, CallID: "c", OK: true, Value: false, Values: map[string]any{"x": 0.0}},
			`{"session":1,"call_id":"c","ok":true,"value":false,"s":{"x":0}}`},
		{ResultFrame{Session: 1, CallID: "c", Error: NewCallError(CodeLineDown, "why", map[string]string{"line": "l"})},
			`{"session":1,"call_id":"c","ok":false,"error":{"code":"line_down","placeholders":{"line":"l",` +
				`"reason":"why"}}}`},
		{ByeFrame{1, "stopping", 30000}, `{"session":1,"reason":"stopping","back_in_ms":30000}`},
		{Event{Type: EventCall, Call: Call{CallID: "c", Action: ActionSet, ID: "x", Value: 0.0, RemainingMS: 30000}},
			`{"type":"call","call_id":"c","action":"set","id":"x","value":0,"remaining_ms":30000}`},
		{Event{Type: EventRemoved, Devices: []string{"a"}}, `{"type":"removed","devices":["a"]}`},
	} {
		got, err := json.Marshal(c.message)
		if err != nil || string(got) != c.want {
			t.Errorf("%T is\n%s, want\n%s, %v", c.message, got, c.want, err)
		}
		back := reflect.New(reflect.TypeOf(c.message))
		if err := json.Unmarshal(got, back.Interface()); err != nil {
			t.Errorf("%T: %v", c.message, err)
		}
		again, _ := json.Marshal(back.Elem().Interface())
		if string(again) != c.want {
			t.Errorf("%T comes back as %s", c.message, again)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		body any
		want string
	}{
		{nil, `{"id":7,"type":"ping"}`},
		{struct{}{}, `{"id":7,"type":"ping"}`},
		{SessionFrame{3}, `{"id":7,"type":"ping","session":3}`},
	} {
		if got, err := encode(7, "ping", c.body); err != nil || string(got) != c.want {
			t.Errorf("%v is %s, %v", c.body, got, err)
		}
	}
	for _, bad := range []any{5, []int{1}, math.NaN(), map[string]any{"x": math.Inf(1)}} {
		if got, err := encode(7, "ping", bad); err == nil {
			t.Errorf("%v is %s, want an error", bad, got)
		}
	}
}

func TestDecode(t *testing.T) {
	one, err := Decode([]byte(` {"id":1,"type":"result","success":true,"result":{"a":1},"new":2}`))
	if err != nil || len(one) != 1 || string(one[0].Result) != `{"a":1}` {
		t.Errorf("one message is %+v, %v", one, err)
	}
	many, err := Decode([]byte("\n[{\"id\":1,\"type\":\"pong\"},{\"id\":2,\"type\":\"event\",\"event\":{}}]"))
	if err != nil || len(many) != 2 || many[1].ID != 2 {
		t.Errorf("two messages are %+v, %v", many, err)
	}
	for _, bad := range []string{"", "[", "5", `"x"`, `{"id":"x"}`, `[5]`, "\xff"} {
		if got, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%q is %+v, want an error", bad, got)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"id":1,"type":"result","success":false,"error":{"code":"x","message":"y"}}`))
	f.Add([]byte(`[{"id":2,"type":"event","event":{"type":"call","call_id":"a","value":1e400}},null]`))
	f.Add([]byte(`[[[]]]`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		messages, err := Decode(frame)
		if err != nil {
			return
		}
		for _, m := range messages {
			r := answer("command", m)
			if r.err == nil && m.Type != "pong" && !m.Success {
				t.Errorf("%+v counts as a success", m)
			}
			var e Event
			if json.Unmarshal(m.Event, &e) == nil && e.Value != nil {
				if _, err := json.Marshal(Value(e.Value)); err != nil {
					t.Errorf("value %v: %v", e.Value, err)
				}
			}
		}
	})
}

func TestValue(t *testing.T) {
	for _, c := range []struct{ in, want any }{
		{nil, nil}, {true, true}, {"a", "a"}, {"a\xffb", "a\uFFFDb"}, {1.5, 1.5}, {float32(0.5), 0.5},
		{math.NaN(), nil}, {math.Inf(1), nil}, {float32(math.Inf(-1)), nil}, {math.Copysign(0, -1), 0.0},
		{3, int64(3)}, {uint16(65535), int64(65535)}, {uint64(1<<63 + 1), uint64(1<<63 + 1)}, {uint64(5), 5.0},
		{int8(-1), int64(-1)},
		{json.Number("2.5"), 2.5}, {json.Number("x"), nil}, {json.Number("1e999"), nil}, {[]int{1}, nil},
		{struct{}{}, nil},
	} {
		got := Value(c.in)
		if got != c.want {
			t.Errorf("%T %v is %T %v, want %T %v", c.in, c.in, got, got, c.want, c.want)
		}
		if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), "NaN") || string(text) == "-0" {
			t.Errorf("%v is encoded as %s, %v", c.in, text, err)
		}
	}
}

func TestHash(t *testing.T) {
	devices := []Device{{ID: "a", Name: "A"}, {ID: "b", Name: "B"}}
	entities := []Entity{{ID: "a_1", Name: "1"}, {ID: "a_2", Name: "2"}}
	first, err := Hash(devices, entities)
	// Golden: the host keeps it over updates of the plugin, so that it may not change by accident.
	const golden = "1e85069b87abf63d2d8226a133c4873eb418f0f9e5717d46b5b6974e504f58e2"
	if err != nil || first != golden {
		t.Errorf("hash is %q, %v", first, err)
	}
	if other, _ := Hash([]Device{devices[1], devices[0]}, []Entity{entities[1], entities[0]}); other != first {
		t.Error("the order changes the hash")
	}
	if devices[0].ID != "a" || entities[0].ID != "a_1" {
		t.Error("the arguments were sorted")
	}
	changed := []Entity{entities[0], {ID: "a_2", Name: "two"}}
	if other, _ := Hash(devices, changed); other == first {
		t.Error("a change does not change the hash")
	}
	if _, err := Hash(nil, []Entity{{Min: new(float64), Max: nan()}}); err == nil {
		t.Error("NaN has a hash")
	}
}

func nan() *float64 { f := math.NaN(); return &f }

func TestRegisterFrames(t *testing.T) {
	many := func(n, size int) (all []Entity) {
		for i := range n {
			all = append(all, Entity{ID: fmt.Sprint("a_", i), Device: "a", Name: strings.Repeat("x", size)})
		}
		return all
	}
	for _, c := range []struct {
		name     string
		entities []Entity
		frames   int
	}{
		{"none", nil, 1},
		{"a full frame", many(200, 10), 1},
		{"one more", many(201, 10), 2},
		{"long ones", many(100, 10000), 4},
	} {
		d := Definitions{Devices: []Device{{ID: "a/p", Via: "a"}, {ID: "a"}}, Entities: c.entities}
		frames, err := d.frames(9)
		if err != nil || len(frames) != c.frames {
			t.Errorf("%s: %d frames, %v; want %d", c.name, len(frames), err, c.frames)
			continue
		}
		count := 0
		for i, f := range frames {
			text, err := encode(math.MaxInt64, CommandRegister, f)
			if err != nil || len(text) > MaxRegisterBytes {
				t.Errorf("%s: frame of %d bytes, %v", c.name, len(text), err)
			}
			if f.Seq != i || f.Last != (i == len(frames)-1) || f.Session != 9 || f.Hash != frames[0].Hash {
				t.Errorf("%s: frame %d is %d, last %v, session %d", c.name, i, f.Seq, f.Last, f.Session)
			}
			count += len(f.Entities)
		}
		if count != len(c.entities) || frames[0].Devices[0].ID != "a" {
			t.Errorf("%s: %d entities; devices %v", c.name, count, frames[0].Devices)
		}
	}
	if _, err := (Definitions{Entities: many(1, MaxRegisterBytes)}).frames(1); err == nil ||
		!strings.Contains(err.Error(), "a_0") {
		t.Errorf("an entity that fits into no frame: %v", err)
	}
	if got := (Definitions{Devices: []Device{{ID: "b"}, {ID: "a/p", Via: "a"},
		{ID: "a"}}}).Served(); !reflect.DeepEqual(got, []string{"a", "b"}) {
		t.Errorf("served are %q", got)
	}
}

func TestCallError(t *testing.T) {
	more := map[string]string{"min": "0"}
	e := NewCallError(CodeOutOfRange, "9 is above 5", more)
	if e.Error() != "out_of_range: 9 is above 5" || !e.Validation() || len(more) != 1 {
		t.Errorf("%v, validation %v", e, e.Validation())
	}
	if e := (&CallError{Code: CodeNoAnswer}); e.Error() != "no_answer" || e.Validation() {
		t.Errorf("%v, validation %v", e, e.Validation())
	}
}
