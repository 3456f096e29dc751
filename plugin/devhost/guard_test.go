package devhost

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"solarhub/plugin/host"
)

// page is what a test serves beside /api/.
var page = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") })

// request asks a handler as if it had come over the network.
func request(h http.Handler, method, host, path, origin string, headers ...string) *httptest.ResponseRecorder {
	return send(h, method, host, path, "{}", origin, headers...)
}

func send(h http.Handler, method, host, path, body, origin string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(body))
	r.Host = host
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTheMachinesNameIsServed(t *testing.T) {
	h, err := New(Options{Page: page})
	if err != nil {
		t.Fatal(err)
	}
	name, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	for host, want := range map[string]int{name: 200, name + ".local:8150": 200, name + ".example": 421} {
		if got := request(h.Handler(), http.MethodGet, host, "/", "").Code; got != want {
			t.Errorf("Host %q: %d, want %d", host, got, want)
		}
	}
}

func TestAPageOfAnotherSiteOpensNoWebSocket(t *testing.T) {
	h, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.Handler())
	defer server.Close()
	defer h.Close()
	for origin, want := range map[string]int{"http://evil.example": 403, "null": 403, server.URL: 101} {
		ws, answer, err := websocket.Dial(t.Context(), server.URL+"/api/websocket",
			&websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if answer == nil || answer.StatusCode != want {
			t.Errorf("Origin %s: %v, %v", origin, answer, err)
		}
		if ws != nil {
			ws.CloseNow()
		}
	}
}

func TestAnOpenHostTakesEveryToken(t *testing.T) {
	_, open := listen(t, Options{Open: true, Token: "right"})
	open("whatever").ok(host.CommandHello, hello(1)) // which only an administrator may say
}

// watch subscribes to states and returns what proves that the client is not disturbed.
func watch(t *testing.T, open func(string) *talker) (undisturbed func()) {
	t.Helper()
	plugin, watcher := open("token"), open("token")
	session := plugin.plug()
	watcher.ok("subscribe_entities", object{"entity_ids": "number.inverter_limit"})
	watcher.hear()
	n := 10
	return func() {
		t.Helper()
		n++
		plugin.ok(host.CommandStates, with(session, object{"s": object{"SN1_limit": n}}))
		if got := watcher.hear(); !strings.Contains(got, `"s":"`) {
			t.Errorf("the watcher hears %s", got)
		}
	}
}

func TestBadFramesEndTheirOwnConnectionOnly(t *testing.T) {
	h, open := listen(t, Options{})
	undisturbed := watch(t, open)
	for name, frame := range map[string]string{"no JSON": `{"id":1`, "NaN": `{"id":NaN}`,
		"bad UTF-8": "{\"id\":1,\"type\":\"\xff\xfe", "empty": "", "too large": `"` +
			strings.Repeat("x", frameLimit) + `"`, "a list that is none": `[1,`, "deep": strings.Repeat("[",
			100_000), "two": `{"id":1,"type":"ping"}{"id":2,"type":"ping"}`} {
		c := open("token")
		_ = c.ws.Write(t.Context(), websocket.MessageText, []byte(frame)) // it may be cut off before it has sent all
		for {
			if _, _, err := c.ws.Read(t.Context()); err != nil {
				if want := websocket.StatusMessageTooBig; name == "too large" && websocket.CloseStatus(err) != want &&
					!errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") {
					t.Errorf("%s: closed with %v, want %v", name, err, want)
				}
				break
			}
		}
		undisturbed()
	}
	for name, frame := range map[string]string{"wrong token": `{"type":"auth","access_token":"no"}`, "no JSON": `{`,
		"too large": strings.Repeat("x", authLimit+1)} {
		c := open("")
		_ = c.ws.Write(t.Context(), websocket.MessageText, []byte(frame))
		for {
			if _, _, err := c.ws.Read(t.Context()); err != nil {
				break
			}
		}
		undisturbed()
		_ = name
	}
	if err := h.Wait(t.Context(), func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.conns) == 2 &&
			h.unauthenticated == 0
	}); err != nil {
		t.Error(err)
	}
}

func TestAThousandConnections(t *testing.T) {
	h, err := New(Options{Connections: 50})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h.Handler())
	defer server.Close()
	defer h.Close()
	dial := func(token string) (*talker, *http.Response) {
		ws, answer, err := websocket.Dial(t.Context(), server.URL+"/api/websocket", nil)
		if err != nil {
			return nil, answer
		}
		c := &talker{t: t, ws: ws}
		c.hear()
		c.say(object{"type": "auth", "access_token": token})
		c.hear()
		return c, answer
	}
	open := func(token string) *talker { c, _ := dial(token); return c }
	undisturbed := watch(t, open)
	admitted, refused := []*talker{}, 0
	for range 1000 {
		c, answer := dial("token")
		if c != nil {
			admitted = append(admitted, c)
			continue
		}
		if answer == nil || answer.StatusCode != http.StatusServiceUnavailable ||
			answer.Header.Get("Retry-After") == "" {
			t.Fatalf("refused with %v", answer)
		}
		if text, _ := io.ReadAll(answer.Body); !strings.Contains(string(text), "limit") {
			t.Fatalf("refused with %q", text)
		}
		refused++
	}
	if len(admitted) != 48 || refused != 952 {
		t.Errorf("%d are admitted and %d refused, want 48 and 952", len(admitted), refused)
	}
	undisturbed()
	for _, c := range admitted {
		c.ws.CloseNow()
	}
	if err := h.Wait(t.Context(),
		func() bool { h.mu.Lock(); defer h.mu.Unlock(); return len(h.conns) == 2 }); err != nil {
		t.Fatal(err)
	}
	if c := open("token"); c == nil {
		t.Error("there is room again, and nobody is let in")
	}
	undisturbed()
}

// Who does not say who they are can hold few places, and each for ten seconds only.
func TestStrangersHoldFewPlacesForAMoment(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, h *Host, open func() *talker) {
		known := open()
		silent := 0
		for range 100 {
			if _, err := h.stranger(t); err == nil {
				silent++
			}
		}
		if silent != unauthenticatedLimit {
			t.Errorf("%d unauthenticated are let in, want %d", silent, unauthenticatedLimit)
		}
		known.ok("get_states", nil)
		time.Sleep(authTimeout + time.Second)
		synctest.Wait()
		open().ok("get_states", nil)
		known.ok("get_states", nil)
	})
}

// stranger opens a connection that says nothing.
func (h *Host) stranger(t *testing.T) (*websocket.Conn, error) {
	near, far := net.Pipe()
	server := &http.Server{Handler: h.Handler()}
	go func() { _ = server.Serve(&pipes{conns: give(far), done: make(chan struct{})}) }()
	t.Cleanup(func() { _ = server.Close() })
	client := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn,
		error) {
		return near, nil
	}}}
	ws, _, err := websocket.Dial(t.Context(), "ws://pipe/api/websocket", &websocket.DialOptions{HTTPClient: client})
	return ws, err
}

func give(c net.Conn) chan net.Conn {
	all := make(chan net.Conn, 1)
	all <- c
	return all
}
