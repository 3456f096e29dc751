package devhost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

// object is a JSON object.
type object = map[string]any

// with returns an object with the fields of another, which count.
func with(o, more object) object {
	both := maps.Clone(o)
	maps.Copy(both, more)
	return both
}

// patience is how long something may take that must come. A test waits for events, not for time.
const patience = 20 * time.Second

// bench is what a case works at: a person's connection and those of plugins, and the paper for what is seen.
type bench struct {
	t     *testing.T
	side  side
	tag   string // in the names of everything that the case makes
	seen  strings.Builder
	me    *client
	all   []*client
	plugs []*plug
}

// see writes a line down, without what is another each time.
func (b *bench) see(what string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	var plain any
	_ = json.Unmarshal(text, &plain)
	text, _ = json.Marshal(b.timeless("", plain))
	fmt.Fprintf(&b.seen, "%s: %s\n", what, text)
}

var (
	ulid  = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{26}$`)
	hexes = regexp.MustCompile(`^[0-9a-f]{32}$`)
	hexed = regexp.MustCompile(`[0-9a-f]{32}`)
	iso   = regexp.MustCompile(`^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)$`)
)

// ownCodes are the refusals that the companion words, beside the translated ones: PROTOCOL.md, section 1.
var ownCodes = []string{host.RefusedStaleSession, host.RefusedIncompatible, host.RefusedInUse, host.RefusedBadSequence,
	host.RefusedEntryNotLoaded}

// timeless replaces what differs from run to run.
func (b *bench) timeless(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for _, k := range []string{"context", "last_reported", "last_updated", "lu"} { // nobody here relies on these
			delete(v, k)
		}
		if _, context := v["c"].(string); context {
			delete(v, "c")
		}
		for k, one := range v {
			delete(v, k)
			v[b.timeless("", k).(string)] = b.timeless(k, one)
		}
		code, is := v["code"].(string)
		if _, worded := v["message"]; is && worded && v["translation_domain"] != "solarhub" &&
			!slices.Contains(ownCodes, code) {
			return map[string]any{"code": code} // the core words its own errors as it likes
		}
		if key == "rejected" { // for a developer's eyes
			delete(v, "message")
		}
	case []any:
		for i, one := range v {
			v[i] = b.timeless(key, one)
		}
	case float64:
		if slices.Contains([]string{"lc", "session", "clock_ms", "grace_ms"}, key) {
			return strings.ToUpper(key)
		}
	case string:
		if slices.Contains([]string{"version", "companion_version", "ha_version"}, key) {
			return "VERSION"
		}
		switch {
		case ulid.MatchString(v):
			return "ID"
		case hexes.MatchString(v):
			return "HEX"
		case iso.MatchString(v) && !strings.HasPrefix(v, "2020-"):
			return "MOMENT"
		}
		return b.untagged(v)
	}
	return v
}

func (b *bench) untagged(text string) string {
	return strings.NewReplacer(b.tag, "TAG", strings.ToUpper(b.tag), "TAG").Replace(text)
}

func (b *bench) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

// end forgets what the case has made, and closes its connections.
func (b *bench) end() {
	for _, p := range b.plugs {
		p.replies(nil)
	}
	if len(b.plugs) > 0 && b.tag != "" {
		b.clean()
	}
	for _, c := range b.all {
		c.ws.CloseNow()
		<-c.ended
	}
}

// clean removes the devices of the case, as a plugin of a name of its own that has taken them over.
func (b *bench) clean() {
	c := b.dial()
	hello, refused := c.ask("solarhub/hello", helloOf("cleaner "+b.tag, time.Now().UnixMilli()))
	if refused != nil {
		return
	}
	session := hello.(object)["session"]
	devices := []object{{"id": "D" + b.tag, "name": "D"}, {"id": "E" + b.tag, "name": "E"}}
	c.ask("solarhub/register", object{"session": session, "seq": 0, "last": true, "hash": "x", "devices": devices,
		"entities": []object{}})
	c.ask("solarhub/remove", object{"session": session, "devices": []string{"D" + b.tag, "E" + b.tag}})
	c.ask("solarhub/bye", object{"session": session, "reason": "end", "back_in_ms": 0})
}

// person is the connection of someone who looks and acts.
func (b *bench) person() *client {
	if b.me == nil {
		b.me = b.dial()
	}
	return b.me
}

func (b *bench) dial() *client {
	b.t.Helper()
	c := b.connect()
	c.frame(object{"type": "auth", "access_token": b.side.token})
	if m := c.next(); m["type"] != "auth_ok" {
		b.t.Fatalf("the hand-shake answers %v", m)
	}
	go c.read()
	return c
}

// connect opens a connection that has heard auth_required.
func (b *bench) connect() *client {
	b.t.Helper()
	ctx, cancel := b.context()
	defer cancel()
	ws, _, err := websocket.Dial(ctx, b.side.url+"/api/websocket",
		&websocket.DialOptions{HTTPClient: b.side.client})
	if err != nil {
		b.t.Fatal(err)
	}
	ws.SetReadLimit(64 << 20)
	c := &client{b: b, ws: ws, waiting: map[int64]chan object{}, ended: make(chan struct{}),
		arrived: make(chan struct{})}
	if m := c.next(); m["type"] != "auth_required" {
		b.t.Fatalf("the first message is %v", m)
	}
	b.all = append(b.all, c)
	return c
}

// client is one connection.
type client struct {
	b       *bench
	ws      *websocket.Conn
	onEvent func(e object)

	mu      sync.Mutex
	id      int64
	waiting map[int64]chan object
	events  []object      // that came, each with the id of its subscription
	arrived chan struct{} // closed and replaced with each
	ended   chan struct{}
	err     error // why it ended
}

func (c *client) frame(v any) {
	c.b.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		c.b.t.Fatal(err)
	}
	c.raw(websocket.MessageText, text)
}

func (c *client) raw(kind websocket.MessageType, text []byte) {
	ctx, cancel := c.b.context()
	defer cancel()
	_ = c.ws.Write(ctx, kind, text) // a connection that is cut is seen by who reads
}

// next reads one message while nobody else reads; nil when the connection has ended.
func (c *client) next() object {
	ctx, cancel := c.b.context()
	defer cancel()
	_, text, err := c.ws.Read(ctx)
	if err != nil {
		c.err = err
		return nil
	}
	var m object
	if err := json.Unmarshal(text, &m); err != nil {
		c.b.t.Errorf("%v: %s", err, text)
	}
	return m
}

// read hands answers to those who wait until the connection ends.
func (c *client) read() {
	defer close(c.ended)
	for {
		_, text, err := c.ws.Read(context.Background())
		if err != nil {
			c.err = err
			return
		}
		var all []object
		if text[0] != '[' {
			text = slices.Concat([]byte{'['}, text, []byte{']'})
		}
		if err := json.Unmarshal(text, &all); err != nil {
			c.b.t.Errorf("%v: %s", err, text)
		}
		for _, m := range all {
			c.take(m)
		}
	}
}

func (c *client) take(m object) {
	if m["type"] == "event" {
		if c.onEvent != nil {
			c.onEvent(m["event"].(object))
		}
		c.mu.Lock()
		c.events = append(c.events, m)
		close(c.arrived)
		c.arrived = make(chan struct{})
		c.mu.Unlock()
		return
	}
	id, _ := m["id"].(float64)
	c.mu.Lock()
	to := c.waiting[int64(id)]
	delete(c.waiting, int64(id))
	c.mu.Unlock()
	if to != nil {
		to <- m
	}
}

// send sends a command and returns where its answer comes.
func (c *client) send(kind string, fields object) (int64, chan object) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.id++
	return c.id, c.sendAs(c.id, kind, fields)
}

// sendAs sends a command under an id. The mutex is held.
func (c *client) sendAs(id int64, kind string, fields object) chan object {
	m := object{"id": id, "type": kind}
	for k, v := range fields {
		m[k] = v
	}
	to := make(chan object, 1)
	c.waiting[id] = to
	c.frame(m)
	return to
}

func (c *client) wait(what string, to chan object) object {
	c.b.t.Helper()
	select {
	case m := <-to:
		return m
	case <-c.ended:
		return object{"closed": what}
	case <-time.After(patience):
		c.b.t.Fatalf("%s is not answered", what)
		return nil
	}
}

// ask sends a command and returns its result, or its error.
func (c *client) ask(kind string, fields object) (result any, refused object) {
	c.b.t.Helper()
	_, to := c.send(kind, fields)
	m := c.wait(kind, to)
	if m["type"] == "pong" {
		return "pong", nil
	}
	if refused, is := m["error"].(object); is {
		return nil, refused
	}
	return m["result"], nil
}

// look asks and writes down what comes.
func (c *client) look(what, kind string, fields object) any {
	c.b.t.Helper()
	result, refused := c.ask(kind, fields)
	if refused != nil {
		c.b.see(what, object{"error": refused})
	} else {
		c.b.see(what, result)
	}
	return result
}

// lookAs asks under an id and writes down the whole answer.
func (c *client) lookAs(what string, id int64, kind string) {
	c.b.t.Helper()
	c.mu.Lock()
	to := c.sendAs(id, kind, nil)
	c.mu.Unlock()
	c.b.see(what, c.wait(what, to))
}

// event waits for an event that fits and takes it off the list, with those before it.
func (c *client) event(fits func(e object) bool) object {
	c.b.t.Helper()
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		for i, m := range c.events {
			if e := m["event"].(object); fits(e) {
				c.events = slices.Delete(c.events, 0, i+1)
				c.mu.Unlock()
				return e
			}
		}
		arrived := c.arrived
		c.mu.Unlock()
		select {
		case <-arrived:
		case <-c.ended:
			c.b.t.Fatalf("the connection ended, with %v, before the event", c.err)
		case <-deadline:
			c.b.t.Fatalf("the event does not come; there were %v", c.events)
		}
	}
}

// drain takes all events that have come, once a ping has been answered: so none is still on its way.
func (c *client) drain() (all []object) {
	c.ask("ping", nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.events {
		all = append(all, m["event"].(object))
	}
	c.events = nil
	return all
}

// closed waits until the other end has closed.
func (c *client) closed() {
	c.b.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.b.t.Error("the connection stays open")
	}
}

// until waits until something holds that no event tells of.
func (b *bench) until(what string, holds func() bool) {
	b.t.Helper()
	for began := time.Now(); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			b.t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
