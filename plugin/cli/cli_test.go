package cli_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"solarhub/plugin/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const manifest = `{"domain": "solarhub", "name": "SolarHub", "version": "1.2.3"}`

// text is an output that several goroutines write to while a test reads it.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *text) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *text) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// do carries out a command line and returns what it ended with and printed.
func do(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e text
	code = cli.Run(t.Context(), cli.Environment{Manifest: []byte(manifest), Out: &o, Err: &e}, args)
	return code, o.String(), e.String()
}

// start carries out a command line that serves, until stop is called, which returns what it ended with.
func start(t *testing.T, args ...string) (out, errs *text, stop func() int) {
	t.Helper()
	out, errs = &text{}, &text{}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() { ended <- cli.Run(ctx, cli.Environment{Manifest: []byte(manifest), Out: out, Err: errs}, args) }()
	stop = sync.OnceValue(func() int {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { stop() })
	return out, errs, stop
}

// until waits for a text in an output.
func until(t *testing.T, o *text, part string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !strings.Contains(o.String(), part); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("no %q in 20 s, there is:\n%s", part, o)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want []string
		code int
	}{
		"unknown command": {[]string{"rum"}, []string{`unknown command "rum"`, "See: solarhub --help"},
			cli.ExitUsage},
		"unknown flag": {[]string{"devices", "--all"}, []string{"unknown flag: --all",
			"See: solarhub devices --help"}, cli.ExitUsage},
		"argument too many": {[]string{"version", "x"}, []string{`version takes no argument, but there is "x"`},
			cli.ExitUsage},
		"two profiles": {[]string{"devices", "powdrive", "senergy"},
			[]string{`one argument, but there is "senergy" after "powdrive"`}, cli.ExitUsage},
		"unknown profile": {[]string{"devices", "nosuch"},
			[]string{`"nosuch" is not one of iammeter, powdrive, senergy`}, cli.ExitFailed},
		"unknown variant": {[]string{"devices", "powdrive", "--variant", "xv"},
			[]string{`"xv" is not one of hv, lv`}, cli.ExitUsage},
		"file that is not": {[]string{"devices", "./nosuch.yaml"}, []string{"nosuch.yaml: no such file"},
			cli.ExitFailed},
		"log level": {[]string{"devices", "--log-level", "loud"},
			[]string{`--log-level "loud" is not one of trace, debug`}, cli.ExitUsage},
		"log format": {[]string{"devices", "--log-format", "xml"},
			[]string{`--log-format "xml" is not one of auto`}, cli.ExitUsage},
		"simulate nothing":     {[]string{"simulate"}, []string{"which device?", "solarhub devices"}, cli.ExitUsage},
		"flags without device": {[]string{"simulate", "--pty", "/tmp/x"}, []string{"which device?"}, cli.ExitUsage},
		"unknown device": {[]string{"simulate", "nosuch"}, []string{`"nosuch" is not one of iammeter`},
			cli.ExitUsage},
		"no such baud": {[]string{"simulate", "powdrive", "--baud", "17"},
			[]string{"powdrive: baud 17 is not one of"}, cli.ExitUsage},
		"no such fault": {[]string{"simulate", "powdrive", "--fault", "slow=1%,late=x"},
			[]string{`fault "slow=1%"`, `fault "late=x"`}, cli.ExitUsage},
		"device in a scenario": {[]string{"simulate", "senergy", "--scenario", "x.yaml"},
			[]string{`"senergy" must not be there`}, cli.ExitUsage},
		"flags of a scenario": {[]string{"simulate", "--unit", "2", "--scenario", "x.yaml"},
			[]string{"--unit belongs to a device on the command line"}, cli.ExitUsage},
		"no such scenario": {[]string{"simulate", "--scenario", "nowhere.yaml"},
			[]string{"--scenario: open nowhere.yaml"}, cli.ExitUsage},
		"set what is not there": {[]string{"simulate", "powdrive", "--set", "nosuch=1", "--set", "pv1_power_w=1.5"},
			[]string{"set nosuch=1: there is no such value", "set pv1_power_w=1.5: "}, cli.ExitUsage},
		"install nothing": {[]string{"install"}, []string{"--ha-config", "--url"}, cli.ExitUsage},
		"install, no token": {[]string{"install", "--url", "http://x"},
			[]string{"exactly one of --token-file, --token-env and --token"}, cli.ExitUsage},
		"install, wrong url": {[]string{"install", "--url", "x:8123", "--token", "t"},
			[]string{"begins with none of http://"}, cli.ExitUsage},
		"restart, no url": {[]string{"install", "--ha-config", "x", "--restart"},
			[]string{"--restart needs --url"}, cli.ExitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := do(t, test.args...)
			if code != test.code || out != "" {
				t.Errorf("ended with %d, want %d, and printed %q", code, test.code, out)
			}
			for _, part := range test.want {
				if !strings.Contains(errs, part) {
					t.Errorf("no %q in:\n%s", part, errs)
				}
			}
		})
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	_, out, _ := do(t, "--help")
	for _, name := range []string{"run", "check", "dump", "simulate", "devices", "install", "version"} {
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("solarhub --help does not name %s:\n%s", name, out)
		}
		code, help, errs := do(t, name, "--help")
		if code != cli.ExitOK || errs != "" || !strings.Contains(help, "Usage:\n  solarhub "+name) ||
			!strings.Contains(help, "--log-level") {
			t.Errorf("solarhub %s --help ended with %d:\n%s%s", name, code, help, errs)
		}
	}
}

func TestVersion(t *testing.T) {
	code, out, errs := do(t, "version")
	if code != cli.ExitOK || errs != "" || !strings.HasPrefix(out, "solarhub 1.2.3 (go1.") {
		t.Errorf("ended with %d: %q %q", code, out, errs)
	}
}

func TestManifestThatIsNone(t *testing.T) {
	var errs text
	code := cli.Run(t.Context(), cli.Environment{Manifest: []byte("{"), Out: &text{}, Err: &errs}, []string{"version"})
	if code != cli.ExitFailed || !strings.Contains(errs.String(), "manifest.json") {
		t.Errorf("ended with %d: %s", code, &errs)
	}
}

func TestDevices(t *testing.T) {
	_, out, _ := do(t, "devices")
	for _, part := range []string{"PROFILE", "powdrive", "Senergy hybrid inverter", "solarhub devices iammeter"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
	_, all, _ := do(t, "devices", "powdrive", "--variant", "lv")
	_, settable, _ := do(t, "devices", "powdrive", "--variant", "lv", "--writable")
	_, on, _ := do(t, "devices", "powdrive", "--variant", "lv", "--enabled")
	for _, row := range []struct {
		in, key string
		want    []string
	}{
		{all, "battery_max_charge_current_a", []string{"Battery: Maximum charge current", "108", "u16", "A", "number",
			"0 to 350, step 1", "on"}},
		{settable, "solar_priority", []string{"141", "options & 0x0001", "select", "Battery first | Load first"}},
		{on, "prog1_time", []string{"148", "time, decimal", "time"}},
		{all, "battery_type", []string{"off, needs arm"}},
	} {
		line := rowOf(row.in, row.key)
		for _, part := range row.want {
			if !strings.Contains(line, part) {
				t.Errorf("no %q in the row of %s: %q", part, row.key, line)
			}
		}
	}
	if rowOf(settable, "inverter_temp_c") != "" || rowOf(on, "battery_type") != "" ||
		rowOf(all, "inverter_temp_c") == "" {
		t.Error("--writable or --enabled do not choose")
	}
	if strings.Contains(all, "\x1b") {
		t.Error("colours, though nobody looks")
	}
}

func rowOf(table, key string) string {
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, key+" ") {
			return line
		}
	}
	return ""
}
