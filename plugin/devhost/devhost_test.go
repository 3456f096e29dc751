package devhost_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"solarhub/plugin/devhost"
	"solarhub/plugin/host/waytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs a test at a host whose clock is the test's.
func inBubble(t *testing.T, o devhost.Options, test func(b *bench, h *devhost.Host)) {
	t.Helper()
	o.Hosts = []string{"pipe"}
	synctest.Test(t, func(t *testing.T) {
		h := devhost.New(o)
		p := waytest.NewPipes()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- h.Run(ctx, p) }()
		client := &http.Client{Transport: &http.Transport{DialContext: p.Dial}}
		b := &bench{t: t, side: side{url: "http://pipe", token: "token", client: client}, tag: "q7"}
		test(b, h)
		b.end()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// shows fails the test unless an entity has a state.
func (b *bench) shows(h *devhost.Host, key, want string) {
	b.t.Helper()
	if s, _ := h.State(b.id(key)); s.State != want {
		b.t.Errorf("%s is %q, want %q", key, s.State, want)
	}
}

func TestASessionWithoutHeartbeatEnds(t *testing.T) {
	inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
		p := b.plug()
		time.Sleep(24 * time.Second)
		p.in("solarhub/heartbeat", nil)
		time.Sleep(24 * time.Second)
		if !h.Ready("house q7") {
			t.Error("the session ended early")
		}
		time.Sleep(2 * time.Second)
		if h.Ready("house q7") {
			t.Error("the session lives without a heartbeat")
		}
		time.Sleep(28 * time.Second)
		b.shows(h, "limit", "1000")
		time.Sleep(2 * time.Second)
		b.shows(h, "limit", devhost.Unavailable)
	})
}

func TestByeSetsTheGrace(t *testing.T) {
	for back, grace := range map[int]time.Duration{100_000: 100 * time.Second, 900_000: 300 * time.Second, 0: 0} {
		inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
			b.plug().in("solarhub/bye", object{"reason": "restart", "back_in_ms": back})
			if grace > 0 {
				time.Sleep(grace - time.Second)
				b.shows(h, "limit", "1000")
			}
			time.Sleep(2 * time.Second)
			b.shows(h, "limit", devhost.Unavailable)
		})
	}
}

func TestACallWaits(t *testing.T) {
	inBubble(t, devhost.Options{Heartbeat: time.Hour}, func(b *bench, h *devhost.Host) {
		p := b.plug()
		p.replies(nil)
		began := time.Now()
		if err := h.SetValue(b.t.Context(), b.id("limit"), 5); err == nil ||
			!strings.Contains(err.Error(), "timeout") || time.Since(began) != 32*time.Second {
			t.Errorf("without an answer it ends with %v after %v", err, time.Since(began))
		}
		p.event(func(e object) bool { return e["type"] == "cancel" })
		p.ws.CloseNow()
		synctest.Wait()
		began = time.Now()
		if err := h.SetValue(b.t.Context(), b.id("limit"), 5); err == nil ||
			!strings.Contains(err.Error(), "not_connected") || time.Since(began) != 10*time.Second {
			t.Errorf("without the plugin it ends with %v after %v", err, time.Since(began))
		}
		done := make(chan error, 1)
		go func() { done <- h.SetValue(b.t.Context(), b.id("limit"), 5) }()
		time.Sleep(5 * time.Second)
		b.plug()
		if err := <-done; err != nil {
			t.Errorf("when the plugin comes back: %v", err)
		}
	})
}

// What waits for a client that does not read is bounded.
func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
		p := b.plug()
		p.say(object{b.id("words"): strings.Repeat("x", 64<<10)})
		c := b.connect()
		c.frame(object{"type": "auth", "access_token": "token"})
		c.next()
		close(c.ended) // nobody reads it in the background
		sent := 0
		for ctx := b.t.Context(); sent < 1000; sent++ {
			text := fmt.Sprintf(`{"id":%d,"type":"get_states"}`, sent+1)
			if c.ws.Write(ctx, websocket.MessageText, []byte(text)) != nil {
				break
			}
			synctest.Wait()
		}
		if sent < 200 || sent > 270 { // 16 MiB of 64 KiB and a little
			t.Errorf("cut off after %d answers, want about 250", sent)
		}
		p.in("solarhub/heartbeat", nil) // another is not disturbed
	})
}

// Who does not say who they are can hold a place for ten seconds only, and there are 128 places.
func TestStrangersHoldAPlaceForAMoment(t *testing.T) {
	inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
		known := b.dial()
		let := 0
		for range 200 {
			ws, _, err := websocket.Dial(b.t.Context(), "http://pipe/api/websocket",
				&websocket.DialOptions{HTTPClient: b.side.client})
			if err == nil {
				defer ws.CloseNow()
				let++
			}
		}
		if let != 127 {
			t.Errorf("%d strangers are let in, want 127", let)
		}
		time.Sleep(11 * time.Second)
		b.dial().ask("get_states", nil)
		known.ask("get_states", nil)
	})
}

func TestAPageOfAnotherSiteOpensNoWebSocket(t *testing.T) {
	h := devhost.New(devhost.Options{Page: http.NotFoundHandler()})
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
	name, _ := os.Hostname()
	for host, want := range map[string]int{name: 404, name + ".local:8150": 404, name + ".example": 421} {
		w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://x/", nil)
		r.Host = host
		if h.Handler().ServeHTTP(w, r); w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestUsers(t *testing.T) {
	for _, c := range []struct {
		options devhost.Options
		token   string
		want    any
	}{
		{devhost.Options{Open: true, Token: "right"}, "whatever", nil},
		{devhost.Options{PlainToken: "plain"}, "plain", "unauthorized"},
	} {
		inBubble(t, c.options, func(b *bench, h *devhost.Host) {
			b.side.token = c.token
			_, refused := b.person().ask("solarhub/hello", helloOf("house", 1))
			if refused["code"] != c.want {
				t.Errorf("%s: hello is answered with %v", c.token, refused)
			}
		})
	}
}

func TestTheLineIsWhatTheProcessTells(t *testing.T) {
	line := func(_ context.Context, topic string) (any, error) {
		if topic == "nosuch" {
			return nil, fmt.Errorf("there is no topic %s", topic)
		}
		return object{"topic": topic}, nil
	}
	inBubble(t, devhost.Options{Line: line}, func(b *bench, h *devhost.Host) {
		c := b.person()
		c.look("plan", "devhost/line", object{"topic": "plan"})
		c.look("none", "devhost/line", object{"topic": "nosuch"})
		if h.Watched("exchange") {
			t.Error("somebody listens already")
		}
		h.Publish("exchange", make(chan int)) // nobody listens, so it is not even encoded
		n, to := c.send("devhost/line/subscribe", object{"topic": "exchange"})
		c.wait("subscribe", to)
		if !h.Watched("exchange") || h.Watched("stats") {
			t.Error("nobody listens, or to everything")
		}
		h.Publish("stats", 1)
		h.Publish("exchange", object{"ms": 5})
		b.see("heard", c.drain())
		c.ask("unsubscribe_events", object{"subscription": n})
		if h.Watched("exchange") {
			t.Error("somebody still listens")
		}
		want := "plan: {\"topic\":\"plan\"}\nnone: {\"error\":{\"code\":\"unknown_error\"}}\n" +
			"heard: [{\"data\":{\"ms\":5},\"topic\":\"exchange\"}]\n"
		if got := b.seen.String(); got != want {
			t.Errorf("seen is\n%s, want\n%s", got, want)
		}
	})
}

// FuzzFrame sends commands as a client may, from the network, to a host with a plugin: none may disturb another client.
func FuzzFrame(f *testing.F) {
	for _, frame := range []string{
		`{"id":1,"type":"call_service","domain":"number","service":"set_value","service_data":{"value":"inf"}}`,
		`{"id":1,"type":"call_service","domain":"scene","service":"create","service_data":{"snapshot_entities":[5]}}`,
		`{"id":1,"type":"call_service","domain":"solarhub","service":"write_value","service_data":{"value":1e300}}`,
		`{"id":1,"type":"devhost/automation","automation":{"watch":"sensor.x","above":1,"set":"switch.x"}}`,
		`{"id":1,"type":"solarhub/states","session":1,"s":{"Dq7_limit":{},"Dq7_mode":[]},"d":{"Dq7":{"online":true}}}`,
		`{"id":1,"type":"solarhub/register","session":1,"seq":0,"last":true,"devices":[5],"entities":[{"id":7}]}`,
		`{"id":1,"type":"solarhub/result","session":1,"call_id":"x","ok":false,"error":{"code":[]}}`,
		`{"id":1.5}`, `[]`, `5`, `null`, "\xff",
	} {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame string) {
		inBubble(t, devhost.Options{}, func(b *bench, h *devhost.Host) {
			p := b.plug()
			b.person().raw(websocket.MessageText, []byte(frame))
			synctest.Wait()
			p.in("solarhub/heartbeat", nil)
		})
	})
}
