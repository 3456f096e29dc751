package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/plugin/cli"
	"solarhub/plugin/config"
)

// threeOnALine serves three devices on a terminal and returns its path.
func threeOnALine(t *testing.T) (port string) {
	t.Helper()
	port = filepath.Join(t.TempDir(), "port")
	out, _, _ := start(t, "simulate", "--scenario", file(t, "three.yaml", `lines:
  - pty: `+port+`
    baud: 115200
    devices:
      - {profile: deye, unit: 1, turnaround: 0s}
      - {profile: eastron, unit: 2, turnaround: 0s}
      - {profile: growatt, unit: 3, turnaround: 0s}
`))
	until(t, out, "Ctrl-C")
	return port
}

// What is found on a serial port goes into a configuration that is right, and a second scan adds nothing.
func TestScanWrites(t *testing.T) {
	t.Parallel()
	port := threeOnALine(t)
	path := filepath.Join(t.TempDir(), "solarhub.yaml")
	args := []string{"scan", port, "--baud", "115200", "--parity", "none", "--units", "1-3", "--write", "--config",
		path}
	code, out, errs := do(t, args...)
	if code != cli.ExitOK || !strings.Contains(out, "Written into "+path+": 3 devices") ||
		!strings.Contains(out, "holding 0: 5 (kind), as a Deye hybrid inverter has") {
		t.Fatalf("%d\n%s%s", code, out, errs)
	}
	cfg, err := config.Load(path)
	if err != nil || len(cfg.Lines) != 1 || len(cfg.Lines[0].Devices) != 3 || cfg.Lines[0].Serial.Baud != 115200 {
		t.Errorf("%+v, %v", cfg.Lines, err)
	}
	before, _ := os.ReadFile(path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it may hold a token, and has the mode %v, %v", info.Mode(), err)
	}
	if _, out, _ := do(t, args...); !strings.Contains(out, "has them already") {
		t.Error(out)
	}
	if after, _ := os.ReadFile(path); string(after) != string(before) {
		t.Errorf("it became\n%s", after)
	}
}

// What programs read says the same.
func TestScanJSON(t *testing.T) {
	t.Parallel()
	out, _, _ := start(t, "simulate", "goodwe", "--tcp", "127.0.0.1:0", "--turnaround", "0s")
	address := addresses(t, out)[0]
	code, text, errs := do(t, "scan", address, "--units", "247", "--json")
	var got struct {
		Devices []struct {
			Transport, Address string
			Unit               int
			Fits               []struct {
				Profile string
				Score   int
				Reasons []string
			}
		}
		Notes []any
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || code != cli.ExitOK || len(got.Devices) != 1 {
		t.Fatalf("%d, %v: %s%s", code, err, text, errs)
	}
	d := got.Devices[0]
	if d.Transport != "tcp" || d.Address != address || d.Unit != 247 || len(d.Fits) != 1 ||
		d.Fits[0].Profile != "goodwe" || d.Fits[0].Score < 50 || len(d.Fits[0].Reasons) < 2 {
		t.Errorf("%+v", d)
	}
}

// What cannot be searched is said in a sentence.
func TestScanRefuses(t *testing.T) {
	t.Parallel()
	port := filepath.Join(t.TempDir(), "no-port")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"10.0.0.0/16"}, cli.ExitUsage, "10.0.0.0/16 is too large: at most 1024 addresses"},
		{[]string{"127.0.0.1:1"}, cli.ExitFailed, "nobody listens"},
		{[]string{port}, cli.ExitFailed, "there is no " + port},
		{[]string{port, "--units", "300"}, cli.ExitUsage, `--units: "300" is no unit id`},
		{[]string{port, "--baud", "9601"}, cli.ExitUsage, "baud 9601 is not one of"},
		{[]string{port, "--parity", "x"}, cli.ExitUsage, `parity "x" is none of none, even, odd`},
	} {
		code, out, errs := do(t, append([]string{"scan"}, c.args...)...)
		if said := strings.Join(strings.Fields(out+errs), " "); code != c.code || !strings.Contains(said, c.says) {
			t.Errorf("%v: %d %s", c.args, code, said)
		}
	}
}

// Ctrl-C prints what was found by then.
func TestScanEndedEarly(t *testing.T) {
	t.Parallel()
	port := threeOnALine(t)
	ctx, cancel := context.WithCancel(t.Context())
	var out, errs text
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Run(ctx, cli.Environment{Manifest: []byte(manifest), Out: &out, Err: &errs},
			[]string{"scan", port, "--units", "1-247", "--log-level", "trace"})
	}()
	until(t, &errs, "Frame")
	cancel()
	if <-ended; !strings.Contains(out.String(), "You ended it early") {
		t.Error(out.String())
	}
}
