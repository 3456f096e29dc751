package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// tryProfile is a profile of somebody's own with mistakes that only the device shows.
const tryProfile = `profile: my_inverter
name: My inverter
manufacturer: Somebody
sources: {display: "its display"}
line: {unit: 1, source: display}
identify: {source: display}
defaults: {source: display}
points:
  - {key: soc, name: Charge, at: 588, type: u16, unit: "%", range: 0..100}
  - {key: share, name: Share of something, at: 587, type: u16, unit: "%", range: 0..1}
  - {key: nothing, name: Not there, at: 40000, type: u16}
  - {key: mode, name: Mode, at: 0, type: u16, options: {1: one, 2: two}}
`

// tried returns the simulated Powdrive that a profile is tried on, and a configuration that has it.
func tried(t *testing.T) (address, config string) {
	t.Helper()
	out, _, _ := start(t, "simulate", "powdrive", "--trait", "lv", "--tcp", "127.0.0.1:0", "--turnaround", "0s",
		"--set", "battery_soc=51", "--serial-number", "2700000001")
	address = addresses(t, out)[0]
	return address, file(t, "solarhub.yaml", dumpConfig(t, "tcp: "+address))
}

func TestTryAProfile(t *testing.T) {
	t.Parallel()
	address, config := tried(t)
	own := file(t, "my_inverter.yaml", tryProfile)
	for name, args := range map[string][]string{
		"a device of the configuration": {"--config", config, "--device", "Garage"},
		"a line":                        {"--tcp", address, "--unit", "1"},
	} {
		code, out, errs := do(t, append([]string{"devices", "try", own}, args...)...)
		if code != cli.ExitOK || errs != "" {
			t.Fatalf("%s: ended with %d: %s\n%s", name, code, errs, out)
		}
		for key, want := range map[string]string{
			"soc": "588 0x0033 51 %", "share": "plausible 0..1", "nothing": "not given",
			"mode": "none of its options"} {
			row := strings.Join(strings.Fields(rowOf(out, key)), " ")
			if !strings.Contains(row, want) {
				t.Errorf("%s: no %q in the row %q of\n%s", name, want, row, out)
			}
		}
		if !strings.Contains(out, "4 points, 3 odd") {
			t.Errorf("%s: it says\n%s", name, out)
		}
	}
	code, out, errs := do(t, "devices", "try", own, "--tcp", address, "--json")
	var got struct {
		Profile string
		Points  []struct {
			Key   string
			Raw   []uint16
			Value any
			Odd   string
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != cli.ExitOK {
		t.Fatalf("ended with %d, %v: %s", code, err, errs)
	}
	if p := got.Points; got.Profile != "my_inverter" || len(p) != 4 || p[0].Value != 51.0 || p[0].Raw[0] != 51 ||
		p[2].Raw != nil || p[2].Value != nil {
		t.Errorf("%+v", got)
	}
}

// If SolarHub runs, it has the line, and reads for the one who tries.
func TestTryThroughTheOneThatRuns(t *testing.T) {
	t.Parallel()
	_, config := tried(t)
	own := file(t, "my_inverter.yaml", tryProfile)
	_, log, stop := start(t, "run", "--config", config, "--log-format", "json")
	until(t, log, "The device answers")
	for range 2 {
		code, out, errs := do(t, "devices", "try", own, "--config", config)
		if code != cli.ExitOK || errs != "" || !strings.Contains(out, "4 points, 3 odd") {
			t.Errorf("ended with %d: %s\n%s", code, errs, out)
		}
	}
	if code := stop(); code != cli.ExitOK {
		t.Errorf("run ended with %d:\n%s", code, log)
	}
}

func TestTryAnotherFamily(t *testing.T) {
	t.Parallel()
	_, config := tried(t)
	code, out, errs := do(t, "devices", "try", "deye_string", "--config", config)
	if code != cli.ExitOK || !strings.Contains(out, "The device is not what the profile says") {
		t.Errorf("ended with %d: %s\n%s", code, errs, out)
	}
}

func TestTryWithoutADevice(t *testing.T) {
	own := file(t, "my_inverter.yaml", tryProfile)
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{own}, cli.ExitFailed, "there is no configuration"},
		{[]string{own, "--unit", "1"}, cli.ExitUsage, "--unit needs a line"},
		{[]string{own, "--tcp", "a b"}, cli.ExitUsage, "not an address"},
		{[]string{}, cli.ExitUsage, "needs the profile"},
		{[]string{"no_such"}, cli.ExitFailed, "no_such"},
	} {
		if code, _, errs := do(t, append([]string{"devices", "try"}, c.args...)...); code != c.code ||
			!strings.Contains(errs, c.want) {
			t.Errorf("%q ended with %d: %s", c.args, code, errs)
		}
	}
}

func TestLint(t *testing.T) {
	right := file(t, "my_inverter.yaml", tryProfile)
	odd := file(t, "my_inverter.yaml", strings.Replace(tryProfile, "2: two", "2: unavailable", 1))
	broken := file(t, "my_inverter.yaml", strings.Replace(tryProfile, "type: u16, unit", "type: u17, unit", 1))
	for _, c := range []struct {
		file string
		code int
		want []string
	}{
		{right, cli.ExitOK, []string{"0 mistakes"}},
		{odd, cli.ExitOK, []string{`mode: with the option "unavailable"`, "0 mistakes"}},
		{broken, cli.ExitFailed, []string{"my_inverter.yaml:9:", "u17", "1 mistake, 0 remarks"}},
	} {
		code, out, errs := do(t, "devices", "lint", c.file)
		for _, want := range c.want {
			if code != c.code || errs != "" || !strings.Contains(out, want) {
				t.Errorf("%s ended with %d, wants %q: %s%s", c.file, code, want, out, errs)
			}
		}
	}
	code, out, _ := do(t, "devices", "lint", "--json", broken, odd)
	var all []struct {
		Mistakes []struct{ Line int }
		Remarks  []struct{ Key string }
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != cli.ExitFailed || len(all) != 2 ||
		all[0].Mistakes[0].Line != 9 || all[1].Remarks[0].Key != "mode" {
		t.Errorf("ended with %d, %v: %s", code, err, out)
	}
	if code, _, errs := do(t, "devices", "lint", filepath.Join(t.TempDir(), "none.yaml")); code != cli.ExitFailed ||
		!strings.Contains(errs, "none.yaml") {
		t.Errorf("ended with %d: %s", code, errs)
	}
}

func TestDumpDiff(t *testing.T) {
	head := "# Deye hybrid inverter, profile deye, lv, read 2026-11-27T12:00:00Z\ntable,address,value\n"
	before := file(t, "before.csv", head+"holding,0,5\nholding,108,60\nholding,141,0\nholding,588,51\nholding,9999,1\n")
	after := file(t, "after.csv", head+"holding,0,5\nholding,108,77\nholding,141,1\nholding,588,51\nholding,9998,7\n")
	code, out, errs := do(t, "dump", "diff", before, after)
	for _, want := range []string{
		"108 battery_charge_current_max Battery: Charge current limit 60 A 77 A 0x003C 0x004D",
		"141 energy_priority", "9998 0x0007", "9999 0x0001", "4 differences"} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code != cli.ExitOK || errs != "" || strings.Contains(out, "588") {
		t.Errorf("ended with %d: %s\n%s", code, errs, out)
	}
	code, out, _ = do(t, "dump", "diff", before, after, "--json")
	var rows []struct {
		Key           string
		Before, After struct {
			Raw   []uint16
			Value any
		}
	}
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != cli.ExitOK || rows[1].Key !=
		"battery_charge_current_max" || rows[1].After.Value != 77.0 {
		t.Errorf("ended with %d, %v: %s", code, err, out)
	}
	if _, out, _ = do(t, "dump", "diff", before, before); !strings.Contains(out, "hold the same") {
		t.Errorf("of one dump it says %s", out)
	}
	bare := file(t, "bare.csv", "holding,588,52\n")
	if code, out, _ = do(t, "dump", "diff", bare, before); code != cli.ExitOK || !strings.Contains(out, "588") {
		t.Errorf("without a family: %d, %s", code, out)
	}
	for _, args := range [][]string{{before}, {before, "no.csv"}, {before, file(t, "bad.csv", "holding,x,1\n")},
		{before, after, "--profile", "none"}} {
		if code, _, errs := do(t, append([]string{"dump", "diff"}, args...)...); code == cli.ExitOK || errs == "" {
			t.Errorf("%q ended with %d: %s", args, code, errs)
		}
	}
}

// A dump of a device, played, gives the same dump: only the serial number is blanked, the first time.
func TestADumpOfADumpIsTheSame(t *testing.T) {
	t.Parallel()
	_, config := tried(t)
	first := filepath.Join(t.TempDir(), "first.csv")
	if code, _, errs := do(t, "dump", "--config", config, "--out", first); code != cli.ExitOK {
		t.Fatal(errs)
	}
	out, _, _ := start(t, "simulate", "powdrive", "--from", first, "--tcp", "127.0.0.1:0", "--turnaround", "0s")
	again := file(t, "solarhub.yaml", dumpConfig(t, "tcp: "+addresses(t, out)[0]))
	second := filepath.Join(t.TempDir(), "second.csv")
	if code, _, errs := do(t, "dump", "--config", again, "--out", second); code != cli.ExitOK {
		t.Fatal(errs)
	}
	if code, told, _ := do(t, "dump", "diff", first, second); code != cli.ExitOK ||
		!strings.Contains(told, "hold the same") {
		t.Errorf("ended with %d:\n%s", code, told)
	}
	if text, err := os.ReadFile(first); err != nil || strings.Contains(string(text), "holding,3,12855\n") {
		t.Errorf("the serial number stands there, %v", err) // 12855 is "27"
	}
}
