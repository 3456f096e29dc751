//go:build unix

package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"solarhub/plugin/cli"
	"solarhub/plugin/cli/persontest"
)

const (
	loginCode = "00000000000000000000000000000001"
	goodToken = "a-good.long-lived.token"
)

// loginHost is as much of a host as login and init need: one that takes loginCode and goodToken, and has a version of
// the integration, or none.
func loginHost(t *testing.T, integration ...string) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/auth/providers", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"providers":[]}`)
	})
	mux.HandleFunc("/auth/revoke", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/auth/token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("code") != loginCode {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, `{"access_token":"an-hour","refresh_token":"r","error_description":"Invalid code"}`)
	})
	mux.HandleFunc("/api/websocket", func(w http.ResponseWriter, r *http.Request) {
		serveLogin(w, r, strings.Join(integration, ""))
	})
	mux.HandleFunc("/api/config/config_entries/flow", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"type":"abort","reason":"single_instance_allowed"}`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func serveLogin(w http.ResponseWriter, r *http.Request, integration string) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow()
	ctx := context.Background()
	_ = wsjson.Write(ctx, c, map[string]string{"type": "auth_required", "ha_version": "2026.11.0"})
	var m struct {
		ID    int    `json:"id"`
		Type  string `json:"type"`
		Token string `json:"access_token"`
	}
	answer := map[string]any{"type": "auth_ok", "ha_version": "2026.11.0"}
	if wsjson.Read(ctx, c, &m) != nil || m.Token != goodToken && m.Token != "an-hour" {
		answer["type"] = "auth_invalid"
	}
	for ; wsjson.Write(ctx, c, answer) == nil && wsjson.Read(ctx, c, &m) == nil; answer["id"] = m.ID {
		answer = map[string]any{"type": "result", "success": true, "result": nil}
		switch m.Type {
		case "auth/current_user":
			answer["result"] = map[string]any{"name": "Ada", "is_admin": true}
		case "manifest/get":
			answer["result"] = map[string]any{"version": integration}
		case "auth/long_lived_access_token":
			answer["result"] = goodToken
		case "ping":
			answer["type"] = "pong"
		}
	}
}

// atTerminal carries out a command line for a person at a terminal. ended tells what it ended with.
func atTerminal(t *testing.T, args ...string) (p *persontest.Person, ended func() int) {
	t.Helper()
	p, tty := persontest.New(t)
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(t.Context(), cli.Environment{Manifest: []byte(manifest), In: tty, Out: tty, Err: tty}, args)
	}()
	ended = func() int {
		c := <-code
		code <- c
		return c
	}
	t.Cleanup(func() { ended() }) // the end of the test's context ends it
	return p, ended
}

var loginPage = regexp.MustCompile(`http://\S*/auth/authorize\?\S+`)

// browserEnds is where the host's page leads the browser when the person has logged in.
func browserEnds(t *testing.T, said, code string) string {
	t.Helper()
	page, err := url.Parse(loginPage.FindString(said))
	if err != nil {
		t.Fatal(err)
	}
	q := page.Query()
	return q.Get("redirect_uri") + "?" + url.Values{"code": {code}, "state": {q.Get("state")}}.Encode()
}

// holdsToken checks a file with a token.
func holdsToken(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	info, errStat := os.Stat(path)
	if err != nil || errStat != nil || string(text) != goodToken+"\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("%s: %q, %v, %v", path, text, err, info)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".solarhub-*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func TestLoginByTheBrowser(t *testing.T) {
	s, file := loginHost(t), filepath.Join(t.TempDir(), "token.txt")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	p, ended := atTerminal(t, "login", "--url", s.URL, "--token-file", file)
	said := p.Reads("Address or token: ")
	answer, err := http.Get(browserEnds(t, said, loginCode))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if ended() != cli.ExitOK {
		t.Fatal(p.Text())
	}
	p.Reads("holds a token of Ada for Home Assistant 2026.11.0")
	p.Reads("token_file: " + file)
	holdsToken(t, file)
}

func TestLoginByPasting(t *testing.T) {
	s := loginHost(t)
	for name, paste := range map[string]func(said string) string{
		"the address": func(said string) string { return browserEnds(t, said, loginCode) },
		"a code":      func(string) string { return loginCode },
		"a token":     func(string) string { return goodToken },
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			config := "host:\n  url: " + s.URL + "\n  token_file: secret\n"
			if err := os.WriteFile("solarhub.yaml", []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			p, ended := atTerminal(t, "login")
			said := p.Reads("Address or token: ")
			p.Types("nonsense")
			p.Reads("that has code= in it")
			p.Reads("Address or token: ")
			p.Types(paste(said))
			if ended() != cli.ExitOK {
				t.Fatal(p.Text())
			}
			if strings.Contains(p.Text(), "next:") || strings.Contains(p.Text(), goodToken) ||
				strings.Contains(p.Text(), "code="+loginCode) {
				t.Errorf("it says\n%s", p.Text())
			}
			holdsToken(t, "secret")
		})
	}
}

// Whatever goes wrong, the file that was there stays.
func TestLoginThatFails(t *testing.T) {
	s, dir := loginHost(t), t.TempDir()
	file := filepath.Join(dir, "token.txt")
	if err := os.WriteFile(file, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		does func(p *persontest.Person)
		want string
	}{
		"Ctrl-C":         {func(p *persontest.Person) { p.Presses("half a line\x03") }, "ended by"},
		"a wrong code":   {func(p *persontest.Person) { p.Types(loginCode[1:] + "2") }, "refuses the code"},
		"a wrong token":  {func(p *persontest.Person) { p.Types("x.y.z") }, "refuses the access token"},
		"the end of all": {func(p *persontest.Person) { p.Leaves() }, ""},
	} {
		p, ended := atTerminal(t, "login", "--url", s.URL, "--token-file", file)
		p.Reads("Address or token: ")
		c.does(p)
		if code := ended(); code != cli.ExitFailed || c.want != "" && !strings.Contains(p.Reads(c.want), c.want) {
			t.Errorf("%s: ended with %d: %s", name, code, p.Text())
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != "old" {
			t.Errorf("%s: the file holds %q, %v", name, text, err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}

func TestLoginWithoutATerminal(t *testing.T) {
	s := loginHost(t)
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		token string
		code  int
		want  string
	}{{goodToken + "\n", cli.ExitOK, "token of Ada"}, {"none", cli.ExitFailed, "three parts"}, {"", cli.ExitFailed,
		"is empty"}, {"x.y.z", cli.ExitFailed, "refuses the access token"}} {
		var out, errs text
		code := cli.Run(t.Context(), cli.Environment{Manifest: []byte(manifest), In: strings.NewReader(c.token),
			Out: &out, Err: &errs}, []string{"login", "--url", s.URL, "--paste"})
		if code != c.code || !strings.Contains(out.String()+errs.String(), c.want) {
			t.Errorf("%q: ended with %d: %s%s", c.token, code, &out, &errs)
		}
	}
	holdsToken(t, "token.txt")
	if code, _, errs := do(t, "login"); code != cli.ExitUsage || !strings.Contains(errs, "--url") {
		t.Errorf("ended with %d: %s", code, errs)
	}
	if code, _, errs := do(t, "login", "--url", s.URL, "--token-file", "no/such/folder"); code != cli.ExitFailed ||
		!strings.Contains(errs, "keep the token in no/such/folder") {
		t.Errorf("ended with %d: %s", code, errs)
	}
}
