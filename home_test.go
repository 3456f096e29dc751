package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// home is a Home Assistant as an automation, a script or developer tools use it: over its WebSocket and REST API.
type home struct {
	t                  *testing.T
	url, token, config string

	mu      sync.Mutex
	conn    *websocket.Conn
	next    int
	waiting map[int]chan answer
	ended   chan struct{}
}

// answer is the result of a command.
type answer struct {
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	Error   *homeError      `json:"error"`
}

// homeError is what a caller, and through its translation a person, is told.
type homeError struct {
	Code         string         `json:"code"`
	Message      string         `json:"message"`
	Key          string         `json:"translation_key"`
	Placeholders map[string]any `json:"translation_placeholders"`
}

func (e *homeError) Error() string { return e.Code + ": " + e.Message }

var errGone = errors.New("home assistant closed the connection")

// nameHome returns the Home Assistant that the environment names, or skips the test with a way to get one.
func nameHome(t *testing.T) *home {
	t.Helper()
	h := &home{t: t, url: os.Getenv("HASS_URL"), token: os.Getenv("HASS_TOKEN"), config: os.Getenv("HASS_CONFIG")}
	if h.url == "" || h.token == "" || h.config == "" {
		t.Skip("HASS_URL, HASS_TOKEN and HASS_CONFIG name no Home Assistant; .ci/README.md says how to get one in a " +
			"minute")
	}
	return h
}

// connect opens the WebSocket, anew if it was open. It waits for a Home Assistant that is still starting.
func (h *home) connect(ctx context.Context) {
	h.t.Helper()
	h.disconnect()
	var conn *websocket.Conn
	for {
		var err error
		if conn, _, err = websocket.Dial(ctx, strings.Replace(h.url, "http", "ws", 1)+"/api/websocket",
			nil); err == nil {
			break
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			h.t.Fatalf("connect to %s: %v", h.url, err)
		}
	}
	conn.SetReadLimit(64 << 20)
	var hello struct{ Type string }
	for _, want := range []string{"auth_required", "auth_ok"} {
		if want == "auth_ok" {
			h.send(ctx, conn, map[string]any{"type": "auth", "access_token": h.token})
		}
		_, data, err := conn.Read(ctx)
		if json.Unmarshal(data, &hello) != nil || hello.Type != want {
			h.t.Fatalf("connect to %s: got %q instead of %s, %v", h.url, hello.Type, want, err)
		}
	}
	h.mu.Lock()
	h.conn, h.next, h.waiting, h.ended = conn, 0, map[int]chan answer{}, make(chan struct{})
	h.mu.Unlock()
	go h.read(conn, h.ended)
}

func (h *home) send(ctx context.Context, conn *websocket.Conn, message map[string]any) {
	data, err := json.Marshal(message)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := conn.Write(ctx, websocket.MessageText, data); err != nil {
		h.t.Logf("send: %v", err)
	}
}

// read hands results to who waits for them until the connection ends.
func (h *home) read(conn *websocket.Conn, ended chan struct{}) {
	defer close(ended)
	for {
		_, data, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		var message struct {
			ID int `json:"id"`
			answer
		}
		if err := json.Unmarshal(data, &message); err != nil {
			h.t.Errorf("not understood: %v: %s", err, data)
		}
		h.mu.Lock()
		to := h.waiting[message.ID]
		delete(h.waiting, message.ID)
		h.mu.Unlock()
		if to != nil {
			to <- message.answer
		}
	}
}

func (h *home) disconnect() {
	h.mu.Lock()
	conn, ended := h.conn, h.ended
	h.conn = nil
	h.mu.Unlock()
	if conn != nil {
		conn.CloseNow()
		<-ended
	}
}

// ask sends a command and decodes its result into out, a pointer or nil. The error is a *homeError where the host
// refused.
func (h *home) ask(ctx context.Context, message map[string]any, out any) error {
	h.mu.Lock()
	h.next++
	id, conn, ended := h.next, h.conn, h.ended
	to := make(chan answer, 1)
	h.waiting[id] = to
	message["id"] = id
	h.send(ctx, conn, message) // under the lock: the host demands that ids ascend
	h.mu.Unlock()
	select {
	case got := <-to:
		if got.Error != nil {
			return got.Error
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(got.Result, out)
	case <-ended:
		return errGone
	case <-ctx.Done():
		return ctx.Err()
	}
}

// act calls an action as a card, a script or developer tools do, and returns when it has returned.
func (h *home) act(ctx context.Context, action, entityID string, data map[string]any) error {
	domain, name, _ := strings.Cut(action, ".")
	message := map[string]any{"type": "call_service", "domain": domain, "service": name, "service_data": data}
	if entityID != "" && domain != "solarhub" {
		message["target"] = map[string]any{"entity_id": entityID}
	} else if entityID != "" {
		data["entity_id"] = entityID
	}
	return h.ask(ctx, message, nil)
}

// state is what a person sees of an entity.
type state struct {
	EntityID   string         `json:"entity_id"`
	State      string         `json:"state"`
	Attributes map[string]any `json:"attributes"`
}

func (h *home) states(ctx context.Context) map[string]state {
	h.t.Helper()
	var list []state
	if err := h.ask(ctx, map[string]any{"type": "get_states"}, &list); err != nil {
		h.t.Fatalf("get states: %v", err)
	}
	all := map[string]state{}
	for _, s := range list {
		all[s.EntityID] = s
	}
	return all
}

// registered returns the host's entity ids by our unique ids, and which of them are disabled.
func (h *home) registered(ctx context.Context) (ids map[string]string, disabled map[string]bool) {
	h.t.Helper()
	var list []struct {
		EntityID   string `json:"entity_id"`
		UniqueID   string `json:"unique_id"`
		Platform   string `json:"platform"`
		DisabledBy string `json:"disabled_by"`
	}
	if err := h.ask(ctx, map[string]any{"type": "config/entity_registry/list"}, &list); err != nil {
		h.t.Fatalf("list entities: %v", err)
	}
	ids, disabled = map[string]string{}, map[string]bool{}
	for _, e := range list {
		if e.Platform == "solarhub" {
			ids[e.UniqueID], disabled[e.UniqueID] = e.EntityID, e.DisabledBy != ""
		}
	}
	return ids, disabled
}

// until waits until what is true, and ends the test when that takes longer than the limit.
func (h *home) until(ctx context.Context, limit time.Duration, what string, true_ func() bool) time.Duration {
	h.t.Helper()
	began := time.Now()
	for !true_() {
		if time.Since(began) > limit {
			h.t.Fatalf("%s: not within %v", what, limit)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			h.t.Fatalf("%s: %v", what, err)
		}
	}
	return time.Since(began)
}

// post sends JSON to the REST API.
func (h *home) post(ctx context.Context, path string, body any) {
	h.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, bytes.NewReader(data))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+h.token)
	request.Header.Set("Content-Type", "application/json")
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatalf("POST %s: %v", path, err)
	}
	defer reply.Body.Close()
	if text, _ := io.ReadAll(reply.Body); reply.StatusCode != http.StatusOK {
		h.t.Fatalf("POST %s: %s %s", path, reply.Status, text)
	}
}

// restart has Home Assistant restart and waits until it runs again.
func (h *home) restart(ctx context.Context) {
	h.t.Helper()
	if err := h.act(ctx, "homeassistant.restart", "", map[string]any{}); err != nil && !errors.Is(err, errGone) {
		h.t.Fatalf("restart: %v", err)
	}
	<-h.ended
	h.connect(ctx)
	h.until(ctx, time.Minute, "Home Assistant runs again", func() bool {
		var config struct{ State string }
		return h.ask(ctx, map[string]any{"type": "get_config"}, &config) == nil && config.State == "RUNNING"
	})
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting: %w", context.Cause(ctx))
	}
}
