package cli_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"solarhub/plugin/cli"
	"solarhub/plugin/devhost"
)

var pageAddress = regexp.MustCompile(`Open  (http://\S+/)`)

// get returns a page of the demo.
func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	http.DefaultClient.CloseIdleConnections()
	return answer, string(body)
}

func TestDemoLeavesNothingBehind(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	out, errs, stop := start(t, "demo", "--port", "0", "--log-format", "json", "--fault", "late=1%:1.2s")
	until(t, out, "Ctrl-C")
	for _, name := range []string{"House", "Garage", "Meter"} {
		until(t, errs, `"device":"`+name+`"`)
	}
	for _, part := range []string{"RTU on ", "9600 8N1, with faults late=1%:1.2s", "Modbus TCP at 127.0.0.1:"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
	answer, page := get(t, pageAddress.FindStringSubmatch(out.String())[1])
	if answer.StatusCode != http.StatusOK || !strings.Contains(page, "<title>SolarHub</title>") {
		t.Errorf("the page is %s: %s", answer.Status, page)
	}
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") ||
		strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if made, _ := os.ReadDir(temporary); len(made) != 1 {
		t.Errorf("%d folders while it runs", len(made))
	}
	if code := stop(); code != cli.ExitOK {
		t.Errorf("ended with %d: %s", code, errs)
	}
	if left, _ := os.ReadDir(temporary); len(left) != 0 {
		t.Errorf("%s is left behind", left[0].Name())
	}
}

func TestDemoKeepsWhatItIsToldTo(t *testing.T) {
	data := filepath.Join(t.TempDir(), "deep", "folder")
	out, errs, stop := start(t, "demo", "--port", "0", "--data", data, "--log-format", "json")
	until(t, out, "Ctrl-C")
	until(t, errs, `"entities":`)
	stop()
	if _, err := os.Stat(filepath.Join(data, "cache")); err != nil {
		t.Error(err)
	}
}

func TestDemoPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	code, out, errs := do(t, "demo", "--port", port)
	if code != cli.ExitFailed || !strings.Contains(errs, "open the page at 127.0.0.1:"+port) ||
		!strings.Contains(errs, "in use") || out != "" {
		t.Errorf("with --port it ended with %d: %s%s", code, out, errs)
	}

	usual, err := net.Listen("tcp", "127.0.0.1:8150") // or another demo has it already
	if err == nil {
		defer usual.Close()
	}
	text, _, _ := start(t, "demo", "--log-level", "error")
	until(t, text, "Ctrl-C")
	if !strings.Contains(text.String(), "Note: port 8150 is taken, so the page is at another one.") ||
		strings.Contains(text.String(), ":8150/") {
		t.Errorf("without --port it says:\n%s", text)
	}
}

func TestDemoAsksForATokenWhereOthersCanReachIt(t *testing.T) {
	out, _, _ := start(t, "demo", "--port", "0", "--listen", "0.0.0.0", "--log-level", "error")
	until(t, out, "Ctrl-C")
	if !regexp.MustCompile(`Open  http://127\.0\.0\.1:\d+/#token=demo\.\w{20,}\.token\n`).MatchString(out.String()) {
		t.Errorf("no token in:\n%s", out)
	}
	if !strings.Contains(out.String(), "From another machine") {
		t.Errorf("no word of how another machine comes to it:\n%s", out)
	}
}

// TestDemoInAHomeAssistant shows the house in another host, which asks for a token.
func TestDemoInAHomeAssistant(t *testing.T) {
	h := devhost.New(devhost.Options{Token: webToken})
	server := httptest.NewServer(h.Handler())
	t.Cleanup(func() { h.Close(); server.Close() })
	out, _, stop := start(t, "demo", "--host", server.URL, "--token-file", file(t, "token.txt", webToken+"\n"),
		"--log-level", "error")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := h.Wait(ctx,
		func() bool {
			s,
				_ := h.State("number.garage_battery_grid_charge_stop_level")
			return s.State == "60"
		}); err != nil {
		t.Fatal(err)
	}
	if err := h.SetValue(ctx, "number.garage_battery_grid_charge_stop_level", 42.0); err != nil {
		t.Error(err)
	}
	if text := out.String(); !strings.Contains(text, "It is shown in the Home Assistant at "+server.URL) ||
		strings.Contains(text, "Open ") || strings.Contains(text, webToken) {
		t.Errorf("it says:\n%s", text)
	}
	if code := stop(); code != cli.ExitOK {
		t.Errorf("ended with %d", code)
	}
}
