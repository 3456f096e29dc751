package host_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

// script is a host that a test plays: one function for each connection.
type script struct {
	t     *testing.T
	mu    sync.Mutex
	dials []time.Time
}

// talk is one connection of a script.
type talk struct {
	t  *testing.T
	ws *websocket.Conn
}

// handler answers each dial with play; what play returns from is cut.
func (s *script) handler(play func(c *talk)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.note()
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer ws.CloseNow()
		ws.SetReadLimit(-1)
		play(&talk{t: s.t, ws: ws})
	}
}

// scripted starts a client whose host plays something on each connection.
func scripted(t *testing.T, play func(c *talk)) (*lab, *script) {
	t.Helper()
	l, s := newLab(t), &script{t: t}
	l.listen(s.handler(play))
	l.start()
	return l, s
}

func (s *script) note() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials = append(s.dials, time.Now())
}

func (s *script) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dials)
}

// waits returns the times between the dials.
func (s *script) waits() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []time.Duration
	for i := 1; i < len(s.dials); i++ {
		all = append(all, s.dials[i].Sub(s.dials[i-1]))
	}
	return all
}

func (c *talk) say(text string) {
	_ = c.ws.Write(context.Background(), websocket.MessageText, []byte(text))
}

// hear returns the next command; its name is empty when the client has left.
func (c *talk) hear() (id int64, name string) {
	id, name, _ = c.hearAll()
	return id, name
}

// hearAll returns the next command with its text.
func (c *talk) hearAll() (id int64, name, text string) {
	_, frame, err := c.ws.Read(context.Background())
	if err != nil {
		return 0, "", ""
	}
	var m struct {
		ID   int64  `json:"id"`
		Type string `json:"type"`
	}
	_ = json.Unmarshal(frame, &m)
	return m.ID, m.Type, string(frame)
}

// play is a companion in good health that sends events after the first snapshot. It returns the results that have come.
func (l *lab) play(events ...string) (results func() []string) {
	var mu sync.Mutex
	var all []string
	s := &script{t: l.t}
	l.listen(s.handler(func(c *talk) {
		c.greet()
		c.serve(host.CommandStates, nil)
		for _, e := range events {
			c.say(`{"id":2,"type":"event","event":` + e + `}`)
		}
		for {
			id, name, text := c.hearAll()
			if name == "" {
				return
			}
			if name == host.CommandResult {
				mu.Lock()
				all = append(all, text)
				mu.Unlock()
			}
			c.reply(id, name, nil)
		}
	}))
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(all)
	}
}

// greet does the hand-shake.
func (c *talk) greet() {
	c.say(`{"type":"auth_required","ha_version":"2026.11.0"}`)
	c.hear()
	c.say(`{"type":"auth_ok","ha_version":"2026.11.0"}`)
}

const helloResult = `{"protocol":1,"companion_version":"1","ha_version":"2026.11.0","session":7,"hash":null,` +
	`"disabled":[],"heartbeat_ms":10000,"grace_ms":30000}`

// answers are the results of a companion in good health.
var answers = map[string]string{
	host.CommandHello:    helloResult,
	host.CommandRegister: `{"created":6,"updated":0,"removed":0,"rejected":[]}`,
	host.CommandStates:   `{"unknown":[]}`,
	"get_config":         `{"state":"RUNNING","safe_mode":false,"recovery_mode":false}`,
}

// reply answers one command: with the error if there is one under its name, else as a companion in good health.
func (c *talk) reply(id int64, name string, refusals map[string]string) {
	if code, ok := refusals[name]; ok {
		c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":false,"error":{"code":%q,"message":"no"}}`, id, code))
		return
	}
	if name == "ping" {
		c.say(fmt.Sprintf(`{"id":%d,"type":"pong"}`, id))
		return
	}
	result := answers[name]
	if result == "" {
		result = "null"
	}
	c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":%s}`, id, result))
}

// starting answers as a host does that starts: hello is refused with a code, and get_config says why.
func (c *talk) starting(code string) {
	for {
		id, name := c.hear()
		switch name {
		case "":
			return
		case "get_config":
			c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":{"state":"NOT_RUNNING"}}`, id))
		default:
			c.reply(id, name, map[string]string{host.CommandHello: code})
		}
	}
}

// serve answers until the client leaves or until one command was answered.
func (c *talk) serve(until string, refusals map[string]string) {
	for {
		id, name := c.hear()
		if name == "" {
			return
		}
		c.reply(id, name, refusals)
		if name == until {
			return
		}
	}
}
