package host

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ in, text, socket, rest string }{
		{"http://house:8123", "http://house:8123", "ws://house:8123/api/websocket", "http://house:8123/api/config"},
		{" https://house/ ", "https://house", "wss://house/api/websocket", "https://house/api/config"},
		{"wss://house/pre/fix/", "https://house/pre/fix", "wss://house/pre/fix/api/websocket",
			"https://house/pre/fix/api/config"},
		{"ws://house:8123/api/websocket", "http://house:8123", "ws://house:8123/api/websocket",
			"http://house:8123/api/config"},
		{"http://[fe80::1]:8123", "http://[fe80::1]:8123", "ws://[fe80::1]:8123/api/websocket",
			"http://[fe80::1]:8123/api/config"},
		{"http://supervisor/core", "http://supervisor/core", "ws://supervisor/core/websocket",
			"http://supervisor/core/api/config"},
		{"ws://supervisor/core/websocket", "http://supervisor/core", "ws://supervisor/core/websocket",
			"http://supervisor/core/api/config"},
	} {
		a, err := ParseAddress(c.in)
		if err != nil || a.String() != c.text || a.WebSocket() != c.socket || a.REST("/config") != c.rest ||
			a.IsZero() {
			t.Errorf("%q is %q, %q, %q, %v", c.in, a, a.WebSocket(), a.REST("/config"), err)
		}
	}
	for in, want := range map[string]string{
		"house:8123": "begins with none", "": "begins with none", "ftp://house": "begins with none",
		"http://":               "has no host name",
		"http://u:secret@house": "user name", "http://house?token=secret": "has a query",
		"http://house:port": "invalid port",
	} {
		a, err := ParseAddress(in)
		if err == nil || !strings.Contains(err.Error(), want) || !a.IsZero() {
			t.Errorf("%q is %q, %v; want an error with %q", in, a, err, want)
		}
	}
}

func TestSecretIsNeverShown(t *testing.T) {
	s := NewSecret("very secret")
	var b bytes.Buffer
	logger := zerolog.New(&b)
	logger.Info().Interface("a", s).Any("b", &s).Stringer("c", s).Object("d", s).EmbedObject(s).
		Interface("e", map[string]any{"x": Options{Token: s}.Token}).Msg("")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", s)
		fmt.Fprintf(&b, verb+"\n", struct{ T Secret }{s})
		fmt.Fprintf(&b, verb+"\n", &struct{ T Secret }{s})
		fmt.Fprintf(&b, verb+"\n", struct{ t Secret }{s})
	}
	text, _ := json.Marshal(map[string]any{"s": s, "p": &s})
	b.Write(text)
	if got := b.String(); strings.Contains(got, "very") || strings.Contains(got, "76657279") ||
		strings.Count(got, "***") < 15 {
		t.Errorf("shown as\n%s", got)
	}
	if s.Reveal() != "very secret" || s.IsZero() || !NewSecret("").IsZero() {
		t.Error("it does not hold its text")
	}
	var back Secret
	if err := json.Unmarshal([]byte(`"typed"`), &back); err != nil || back.Reveal() != "typed" {
		t.Errorf("read as %q, %v", back.Reveal(), err)
	}
}

// rest plays the REST API: the answers by path.
func rest(t *testing.T, answers map[string]string) REST {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		body, _ := io.ReadAll(r.Body)
		answer, ok := answers[r.Method+" "+r.URL.Path+" "+string(body)]
		if !ok {
			t.Logf("no answer to %s %s %s", r.Method, r.URL.Path, body)
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"Invalid handler specified"}`)
			return
		}
		var status int
		if n, _ := fmt.Sscanf(answer, "HTTP %d", &status); n == 1 {
			w.WriteHeader(status)
			return
		}
		if answer == "hang up" {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	at, err := ParseAddress(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	client := NewHTTPClient(false)
	t.Cleanup(client.CloseIdleConnections)
	return REST{Address: at, Token: NewSecret("token"), Client: client}
}

func TestCreateEntry(t *testing.T) {
	const (
		first  = `POST /api/config/config_entries/flow {"handler":"solarhub","show_advanced_options":false}`
		second = `POST /api/config/config_entries/flow/F1 {}`
		form   = `{"type":"form","flow_id":"F1","step_id":"user"}`
	)
	for _, c := range []struct {
		name    string
		answers map[string]string
		created bool
		fault   string
	}{
		{"made", map[string]string{first: form,
			second: `{"type":"create_entry","result":{"entry_id":"E1","state":"loaded"}}`}, true, ""},
		{"made, broken", map[string]string{first: form,
			second: `{"type":"create_entry","result":{"state":"setup_error"}}`}, true, "setup_error"},
		{"there already", map[string]string{first: `{"type":"abort","reason":"single_instance_allowed"}`}, false, ""},
		{"refused", map[string]string{first: form, second: `{"type":"abort","reason":"bad_day"}`}, false, "bad_day"},
		{"asks on", map[string]string{first: form, second: form}, false, "by hand"},
		{"not installed", nil, false, "install its files and restart"},
		{"no administrator", map[string]string{first: "HTTP 403"}, false, "not an administrator"},
		{"starting", map[string]string{first: "HTTP 502"}, false, "is starting"},
		{"another server", map[string]string{first: "<html>"}, false, "is this Home Assistant"},
	} {
		created, err := rest(t, c.answers).CreateEntry(t.Context())
		if created != c.created || (err == nil) != (c.fault == "") || err != nil &&
			!strings.Contains(err.Error(), c.fault) {
			t.Errorf("%s: created %v, %v", c.name, created, err)
		}
	}
	wrong := rest(t, nil)
	wrong.Token = NewSecret("wrong")
	if _, err := wrong.CreateEntry(t.Context()); err == nil || !strings.Contains(err.Error(), "solarhub login") ||
		strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong token: %v", err)
	}
}

func TestRestart(t *testing.T) {
	const restart = `POST /api/services/homeassistant/restart {}`
	for answer, fault := range map[string]string{"[]": "", "hang up": "", "HTTP 500": "500"} {
		err := rest(t, map[string]string{restart: answer}).Restart(t.Context())
		if (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v", answer, err)
		}
	}
	for answer, want := range map[string]bool{`{"state":"RUNNING"}`: true, `{"state":"STARTING"}`: false} {
		if got, err := rest(t, map[string]string{"GET /api/config ": answer}).Running(t.Context()); got != want ||
			err != nil {
			t.Errorf("%s: %v, %v", answer, got, err)
		}
	}
}

func TestInsecureTakesAnyCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"state":"RUNNING"}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	at, _ := ParseAddress(server.URL)
	for _, insecure := range []bool{false, true} {
		client := NewHTTPClient(insecure)
		ok, err := REST{Address: at, Token: NewSecret("t"), Client: client}.Running(context.Background())
		client.CloseIdleConnections()
		if ok != insecure {
			t.Errorf("insecure %v: %v", insecure, err)
		}
	}
}

func TestARedirectToAnotherServerIsNotFollowed(t *testing.T) {
	asked := 0
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(other.Close)
	for name, to := range map[string]string{
		"another port": other.URL,
		"another host": strings.Replace(other.URL, "127.0.0.1", "localhost", 1),
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, to+r.URL.Path, http.StatusTemporaryRedirect)
		}))
		t.Cleanup(server.Close)
		at, _ := ParseAddress(server.URL)
		client := NewHTTPClient(false)
		t.Cleanup(client.CloseIdleConnections)
		o := Options{Address: at, Token: NewSecret("t"), HTTPClient: client}
		if _, err := Dial(t.Context(), o); err == nil || !strings.Contains(err.Error(), "redirects to "+to) {
			t.Errorf("WebSocket, %s: %v", name, err)
		}
		_, err := REST{Address: at, Token: o.Token, Client: client}.Running(t.Context())
		if err == nil || !strings.Contains(err.Error(), "redirects to "+to) {
			t.Errorf("REST, %s: %v", name, err)
		}
	}
	if asked != 0 {
		t.Errorf("the other server was asked %d times", asked)
	}
}

func TestWhichRedirectsAreFollowed(t *testing.T) {
	for _, c := range []struct {
		from, to string
		follow   bool
	}{
		{"http://house/a", "http://house/b", true},
		{"http://house:8123/a", "http://house:8123/b", true},
		{"http://house/a", "https://house/a", true},
		{"http://house:8123/a", "https://house:8123/a", true},
		{"https://house/a", "https://house:443/b", true},
		{"https://house/a", "http://house/a", false},
		{"https://house:8123/a", "http://house:8123/a", false},
		{"http://house:8123/a", "https://house/a", false},
		{"http://house:8123/a", "http://house:8124/a", false},
		{"http://house/a", "http://house:8123/a", false},
		{"http://house/a", "http://haus/a", false},
	} {
		from, _ := url.Parse(c.from)
		to, _ := url.Parse(c.to)
		if got := mayFollow(from, to); got != c.follow {
			t.Errorf("from %s to %s: followed %t, want %t", c.from, c.to, got, c.follow)
		}
	}
}

func TestNewNamesEveryFault(t *testing.T) {
	_, err := New(Options{Installation: strings.Repeat("x", 65)})
	for _, want := range []string{"address", "token", "65 characters", "plugin"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}
