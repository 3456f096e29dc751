package cli_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"solarhub/plugin/cli"
)

const token = "a-token-that-nobody-may-see"

// standIn is as much of a host's REST API as install needs.
type standIn struct {
	*httptest.Server
	mu       sync.Mutex
	known    bool // the integration was loaded by a start
	entries  int
	restarts int
	away     int // so many requests are answered as by a host that is starting
}

func newStandIn(t *testing.T, known bool) *standIn {
	s := &standIn{known: known}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return s
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Connection", "close")
	answer := map[string]any{}
	switch {
	case r.Header.Get("Authorization") != "Bearer "+token:
		w.WriteHeader(http.StatusUnauthorized)
	case s.away > 0:
		if s.away--; s.away == 0 {
			s.known = true
		}
		w.WriteHeader(http.StatusBadGateway)
	case r.URL.Path == "/api/config":
		answer["state"] = "RUNNING"
	case r.URL.Path == "/api/services/homeassistant/restart":
		s.restarts++
		s.away = 2
	case !s.known:
		w.WriteHeader(http.StatusNotFound)
		answer["message"] = "Invalid handler specified"
	case r.URL.Path == "/api/config/config_entries/flow" && s.entries > 0:
		answer["type"], answer["reason"] = "abort", "single_instance_allowed"
	case r.URL.Path == "/api/config/config_entries/flow":
		answer["type"], answer["flow_id"] = "form", "1"
	case r.URL.Path == "/api/config/config_entries/flow/1":
		s.entries++
		answer["type"], answer["result"] = "create_entry", map[string]string{"entry_id": "2", "state": "loaded"}
	default:
		w.WriteHeader(http.StatusNotImplemented)
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// configuration is a folder of a host.
func configuration(t *testing.T) string {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "configuration.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestInstallFilesOnly(t *testing.T) {
	folder := configuration(t)
	code, out, errs := do(t, "install", "--ha-config", folder)
	if code != cli.ExitOK || !strings.Contains(out, "installed version 1.2.3") ||
		!strings.Contains(out, "next: restart Home Assistant") {
		t.Fatalf("ended with %d: %s%s", code, out, errs)
	}
	got, err := os.ReadFile(filepath.Join(folder, "custom_components", "solarhub", "manifest.json"))
	if err != nil || string(got) != manifest {
		t.Errorf("manifest.json is %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "custom_components", "solarhub", "__init__.py")); err != nil {
		t.Error(err)
	}
	if _, out, _ = do(t, "install", "--ha-config", folder); !strings.Contains(out, "version 1.2.3 is in") {
		t.Errorf("the second time it says %s", out)
	}
	other := t.TempDir()
	if code, _, errs = do(t, "install", "--ha-config", other); code != cli.ExitFailed ||
		!strings.Contains(errs, "configuration.yaml") {
		t.Errorf("a folder that is none ended with %d: %s", code, errs)
	}
	if code, out, errs = do(t, "install", "--ha-config", other, "--force"); code != cli.ExitOK ||
		!strings.Contains(out, "installed version 1.2.3") {
		t.Errorf("with --force it ended with %d: %s%s", code, out, errs)
	}
}

func TestInstallSetsUp(t *testing.T) {
	s := newStandIn(t, false)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := do(t, "install", "--url", s.URL, "--token-file", file)
	if code != cli.ExitFailed || !strings.Contains(errs, "restart Home Assistant first") ||
		!strings.Contains(errs, "--restart") {
		t.Fatalf("before the restart it ended with %d: %s", code, errs)
	}
	code, out, errs := do(t, "install", "--ha-config", configuration(t), "--url", s.URL, "--token-file", file,
		"--restart")
	if code != cli.ExitOK || s.restarts != 1 || s.entries != 1 {
		t.Fatalf("ended with %d, %d restarts, %d entries: %s%s", code, s.restarts, s.entries, out, errs)
	}
	for _, part := range []string{"installed", "restarting", "it is back", "set up SolarHub", "next: solarhub run"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
	t.Setenv("SOLARHUB_TEST_TOKEN", token)
	if code, out, _ = do(t, "install", "--url", s.URL, "--token-env", "SOLARHUB_TEST_TOKEN"); code != cli.ExitOK ||
		!strings.Contains(out, "set up at "+s.URL+" already") {
		t.Errorf("the second time it ended with %d: %s", code, out)
	}
}

func TestInstallGivesUpWaiting(t *testing.T) {
	s := newStandIn(t, true)
	s.away = 1 << 30
	code, _, errs := do(t, "install", "--url", s.URL, "--token", token, "--restart", "--timeout", "300ms")
	if code != cli.ExitFailed || !strings.Contains(errs, "starting") {
		t.Errorf("ended with %d: %s", code, errs)
	}
}

func TestTokenIsNeverPrinted(t *testing.T) {
	s := newStandIn(t, false)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	secret := token + "x" // a wrong one
	for _, args := range [][]string{
		{"install", "--url", s.URL, "--token", secret},
		{"install", "--url", s.URL, "--token", token},
		{"install", "--url", s.URL, "--token", secret, "--restart"},
		{"install", "--url", "http://127.0.0.1:1", "--token", secret},
		{"install", "--url", "127.0.0.1", "--token", secret},
		{"install", "--token", secret},
		{"install", "--url", s.URL, "--token", secret, "--token-file", empty},
		{"install", "--url", s.URL, "--token", secret, "--nosuch"},
		{"install", "--url", s.URL, "--token-file", empty},
	} {
		code, out, errs := do(t, append(args, "--log-level", "trace", "--log-format", "json")...)
		if code == cli.ExitOK || errs == "" {
			t.Errorf("%q ended with %d and said %q", args, code, errs)
		}
		if strings.Contains(out+errs, token) {
			t.Errorf("%q prints the token: %s%s", args, out, errs)
		}
	}
}
