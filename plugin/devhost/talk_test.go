package devhost

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"solarhub/plugin/host"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// talker is a client that a test speaks for, message by message.
type talker struct {
	t      *testing.T
	ws     *websocket.Conn
	id     int64
	events []object // that came while do waited for a result
}

// object is a JSON object.
type object = map[string]any

// listen serves h and returns a function that opens connections to it.
func listen(t *testing.T, o Options) (*Host, func(token string) *talker) {
	t.Helper()
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.Handler())
	t.Cleanup(func() { h.Close(); server.Close() })
	return h, func(token string) *talker {
		t.Helper()
		ws, _, err := websocket.Dial(t.Context(), server.URL+"/api/websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { ws.CloseNow() })
		c := &talker{t: t, ws: ws}
		c.want(`{"ha_version":"2026.11.0","type":"auth_required"}`)
		if token != "" {
			c.say(object{"type": "auth", "access_token": token})
			c.want(`{"ha_version":"2026.11.0","type":"auth_ok"}`)
		}
		return c
	}
}

func (c *talker) say(m any) {
	c.t.Helper()
	text, err := json.Marshal(m)
	if err == nil {
		err = c.ws.Write(c.t.Context(), websocket.MessageText, text)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// hear returns the next frame.
func (c *talker) hear() string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, frame, err := c.ws.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(frame)
}

func (c *talker) want(frame string) {
	c.t.Helper()
	if got := c.hear(); got != frame {
		c.t.Fatalf("got\n%s, want\n%s", got, frame)
	}
}

// send sends a command and returns its id.
func (c *talker) send(name string, fields object) int64 {
	c.t.Helper()
	c.id++
	m := object{"id": c.id, "type": name}
	for k, v := range fields {
		if o, is := v.(object); !is || o != nil { // no field rather than null
			m[k] = v
		}
	}
	c.say(m)
	return c.id
}

// do sends a command and returns its result or its error.
func (c *talker) do(name string, fields object) (any, *Error) {
	c.t.Helper()
	id := c.send(name, fields)
	for {
		var m struct {
			ID      int64
			Type    string
			Success bool
			Event   object
			Result  any
			Error   *Error
		}
		if err := json.Unmarshal([]byte(c.hear()), &m); err != nil {
			c.t.Fatal(err)
		}
		if m.ID == id && m.Type == "result" {
			return m.Result, m.Error
		}
		if m.Type == "event" {
			c.events = append(c.events, m.Event)
		}
	}
}

// ok sends a command that must succeed and returns its result as JSON.
func (c *talker) ok(name string, fields object) string {
	c.t.Helper()
	result, refused := c.do(name, fields)
	if refused != nil {
		c.t.Fatalf("%s: %v", name, refused)
	}
	text, _ := json.Marshal(result)
	return string(text)
}

// refused sends a command that must be refused with code.
func (c *talker) refused(code, name string, fields object) {
	c.t.Helper()
	if result, err := c.do(name, fields); err == nil || err.Code != code {
		c.t.Errorf("%s: result %v, error %v; want %s", name, result, err, code)
	}
}

func hello(epoch int64) object {
	return object{"protocol": object{"min": 1, "max": 3, "new": true}, "plugin_version": "1", "installation": "house",
		"epoch":   epoch,
		"devices": []string{"SN1"}}
}

func inverter() object {
	return object{"seq": 0, "last": true, "hash": "h1", "devices": []object{{"id": "SN1", "name": "Inverter"}},
		"entities": []object{
			{"id": "SN1_limit", "device": "SN1", "platform": "number", "key": "limit", "name": "Limit", "min": 0,
				"max": 5000, "step": 1, "enabled": true},
			{"id": "SN1_mode", "device": "SN1", "platform": "select", "key": "mode", "name": "Mode",
				"options": []string{"a", "b"}, "enabled": true},
			{"id": "SN1_on", "device": "SN1", "platform": "switch", "key": "on", "name": "On", "enabled": true},
			{"id": "SN1_at", "device": "SN1", "platform": "time", "key": "at", "name": "At", "enabled": true},
			{"id": "SN1_note", "device": "SN1", "platform": "text", "key": "note", "name": "Note", "max_length": 5,
				"enabled": true},
			{"id": "SN1_go", "device": "SN1", "platform": "button", "key": "go", "name": "Go", "enabled": true},
			{"id": "SN1_power", "device": "SN1", "platform": "sensor", "key": "power", "name": "Power", "unit": "W",
				"enabled": false},
		}}
}

func with(session int64, fields object) object {
	m := object{"session": session}
	for k, v := range fields {
		m[k] = v
	}
	return m
}

// plug brings a plugin to where everything is told.
func (c *talker) plug() (session int64) {
	c.t.Helper()
	result, refused := c.do(host.CommandHello, hello(1000))
	if refused != nil {
		c.t.Fatal(refused)
	}
	session = int64(result.(object)["session"].(float64))
	c.ok(host.CommandRegister, with(session, inverter()))
	c.ok(host.CommandStates, with(session, object{"s": object{"SN1_limit": 10, "SN1_mode": "a", "SN1_on": false,
		"SN1_at": "06:00"}, "ready": true}))
	return session
}

// answer waits for a call and answers it with fields.
func (c *talker) answer(session int64, fields object) (call object) {
	c.t.Helper()
	call = c.call()
	c.send(host.CommandResult, with(session, merge(object{"call_id": call["call_id"], "ok": true}, fields)))
	return call
}

// call waits for a call.
func (c *talker) call() object {
	c.t.Helper()
	for {
		if e := c.event(); e["type"] == "call" {
			return e
		}
	}
}

// event returns the next event; results before it are lost.
func (c *talker) event() (e object) {
	c.t.Helper()
	if len(c.events) > 0 {
		e, c.events = c.events[0], c.events[1:]
		return e
	}
	var m struct{ Event object }
	if err := json.Unmarshal([]byte(c.hear()), &m); err != nil {
		c.t.Fatal(err)
	}
	return m.Event
}

func merge(a, b object) object {
	for k, v := range b {
		a[k] = v
	}
	return a
}

// pipes is a listener over pipes, so that a test's own clock drives its connections.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p *pipes) open(t *testing.T) *talker {
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn,
		error) {
		near, far := net.Pipe()
		p.conns <- far
		return near, nil
	}}}
	ws, _, err := websocket.Dial(t.Context(), "ws://pipe/api/websocket", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	c := &talker{t: t, ws: ws}
	c.hear()
	c.say(object{"type": "auth", "access_token": "token"})
	c.hear()
	return c
}

// inBubble runs a test against a host whose clock is the test's.
func inBubble(t *testing.T, o Options, test func(t *testing.T, h *Host, open func() *talker)) {
	t.Helper()
	o.Hosts = []string{"pipe"}
	synctest.Test(t, func(t *testing.T) {
		h, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx, p) }()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		test(t, h, func() *talker { return p.open(t) })
	})
}
