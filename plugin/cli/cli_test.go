package cli_test

import (
	"bytes"
	"context"
	"flag"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"solarhub/plugin/cli"
)

func TestMain(m *testing.M) {
	// These tests wait for lines and pages and leave the processors idle: Go's default of one for each processor is too
	// few.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

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
	untilTimes(t, o, part, 1)
}

// untilTimes waits until a text stands in an output so often.
func untilTimes(t *testing.T, o *text, part string, times int) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); strings.Count(o.String(), part) < times; <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("no %q in 20 s, there is:\n%s", part, o)
		}
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	_, out, _ := do(t, "--help")
	for _, name := range []string{"read", "watch", "write", "ledger", "run", "scan",
		"reload", "check", "dump", "forget", "replace", "simulate", "devices", "login",
		"install", "version"} {
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

func TestManifestThatIsNone(t *testing.T) {
	var errs text
	code := cli.Run(t.Context(), cli.Environment{Manifest: []byte("{"), Out: &text{}, Err: &errs}, []string{"version"})
	if code != cli.ExitFailed || !strings.Contains(errs.String(), "manifest.json") {
		t.Errorf("ended with %d: %s", code, &errs)
	}
}

func TestDevices(t *testing.T) {
	_, all, _ := do(t, "devices", "powdrive", "--trait", "lv")
	_, settable, _ := do(t, "devices", "powdrive", "--trait", "lv", "--writable")
	_, on, _ := do(t, "devices", "powdrive", "--trait", "lv", "--enabled")
	for _, row := range []struct {
		in, key string
		want    []string
	}{
		{all, "battery_charge_current_max", []string{"Battery: Charge current limit", "108", "u16", "A", "number",
			"0 to 350, step 1", "on"}},
		{settable, "energy_priority", []string{"141", "options & 0x0001", "select", "battery_first | load_first"}},
		{on, "window_1_start", []string{"148", "time, decimal", "time"}},
		{all, "battery_type", []string{"off, needs arm"}},
	} {
		line := rowOf(row.in, row.key)
		for _, part := range row.want {
			if !strings.Contains(line, part) {
				t.Errorf("no %q in the row of %s: %q", part, row.key, line)
			}
		}
	}
	if rowOf(settable, "dc_temperature") != "" || rowOf(on, "battery_type") != "" ||
		rowOf(all, "dc_temperature") == "" {
		t.Error("--writable or --enabled do not choose")
	}
	if _, same, _ := do(t, "devices", "show", "powdrive", "--trait", "lv"); same != all {
		t.Error("devices show lists something else")
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
