package cli_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"solarhub/plugin/cli"
)

// liveConfig is a configuration with one line and one device on it.
func liveConfig(t *testing.T, line, device string) string {
	t.Helper()
	return file(t, "solarhub.yaml", liveConfigText(t, line, device))
}

func liveConfigText(t *testing.T, line, device string) string {
	return fmt.Sprintf(`host: {url: "http://127.0.0.1:1", token: a.b.c}
data: %s
lines:
  - %s
    devices:
      - {profile: senergy, name: Garage, %s}
`, t.TempDir(), line, device)
}

// simulated serves a simulated device and returns how a configuration names its line.
func simulated(t *testing.T, on string, flags ...string) (line string) {
	t.Helper()
	port := filepath.Join(t.TempDir(), "port")
	place := map[string][]string{"tcp": {"--tcp", "127.0.0.1:0"}, "rtu_over_tcp": {"--tcp", "127.0.0.1:0"},
		"tcp to a stick": {"--solarman", "127.0.0.1:0"},
		"serial":         {"--pty", port, "--baud", "115200"}}[on]
	out, _, _ := start(t, append(append([]string{"simulate", "senergy", "--turnaround", "0s"}, place...), flags...)...)
	if on != "serial" {
		return strings.Fields(on)[0] + ": " + addresses(t, out)[0]
	}
	until(t, out, "Ctrl-C")
	return "serial: " + port + "\n    baud: 115200"
}

// TestCheckLiveNamesTheIllness has real lines with one thing wrong each. What it demands does not depend on how fast
// the machine is.
func TestCheckLiveNamesTheIllness(t *testing.T) {
	t.Parallel()
	type result struct {
		code      int
		out, errs string
	}
	type illness struct {
		on     string
		flags  []string
		device string
		says   []string
	}
	illnesses := map[string]illness{
		"late": {"serial", []string{"--fault", "late=40%:700ms"}, "timeout: 500ms",
			[]string{"Replies of Garage arrive after the timeout of 500ms", "raise `timeout` to"}},
		"all late": {"tcp", []string{"--fault", "late=1:700ms"}, "timeout: 400ms",
			[]string{"Replies of Garage arrive after the timeout of 400ms", "raise `timeout` to"}},
		"damaged": {"serial", []string{"--fault", "corrupted=20%"}, "timeout: 500ms",
			[]string{"replies were damaged (CRC)", "120 ohms"}},
		"another unit id": {"serial", []string{"--unit", "3"}, "timeout: 500ms",
			[]string{"Nothing answers at unit id 1 of serial", "unit id 3 does"}},
		"another unit id, TCP": {"tcp", []string{"--unit", "3"}, "timeout: 500ms",
			[]string{"The gateway answers that it gets nothing from unit id 1, but unit id 3 does"}},
		"another baud": {"serial", []string{"--fault", "other-baud=1"}, "timeout: 500ms",
			[]string{"Bytes come in, but no frames: the devices do not run at 115200 8N1"}},
		"another master": {"serial", []string{"--fault", "foreign=30%"}, "timeout: 500ms",
			[]string{"Another master is on the line"}},
		"wrong transaction ids": {"tcp", []string{"--fault", "wrong-transaction=1"}, "timeout: 500ms",
			[]string{"set `transaction_ids: shape`"}},
		"wrong unit ids": {"tcp", []string{"--fault", "no-unit=1"}, "timeout: 500ms",
			[]string{"set `unit_ids: lax`"}},
		"hasty": {"serial", []string{"--min-gap", "250ms"}, "timeout: 400ms, gap: 0ms",
			[]string{"Garage loses requests that come too soon", "set `gap: "}},
		"deaf at first": {"tcp", []string{"--deaf", "1500ms"}, "timeout: 1s",
			[]string{"Garage does not hear what is asked directly behind the connecting: set `connect_delay: 2s`"}},
		"slow at first": {"tcp", []string{"--waking", "1500ms"}, "timeout: 500ms",
			[]string{"Garage answers late at first, 1.", "set `first_timeout: "}},
		"long": {"tcp", []string{"--max-registers", "20", "--silent"}, "timeout: 300ms",
			[]string{"Garage ", "`max_registers: 20`"}},
		"busy": {"tcp", []string{"--fault", "exception=40%:6"}, "timeout: 500ms, busy_wait: 10ms",
			[]string{"Garage says that it is busy", "set `busy_wait: "}},
		"behind": {"serial", []string{"--turnaround", "40ms"},
			"poll: {now: 100ms, normal: 100ms, slow: 100ms}", []string{"The line cannot keep up with Garage: now every",
				"instead of 100ms"}},
		"hangs up": {"tcp", []string{"--fault", "close-before=1:10ms"}, "timeout: 500ms",
			[]string{"takes the connection and closes it at once"}},
		"echo": {"serial", []string{"--echo"}, "timeout: 500ms", []string{"The adapter repeats what is sent",
			"set `echo: on`"}},
		"another language": {"rtu_over_tcp", nil, "timeout: 300ms",
			[]string{"speaks another language: put `tcp:` in the place of `rtu_over_tcp:`"}},
		"a stick": {"tcp to a stick", nil, "timeout: 300ms",
			[]string{"speaks another language: put `solarman:` in the place of `tcp:`"}},
		"another device": {"tcp", []string{"--set", "phases=2"}, "timeout: 500ms",
			[]string{"Garage is not available: unit 1 is no Chint hybrid inverter: its phases is 2"}},
	}
	results := map[string]chan result{} // all lines at once: each of them mostly waits
	for name, c := range illnesses {
		config := liveConfig(t, simulated(t, c.on, c.flags...), c.device)
		done := make(chan result, 1)
		results[name] = done
		go func() {
			long := "2500ms"
			if name == "behind" || name == "deaf at first" {
				long = "10s" // it takes some polls, or connections, to tell
			}
			code, out, errs := do(t, "check", "--live", "--for", long, "--config", config)
			done <- result{code, out, errs}
		}()
	}
	for name, c := range illnesses {
		r := <-results[name]
		t.Run(name, func(t *testing.T) {
			t.Log(r.out)
			if r.code != cli.ExitFailed || r.errs != "" {
				t.Errorf("ended with %d: %s", r.code, r.errs)
			}
			for _, part := range c.says {
				if !strings.Contains(unwrapped(r.out), part) {
					t.Errorf("does not say %q", part)
				}
			}
		})
	}
}

// unwrapped returns a text as one line.
func unwrapped(t string) string { return strings.Join(strings.Fields(t), " ") }

func TestCheckLiveOfALineThatIsWell(t *testing.T) {
	for name, c := range map[string]struct {
		on    string
		flags []string
		more  string // of the line's configuration
	}{
		"TCP":  {"tcp", nil, ""},
		"RTU":  {"serial", nil, ""},
		"echo": {"serial", []string{"--echo"}, "\n    echo: on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := liveConfig(t, simulated(t, c.on, c.flags...)+c.more,
				"timeout: 20s, points: {battery_soc: {scale: 1}}")
			code, out, errs := do(t, "check", "--live", "--for", "2500ms", "--config", config)
			t.Log(out)
			if code != cli.ExitOK || errs != "" || !strings.Contains(out, "No problem found.") ||
				!strings.Contains(out, "The scale of Battery: State of charge is yours, 1;") {
				t.Errorf("ended with %d: %s", code, errs)
			}
			if strings.Contains(out, "  -  ") { // what a write would wait was measured too
				t.Error("a column is empty")
			}
		})
	}
}

func TestCheckLiveWhereNothingIsToBeHad(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	held := filepath.Join(t.TempDir(), "port")
	out, _, _ := start(t, "simulate", "senergy", "--pty", held)
	until(t, out, "Ctrl-C")
	port, err := os.OpenFile(held, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := unix.Flock(int(port.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ line, says string }{
		"nobody listens": {"tcp: " + closed.Addr().String(), "refuses the connection: is Modbus TCP switched on there"},
		"no port":        {"serial: /dev/no-such-port", "There is no /dev/no-such-port; th"},
		"port in use":    {"serial: " + held, held + " is in use by "},
		"one client":     {"tcp: " + refusing(t), "closes it at once: it serves one client only"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := do(t, "check", "--live", "--for", "2s", "--config", liveConfig(t, c.line, "unit: 1"))
			t.Log(out)
			if text := unwrapped(out); code != cli.ExitFailed || errs != "" || !strings.Contains(text, c.says) {
				t.Errorf("ended with %d: %s", code, errs)
			}
		})
	}
}

// refusing is a gateway that closes each connection: another client has the only place.
func refusing(t *testing.T) (address string) {
	gateway, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := gateway.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	t.Cleanup(func() { gateway.Close(); <-ended })
	return gateway.Addr().String()
}

// What is guarded is the line, whichever configuration and data folder a process has.
func TestCheckLiveWhileThePluginRuns(t *testing.T) {
	t.Parallel()
	line := simulated(t, "tcp")
	_, errs, stop := start(t, "run", "--config", liveConfig(t, line, "unit: 1"))
	until(t, errs, "SolarHub runs")
	other := liveConfig(t, line, "unit: 1")
	who := fmt.Sprintf("Another SolarHub (process %d) has the line: stop it first", os.Getpid())
	for _, command := range [][]string{{"check", "--live"}, {"dump"}, {"run"}} {
		code, out, said := do(t, append(command, "--config", other)...)
		if command[0] == "run" {
			who = "another process asks the devices of a line already"
		}
		if code != cli.ExitFailed || out != "" || !strings.Contains(said, who) {
			t.Errorf("%s ended with %d: %s%s", command, code, out, said)
		}
	}
	if code := stop(); code != cli.ExitOK {
		t.Errorf("run ended with %d", code)
	}
}

// What is found is written into the file, beside what a person has written there, and helps.
func TestCheckLiveWritesWhatHelps(t *testing.T) {
	t.Parallel()
	path := liveConfig(t, simulated(t, "tcp", "--fault", "wrong-transaction=1")+" # the gateway", "timeout: 300ms")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	check := func(more ...string) (code int, out string) {
		code, out, errs := do(t, append([]string{"check", "--live", "--for", "2s", "--config", path}, more...)...)
		if errs != "" {
			t.Errorf("errors: %s", errs)
		}
		return code, unwrapped(out)
	}
	if code, out := check(); code != cli.ExitFailed || !strings.Contains(out, "Paste them into "+path) ||
		!strings.Contains(out, "transaction_ids: shape") {
		t.Errorf("without --write: %d %s", code, out)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Fatalf("written without --write:\n%s", after)
	}
	if code, out := check("--write"); code != cli.ExitFailed || !strings.Contains(out, "Written into "+path) {
		t.Errorf("with --write: %d %s", code, out)
	}
	after, err := os.ReadFile(path)
	want := strings.Replace(string(before), "# the gateway\n", "# the gateway\n    transaction_ids: shape\n", 1)
	if err != nil || string(after) != want {
		t.Errorf("the file is now\n%s\n%v", after, err)
	}
	if code, out := check(); code != cli.ExitOK || !strings.Contains(out, "No problem found") {
		t.Errorf("afterwards: %d %s", code, out)
	}
}

func TestCheckLiveEndsEarly(t *testing.T) {
	config := liveConfig(t, simulated(t, "tcp"), "unit: 1")
	began := time.Now()
	out, errs, stop := start(t, "check", "--live", "--for", "10m", "--config", config)
	if code := stop(); code != cli.ExitOK || errs.String() != "" || time.Since(began) > time.Minute {
		t.Errorf("ended with %d after %v: %s\n%s", code, time.Since(began), errs, out)
	}
	for _, part := range []string{"You ended it early", "Garage"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
}
