package devhost

import (
	"path/filepath"
	"strings"
	"testing"

	"solarhub/plugin/host"
)

func TestRegistration(t *testing.T) {
	h, open := listen(t, Options{})
	c := open("token")
	result, _ := c.do(host.CommandHello, hello(1000))
	session := int64(result.(object)["session"].(float64))
	if result.(object)["hash"] != nil {
		t.Errorf("hello answers %v", result)
	}
	reg := inverter()
	reg["entities"] = append(reg["entities"].([]object),
		object{"id": "SN1_mode", "device": "SN1", "platform": "select", "key": "mode", "name": "Twice",
			"options": []string{"a"}},
		object{"id": "SN1_bad", "device": "SN1", "platform": "number", "key": "bad", "name": "Bad"},
		object{"id": "SN1_odd", "device": "SN1", "platform": "lamp", "key": "odd", "name": "Odd"},
		object{"id": "SN9_x", "device": "SN9", "platform": "sensor", "key": "x", "name": "X"},
		object{"id": "SN1_limit2", "device": "SN1", "platform": "sensor", "key": "limit2", "name": "Limit",
			"category": "config"})
	c.refused("bad_sequence", host.CommandRegister, with(session, merge(inverter(), object{"seq": 1})))
	got := c.ok(host.CommandRegister, with(session, reg))
	if !strings.HasPrefix(got, `{"created":7,`) || strings.Count(got, `"message"`) != 5 {
		t.Errorf("register answers %s", got)
	}
	for _, id := range []string{"SN1_mode", "SN1_bad", "SN1_odd", "SN9_x", "SN1_limit2"} {
		if !strings.Contains(got, `"id":"`+id+`"`) {
			t.Errorf("%s is not rejected: %s", id, got)
		}
	}
	// after the last
	c.refused("bad_sequence", host.CommandRegister, with(session, merge(inverter(), object{"seq": 1})))

	// Another installation takes the device over: what the first had registered is not what is kept any more.
	other := open("token")
	result, _ = other.do(host.CommandHello, merge(hello(2000), object{"installation": "garage"}))
	second := int64(result.(object)["session"].(float64))
	other.ok(host.CommandRegister,
		with(second, merge(inverter(), object{"entities": inverter()["entities"].([]object)[:2]})))
	if result, _ = c.do(host.CommandHello, hello(1000)); result.(object)["hash"] != nil {
		t.Errorf("the hash after a take-over is %v", result)
	}
	if got := c.ok(host.CommandStates, with(int64(result.(object)["session"].(float64)),
		object{"s": object{"SN1_limit": 1}})); got != `{"unknown":["SN1_limit"]}` {
		t.Errorf("the old owner's states answer %s", got)
	}
	if n := len(h.States()); n != 2 {
		t.Errorf("%d entities are left, want 2", n)
	}
	if got := other.ok(host.CommandRemove, with(second, object{"devices": []string{"SN1"}})); got != `{"removed":1}` ||
		len(h.States()) != 0 {
		t.Errorf("remove answers %s", got)
	}
}

func TestHelloThatIsRefused(t *testing.T) {
	_, open := listen(t, Options{})
	c := open("token")
	c.refused("incompatible_protocol", host.CommandHello, merge(hello(1),
		object{"protocol": object{"min": 2, "max": 3}}))
	c.refused("incompatible_protocol", host.CommandHello, merge(hello(1),
		object{"protocol": object{"min": 0, "max": 0}}))
	c.refused("invalid_format", host.CommandHello, merge(hello(1), object{"installation": ""}))
	c.refused("invalid_format", host.CommandHello, merge(hello(1), object{"epoch": "soon"}))
	c.plug()
	open("token").refused("older_process", host.CommandHello, hello(999))
	_, closed := listen(t, Options{NotLoaded: true})
	closed("token").refused("entry_not_loaded", host.CommandHello, hello(1))
	_, without := listen(t, Options{WithoutCompanion: true})
	without("token").refused("unknown_command", host.CommandHello, hello(1))
}

func TestValuesThatTheHostWouldRefuse(t *testing.T) {
	h, open := listen(t, Options{})
	c := open("token")
	session := c.plug()
	for id, v := range map[string]any{"SN1_limit": "ten", "SN1_mode": "z", "SN1_on": 1, "SN1_at": "24:30",
		"SN1_note": "too long"} {
		c.ok(host.CommandStates, with(session, object{"s": object{id: v}}))
		if s, _ := h.State(id); s.State != Unknown {
			t.Errorf("%s shows %q for %v", id, s.State, v)
		}
	}
	c.ok(host.CommandStates, with(session, object{"s": object{"SN1_limit": 5.5, "SN1_note": "short"}}))
	if s, _ := h.State("SN1_limit"); s.State != "5.5" || s.Attributes["max"] != 5000.0 {
		t.Errorf("limit is %+v", s)
	}
}

func TestDefinitionsAreKeptInAFile(t *testing.T) {
	file := File(filepath.Join(t.TempDir(), "definitions.json"))
	h, open := listen(t, Options{Memory: file})
	open("token").plug()
	if err := h.SetDisabled("SN1_mode", true); err != nil {
		t.Fatal(err)
	}
	h.Close()
	h, open = listen(t, Options{Memory: file})
	if s, ok := h.State("number.inverter_limit"); !ok || s.State != Unavailable {
		t.Errorf("after a restart: %+v", s)
	}
	if _, ok := h.State("SN1_mode"); ok {
		t.Error("a disabled entity came back")
	}
	result := open("token").ok(host.CommandHello, hello(1))
	if !strings.Contains(result, `"hash":"h1"`) || !strings.Contains(result, `"disabled":["SN1_mode","SN1_power"]`) {
		t.Errorf("hello answers %s", result)
	}
	if _, err := New(Options{Memory: File(t.TempDir())}); err == nil {
		t.Error("a folder is taken for a file")
	}
}
