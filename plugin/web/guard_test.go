package web

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOnlyItsOwnNamesAndPagesAreServed(t *testing.T) {
	h := Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "page") }),
		"house")
	for _, c := range []struct {
		host, origin string
		want         int
	}{
		{"127.0.0.1:8130", "", 200}, {"localhost:8130", "", 200}, {"[::1]:8130", "", 200}, {"192.168.1.5", "",
			200}, {"house:8130", "", 200}, {"HOUSE", "", 200},
		{"evil.example", "", 421}, {"evil.example:8130", "http://evil.example:8130", 421}, {"127.0.0.1.evil.example",
			"", 421}, {"localhost.evil.example:8130", "", 421},
		{"", "", 421},
		{"127.0.0.1:8130", "http://127.0.0.1:8130", 200}, {"localhost:8130", "http://localhost:8130", 200},
		{"127.0.0.1:8130", "http://evil.example", 403}, {"127.0.0.1:8130", "http://127.0.0.1:9999",
			403}, {"127.0.0.1:8130", "null", 403},
		{"127.0.0.1:8130", "http://localhost:8130", 403}, {"127.0.0.1:8130", "file://", 403}, {"127.0.0.1:8130", "::",
			403},
	} {
		for _, path := range []string{"/", "/api/websocket", "/api/config/automation/config/x"} {
			r := httptest.NewRequest(http.MethodGet, "http://"+c.host+path, nil)
			r.Host = c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			got := httptest.NewRecorder()
			h.ServeHTTP(got, r)
			if refused := got.Code == 421 || got.Code == 403; refused != (c.want != 200) || refused &&
				got.Code != c.want {
				t.Errorf("Host %q, Origin %q, %s: %d, want %d", c.host, c.origin, path, got.Code, c.want)
			}
			if c.want != 200 && got.Body.Len() < 20 {
				t.Errorf("Host %q, Origin %q: no sentence says why, only %q", c.host, c.origin, got.Body)
			}
			if got.Header().Get("Content-Security-Policy") != policy ||
				got.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s comes without a policy", path)
			}
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy is %s", policy)
	}
}

func TestLoopback(t *testing.T) {
	for address, want := range map[string]bool{"127.0.0.1:1": true, "127.5.5.5:1": true, "[::1]:1": true,
		"[::ffff:127.0.0.1]:1": true, "0.0.0.0:1": false,
		"[::]:1": false, "192.168.1.5:1": false} {
		at, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if Loopback(at) != want {
			t.Errorf("Loopback(%s) is %t", address, !want)
		}
	}
}
