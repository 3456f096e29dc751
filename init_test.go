//go:build unix

package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"solarhub/plugin/cli/persontest"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// How good it should be: from nothing to live entities.
const initTime = 2 * time.Minute

// TestEndToEndInit has a person at a terminal set everything up with solarhub init, from nothing to live entities in a
// real Home Assistant, with an inverter on a serial line; the person leaves once in between. INIT_RECORD names a file
// for what stood on the terminal.
func TestEndToEndInit(t *testing.T) {
	h := nameHome(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	b, dir := newHouse(ctx, t)
	i := powdriveOnPort(t, dir)
	h.connect(ctx)
	defer func() { h.disconnect() }()
	h.empty(ctx)

	began := time.Now()
	first := startInit(ctx, t, b.binary, dir)
	first.Reads("Address of Home Assistant")
	first.Types(h.url)
	h.logInByBrowser(ctx, first.Reads("Address or token: "))
	first.Reads("Configuration folder [")
	first.Presses("\x03")
	first.Reads("solarhub init goes on from there")
	first.ended()

	p := startInit(ctx, t, b.binary, dir)
	p.Reads("Done before: ./solarhub.yaml logs in as Owner")
	p.Reads("Configuration folder [")
	p.Types(h.config)
	p.Reads("Restart Home Assistant,")
	p.Types("")
	p.Reads("SolarHub is set up in Home Assistant.")
	p.Reads("Search where")
	p.Types(i.address)
	p.Reads("Write 1 device into ./solarhub.yaml")
	p.Types("yes")
	p.Reads("Search somewhere else")
	p.Types("")
	p.Reads("Start SolarHub now")
	p.Types("")
	h.connect(ctx)
	soc := i.serial + "_battery_soc"
	h.until(ctx, initTime, "a live value of the battery", func() bool {
		ids, _ := h.registered(ctx)
		s := h.states(ctx)[ids[soc]].State
		return s != "" && s != "unavailable" && s != "unknown"
	})
	took := time.Since(began)
	t.Logf("from nothing to live entities in %v", took.Round(time.Second/10))
	if took > initTime {
		t.Errorf("it took %v, not at most %v", took, initTime)
	}
	p.Presses("\x03")
	p.Reads("SolarHub has ended in order")
	p.ended()
	if strings.Contains(p.Text(), "ended by you") {
		t.Error("it takes the end of SolarHub for the end of the conversation")
	}
	h.checkTokens(ctx)
	if info, err := os.Stat(filepath.Join(dir, "token.txt")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token is in %v, %v", info, err)
	}
	if path := os.Getenv("INIT_RECORD"); path != "" {
		record := first.Text() + "\n$ solarhub init\n" + bars.ReplaceAllString(p.Text(), "")
		if err := os.WriteFile(path, []byte("$ solarhub init\n"+record), 0o600); err != nil {
			t.Error(err)
		}
	}
}

// bars are the lines of a progress bar, which stand over each other.
var bars = regexp.MustCompile(`(?m)^ *\d+% \[.*\n`)

// powdriveOnPort simulates a Powdrive on a serial line that keeps the time of 9600 8N1.
func powdriveOnPort(t *testing.T, dir string) inverter {
	t.Helper()
	serial := protocol.DefaultSerial
	pty, err := sim.OpenPTY(filepath.Join(dir, "rs485"))
	if err != nil {
		t.Fatal(err)
	}
	i := newInverter(t, "powdrive", "lv", fmt.Sprintf("23%08d", time.Now().UnixMilli()/100%1e8), sim.Options{
		Serial: &serial, Turnaround: 20 * time.Millisecond})
	i.address = pty.Path()
	serve(t, func(ctx context.Context) error { return i.line.ServePTY(ctx, pty, sim.RTU) })
	return i
}

// initRun is solarhub init and the person before it.
type initRun struct {
	*persontest.Person
	ended func()
}

func startInit(ctx context.Context, t *testing.T, binary, dir string) initRun {
	t.Helper()
	p, terminal := persontest.New(t)
	command := exec.CommandContext(ctx, binary, "init")
	command.Dir = dir
	command.Env = append(os.Environ(), "XDG_DATA_HOME="+filepath.Join(dir, "data"), "TERM=dumb")
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, terminal
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	wait := func() { err := <-ended; ended <- err }
	t.Cleanup(func() {
		_ = command.Process.Kill() // it has ended, unless the test failed
		wait()
		if t.Failed() {
			t.Log(p.Text())
		}
	})
	return initRun{p, wait}
}

// empty takes SolarHub out of Home Assistant, if an earlier test has put it there.
func (h *home) empty(ctx context.Context) {
	h.t.Helper()
	folder := filepath.Join(h.config, "custom_components", "solarhub")
	var entries []struct {
		ID string `json:"entry_id"`
	}
	if err := h.ask(ctx, map[string]any{"type": "config_entries/get", "domain": "solarhub"}, &entries); err != nil {
		h.t.Fatal(err)
	}
	for _, e := range entries {
		request, err := http.NewRequestWithContext(ctx, http.MethodDelete,
			h.url+"/api/config/config_entries/entry/"+e.ID, nil)
		if err != nil {
			h.t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+h.token)
		h.fetch(request, nil)
	}
	if _, err := os.Stat(folder); err != nil {
		return
	}
	if err := os.RemoveAll(folder); err != nil {
		h.t.Fatal(err)
	}
	h.restart(ctx)
}

// fetch carries out a request that must succeed, and decodes its answer into out, a pointer or nil.
func (h *home) fetch(request *http.Request, out any) (ended string) {
	h.t.Helper()
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		h.t.Fatalf("%s: %s", request.URL.Path, answer.Status)
	}
	if out != nil {
		if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
			h.t.Fatal(err)
		}
	}
	return answer.Request.URL.String()
}

var loginPage = regexp.MustCompile(`http://\S*/auth/authorize\?\S+`)

// logInByBrowser does what the login page does in a browser, with the owner's name and password, and ends where the
// page leads.
func (h *home) logInByBrowser(ctx context.Context, said string) {
	h.t.Helper()
	page, err := url.Parse(loginPage.FindString(said))
	if err != nil {
		h.t.Fatal(err)
	}
	q := page.Query()
	var flow struct {
		ID     string `json:"flow_id"`
		Type   string `json:"type"`
		Result string `json:"result"`
	}
	h.flow(ctx, "/auth/login_flow", map[string]any{"client_id": q.Get("client_id"),
		"redirect_uri": q.Get("redirect_uri"), "handler": []any{"homeassistant", nil}}, &flow)
	h.flow(ctx, "/auth/login_flow/"+flow.ID, map[string]any{"client_id": q.Get("client_id"), "username": "owner",
		"password": "owner"}, &flow)
	if flow.Type != "create_entry" {
		h.t.Fatalf("the login page answers %+v", flow)
	}
	back := q.Get("redirect_uri") + "?" + url.Values{"code": {flow.Result}, "state": {q.Get("state")}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, back, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.fetch(request, nil)
}

func (h *home) flow(ctx context.Context, path string, body, out any) {
	h.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		h.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, bytes.NewReader(data))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	h.fetch(request, out)
}

// checkTokens makes sure that the login has left one long-lived token and nothing else.
func (h *home) checkTokens(ctx context.Context) {
	h.t.Helper()
	var all []struct {
		Name   string `json:"client_name"`
		Client string `json:"client_id"`
		Type   string `json:"type"`
		ID     string `json:"id"`
	}
	if err := h.ask(ctx, map[string]any{"type": "auth/refresh_tokens"}, &all); err != nil {
		h.t.Fatal(err)
	}
	ours := 0
	for _, token := range all {
		if strings.HasPrefix(token.Name, "SolarHub on ") && token.Type == "long_lived_access_token" {
			ours++
			_ = h.ask(ctx, map[string]any{"type": "auth/delete_refresh_token", "refresh_token_id": token.ID}, nil)
		}
		if strings.HasPrefix(token.Client, "http://127.0.0.1:") && !strings.HasPrefix(token.Client, h.url) {
			h.t.Errorf("a token of the login is left: %+v", token)
		}
	}
	if ours != 1 {
		h.t.Errorf("%d tokens of SolarHub: %+v", ours, all)
	}
}
