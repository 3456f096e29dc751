package cli_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// runConfig is a configuration of one simulated device for a host.
func runConfig(t *testing.T, host, device, token string) string {
	return file(t, "solarhub.yaml", `host: {url: "`+host+`", token: `+token+`}
name: house
data: `+t.TempDir()+`
lines:
  - tcp: `+device+`
    devices:
      - profile: powdrive
        turnaround: 0ms
        gap: 0ms
`)
}

func TestRunReadsAndEndsInOrder(t *testing.T) {
	out, _, _ := start(t, "simulate", "powdrive", "--tcp", "127.0.0.1:0", "--turnaround", "0", "--serial-number",
		"ABCDEFGHIJ")
	refusing := httptest.NewServer(http.NotFoundHandler())
	defer refusing.Close()
	path := runConfig(t, refusing.URL, addresses(t, out)[0], webToken)
	_, errs, stop := start(t, "run", "--config", path, "--log-level", "trace", "--log-format", "json")
	until(t, errs, "ABCDEFGHIJ") // the device was identified, with no host to be seen
	if code := stop(); code != cli.ExitOK {
		t.Errorf("ended with %d", code)
	}
	log := errs.String()
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	for _, part := range []string{`"version":"1.2.3"`, "SolarHub runs", "SolarHub has ended in order"} {
		if !strings.Contains(log, part) {
			t.Errorf("no %q in:\n%s", part, log)
		}
	}
	if strings.Contains(log, "nobody-may-see") {
		t.Errorf("the token is printed:\n%s", log)
	}
}

func TestRunTellsWhoHasTheCache(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and answers nothing
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	path := runConfig(t, "http://127.0.0.1:1", silent.Addr().String(), webToken)
	_, errs, _ := start(t, "run", "--config", path)
	until(t, errs, "SolarHub runs")
	code, out, second := do(t, "run", "--config", path)
	if code != cli.ExitFailed || out != "" || !strings.Contains(second, "another") {
		t.Errorf("the second ended with %d: %s", code, second)
	}
}
