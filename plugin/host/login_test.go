package host_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/plugin/host"
)

const (
	loginCode  = "00000000000000000000000000000001"
	shortToken = "short.lived.token"
	longToken  = "long.lived.token"
)

// door is as much of a host as a login meets. Its parts can be changed.
type door struct {
	*httptest.Server
	t         *testing.T
	providers http.HandlerFunc
	admin     bool
	refuse    map[string]string // a code for a WebSocket command
	token     func(w http.ResponseWriter, r *http.Request) bool

	mu      sync.Mutex
	revoked []string
	asked   []string // commands
}

func newDoor(t *testing.T) *door {
	d := &door{t: t, admin: true}
	mux := http.NewServeMux()
	mux.HandleFunc("/auth/providers", func(w http.ResponseWriter, r *http.Request) {
		if d.providers != nil {
			d.providers(w, r)
			return
		}
		fmt.Fprint(w, `{"providers":[{"name":"Home Assistant Local","id":null,"type":"homeassistant"}]}`)
	})
	mux.HandleFunc("POST /auth/token", d.exchange)
	mux.HandleFunc("POST /auth/revoke", func(_ http.ResponseWriter, r *http.Request) {
		d.note(&d.revoked, r.FormValue("token"))
	})
	s := &script{t: t}
	mux.HandleFunc("/api/websocket", s.handler(d.talk))
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

func (d *door) note(list *[]string, text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	*list = append(*list, text)
}

// noted returns what was noted so far, one behind the other.
func (d *door) noted(list *[]string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(*list, "\n")
}

func (d *door) exchange(w http.ResponseWriter, r *http.Request) {
	if d.token != nil && d.token(w, r) {
		return
	}
	client, err := url.Parse(r.FormValue("client_id"))
	if r.FormValue("grant_type") != "authorization_code" || r.FormValue("code") != loginCode || err != nil ||
		client.Hostname() != "127.0.0.1" || client.Path != "/" {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"error":"invalid_request","error_description":"Invalid code"}`)
		return
	}
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","refresh_token":"refresh","expires_in":1800}`, shortToken)
}

func (d *door) talk(c *talk) {
	c.say(`{"type":"auth_required","ha_version":"2026.11.0"}`)
	_, _, text := c.hearAll()
	if !strings.Contains(text, shortToken) && !strings.Contains(text, longToken) {
		c.say(`{"type":"auth_invalid","message":"no"}`)
		return
	}
	c.say(`{"type":"auth_ok","ha_version":"2026.11.0"}`)
	for {
		id, name, text := c.hearAll()
		d.note(&d.asked, text)
		code, refused := d.refuse[name]
		switch {
		case name == "":
			return
		case refused:
			c.reply(id, name, map[string]string{name: code})
		case name == "auth/current_user":
			c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":{"name":"Ada","is_admin":%v}}`, id,
				d.admin))
		case name == "manifest/get":
			c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":{"version":"1.2.3"}}`, id))
		case name == "auth/long_lived_access_token":
			c.say(fmt.Sprintf(`{"id":%d,"type":"result","success":true,"result":%q}`, id, longToken))
		default:
			c.reply(id, name, nil)
		}
	}
}

// login begins a login at the door.
func (d *door) login() *host.Login {
	l, err := host.NewLogin(d.address(), d.Client())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(l.Close)
	return l
}

func (d *door) address() host.Address {
	address, err := host.ParseAddress(d.URL)
	if err != nil {
		d.t.Fatal(err)
	}
	return address
}

// back is what the host's page leads the browser to.
func back(t *testing.T, page string, change func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("response_type") != "code" || q.Get("client_id") != q.Get("redirect_uri") {
		t.Errorf("the page is %s", page)
	}
	answer := url.Values{"code": {loginCode}, "state": {q.Get("state")}}
	if change != nil {
		change(answer)
	}
	return q.Get("redirect_uri") + "?" + answer.Encode()
}

// open is a browser.
func open(t *testing.T, at string) (status int, body string) {
	t.Helper()
	answer, err := http.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

func TestLoginInABrowser(t *testing.T) {
	d := newDoor(t)
	l := d.login()
	codes := make(chan string, 1)
	go func() {
		code, err := l.Wait(t.Context())
		if err != nil {
			t.Error(err)
		}
		codes <- code
	}()
	for name, wrong := range map[string]string{
		"another state": back(t, l.Page(), func(v url.Values) { v.Set("state", "guessed") }),
		"no code":       back(t, l.Page(), func(v url.Values) { v.Del("code") }),
		"another page":  strings.Replace(back(t, l.Page(), nil), "/?", "/favicon.ico?", 1),
		"another name":  strings.Replace(back(t, l.Page(), nil), "127.0.0.1", "localhost", 1),
	} {
		if status, body := open(t, wrong); status != 400 && status != 404 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := open(t, back(t, l.Page(), nil)); status != 200 || !strings.Contains(body, "has your login") {
		t.Errorf("the browser sees %d %s", status, body)
	}
	token, user, err := l.Token(t.Context(), <-codes, "SolarHub on a test")
	if err != nil || token.Reveal() != longToken || user.Name != "Ada" || user.Version != "2026.11.0" {
		t.Errorf("%v, %+v, %v", token.Reveal(), user, err)
	}
	if revoked := d.noted(&d.revoked); revoked != "refresh" {
		t.Errorf("revoked: %q", revoked)
	}
	if asked := d.noted(&d.asked); !strings.Contains(asked, `"client_name":"SolarHub on a test"`) {
		t.Errorf("asked: %s", asked)
	}
	if _, err := http.Get(back(t, l.Page(), nil)); err == nil {
		t.Error("it listens on after the login")
	}
}

func TestLoginEndsWithItsContext(t *testing.T) {
	l := newDoor(t).login()
	reason := errors.New("enough")
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, reason)
	defer cancel()
	if _, err := l.Wait(ctx); !errors.Is(err, reason) {
		t.Errorf("%v", err)
	}
}

func TestCodeThatAPersonCopied(t *testing.T) {
	l := newDoor(t).login()
	for copied, right := range map[string]bool{
		back(t, l.Page(), nil): true,
		loginCode:              true,
		back(t, l.Page(), func(v url.Values) { v.Set("state", "other") }): false,
		l.Page():  false,
		"":        false,
		"nothing": false,
	} {
		if code, err := l.Code(copied); (err == nil) != right || right && code != loginCode {
			t.Errorf("%q: %q, %v", copied, code, err)
		}
	}
}

func TestLoginRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(d *door)
		code   string
		want   string
	}{
		"wrong code": {nil, "00000000000000000000000000000002", "refuses the code: Invalid code"},
		"no admin":   {func(d *door) { d.admin = false }, loginCode, `"Ada" is not an administrator`},
		"no token":   {func(d *door) { d.token = says(200, `{}`) }, loginCode, "something else than tokens"},
		"barred": {func(d *door) {
			d.token = says(403, `{"error_description":"User is not active"}`)
		}, loginCode, "not active"},
		"starting": {func(d *door) { d.token = says(502, ``) }, loginCode, "502"},
		"name is taken": {func(d *door) {
			d.refuse = map[string]string{"auth/long_lived_access_token": "unknown_error"}
		}, loginCode, "make a long-lived token"},
	} {
		d := newDoor(t)
		if c.change != nil {
			c.change(d)
		}
		token, _, err := d.login().Token(t.Context(), c.code, "x")
		if err == nil || !token.IsZero() || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if !d.admin && strings.Contains(d.noted(&d.asked), "long_lived") {
			t.Errorf("%s: it asks for a token nevertheless", name)
		}
		if got := d.noted(&d.revoked); got != "" && got != "refresh" || name == "no admin" && got == "" {
			t.Errorf("%s: revoked %q", name, got)
		}
	}
}

// says answers the exchange of the code.
func says(status int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

func TestCheckToken(t *testing.T) {
	d := newDoor(t)
	if user, err := host.CheckToken(t.Context(), d.address(), d.Client(), host.NewSecret(longToken)); err != nil ||
		user.Name != "Ada" {
		t.Errorf("%+v, %v", user, err)
	}
	_, err := host.CheckToken(t.Context(), d.address(), d.Client(), host.NewSecret("a.wrong.one"))
	if !errors.Is(err, host.ErrAuth) {
		t.Errorf("%v", err)
	}
	guest := newDoor(t)
	guest.admin = false
	_, err = host.CheckToken(t.Context(), guest.address(), guest.Client(), host.NewSecret(longToken))
	if !errors.Is(err, host.ErrNotAdmin) {
		t.Errorf("%v", err)
	}
}

func TestCompanion(t *testing.T) {
	for code, want := range map[string]string{"": "1.2.3", host.RefusedNotFound: ""} {
		d := newDoor(t)
		d.refuse = map[string]string{}
		if code != "" {
			d.refuse["manifest/get"] = code
		}
		got, err := host.Companion(t.Context(), d.address(), d.Client(), host.NewSecret(longToken))
		if err != nil || got != want {
			t.Errorf("%q: %q, %v", code, got, err)
		}
	}
}

func TestVisit(t *testing.T) {
	d := newDoor(t)
	if err := host.Visit(t.Context(), d.address(), d.Client()); err != nil {
		t.Error(err)
	}
	for want, answer := range map[string]http.HandlerFunc{
		"is starting": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"has no user yet": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"code":"onboarding_required"}`)
		},
		"bars this machine":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"not Home Assistant": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `<html>a router</html>`) },
		"(HTTP 404)":         http.NotFound,
		"redirects to https://example.org": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.org/", http.StatusMovedPermanently)
		},
	} {
		d.providers = answer
		err := host.Visit(t.Context(), d.address(), host.NewHTTPClient(false))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestVisitWithoutAnswer(t *testing.T) {
	d := newDoor(t)
	safe := httptest.NewUnstartedServer(http.NotFoundHandler())
	safe.Config.ErrorLog = log.New(io.Discard, "", 0)
	safe.StartTLS()
	t.Cleanup(safe.Close)
	safe.Client().Transport.(*http.Transport).TLSClientConfig.Time = func() time.Time {
		return time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	address, err := host.ParseAddress(safe.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Visit(t.Context(), address, safe.Client()); err == nil || !strings.Contains(err.Error(), "clock") {
		t.Errorf("with a clock that is wrong: %v", err)
	}
	for at, want := range map[string]string{
		"http://127.0.0.1:1": "connection refused",
		safe.URL:             "--insecure",
		strings.Replace(d.URL, "http:", "https:", 1): "begin its address with http://",
	} {
		address, err := host.ParseAddress(at)
		if err != nil {
			t.Fatal(err)
		}
		client := host.NewHTTPClient(false)
		err = host.Visit(t.Context(), address, client)
		client.CloseIdleConnections()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", at, err)
		}
	}
}
