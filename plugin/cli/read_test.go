package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"solarhub/plugin/cli"
	"solarhub/plugin/control"
)

// roof is a configuration with one simulated inverter, and the flags that name it.
func roof(t *testing.T, on, more string) (flags []string, data string) {
	t.Helper()
	simulate := []string{"simulate", "powdrive", "--trait", "lv", "--turnaround", "0s", "--serial-number", "2700000001",
		"--set", "battery_soc=64", "--set", "battery_charge_current_max=77"}
	line := ""
	if on == "serial" {
		port := filepath.Join(t.TempDir(), "port")
		out, _, _ := start(t, append(simulate, "--pty", port, "--baud", "115200")...)
		until(t, out, "Ctrl-C")
		line = "serial: " + port + "\n    baud: 115200"
	} else {
		out, _, _ := start(t, append(simulate, "--tcp", "127.0.0.1:0")...)
		line = "tcp: " + addresses(t, out)[0]
	}
	data = t.TempDir()
	return []string{"--config", roofConfig(t, line, data, more)}, data
}

func roofConfig(t *testing.T, line, data, more string) string {
	t.Helper()
	return file(t, "solarhub.yaml", fmt.Sprintf(`host: {url: "http://127.0.0.1:1", token: a.b.c}
data: %s
lines:
  - %s
    devices:
      - {profile: powdrive, name: Roof, timeout: 20s, poll: {now: 200ms}%s}
`, data, line, more))
}

// with is a command line with flags behind it.
func with(flags []string, words ...string) []string { return append(words, flags...) }

// TestReadAndWrite has the commands open the line themselves, and go through a SolarHub that runs.
func TestReadAndWrite(t *testing.T) {
	for _, on := range []string{"tcp", "serial"} {
		for _, runs := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, run %v", on, runs), func(t *testing.T) {
				t.Parallel()
				flags, data := roof(t, on, "")
				if runs {
					_, errs, _ := start(t, with(flags, "run")...)
					until(t, errs, "The device answers")
				}
				readAndWrite(t, flags)
				_, err := os.Stat(filepath.Join(data, "control.sock"))
				if there := err == nil; there != runs {
					t.Errorf("the socket is there: %v", there)
				}
			})
		}
	}
}

func readAndWrite(t *testing.T, flags []string) {
	t.Helper()
	for _, c := range []struct {
		line      []string
		code      int
		out, errs string
	}{
		{with(flags, "read", "Roof", "battery_soc"), cli.ExitOK, "64 %", ""},
		{with(flags, "read", "holding", "588..590"), cli.ExitOK, "battery_power", ""},
		{with(flags, "read"), cli.ExitOK, "battery_charge_current_max", ""},
		{with(flags, "read", "battery_sco"), cli.ExitUsage, "", `the nearest are battery_soc, `},
		{with(flags, "read", "holding", "70000"), cli.ExitUsage, "", "65535"},
		{with(flags, "write", "battery_charge_current_max", "50"), cli.ExitOK, "77 A -> 50 A, read back 50 A in ", ""},
		{with(flags, "write", "battery_charge_current_max", "50"), cli.ExitOK, "it was 50 A already", ""},
		{with(flags, "write", "battery_charge_current_max", "900"), cli.ExitRefused, "",
			"900 A is outside 0 to 350 A"},
		{with(flags, "write", "battery_charge_current_max", "-5"), cli.ExitRefused, "", "-5 A is outside"},
		{with(flags, "write", "Roof", "energy_priority", "LOAD first"), cli.ExitOK, "read back Load first", ""},
		{with(flags, "write", "energy_priority", "fast"), cli.ExitRefused, "", "battery_first, load_first"},
		{with(flags, "write", "battery_soc", "5"), cli.ExitRefused, "", "is read only"},
		{with(flags, "write", "battery_type", "lead_acid"), cli.ExitRefused, "", "under arm:"},
		{with(flags, "write", "battery_chrage_current_max", "5"), cli.ExitUsage, "", "battery_charge_current_max"},
		{with(flags, "ledger"), cli.ExitOK, "900 A is outside 0 to 350 A", ""},
		{with(flags, "ledger", "--device", "Rof"), cli.ExitUsage, "", "did you mean Roof?"},
		{with(flags, "dump", "--with-serial"), cli.ExitOK, "holding,108,50\n", ""},
	} {
		code, out, errs := do(t, c.line...)
		if code != c.code || !strings.Contains(out, c.out) || (c.out == "") != (out == "") ||
			!strings.Contains(errs, c.errs) || (c.errs == "") != (errs == "") {
			t.Errorf("%q ended with %d:\n%s%s", c.line[:len(c.line)-len(flags)], code, out, errs)
		}
	}
}

func TestWhatProgramsRead(t *testing.T) {
	t.Parallel()
	flags, _ := roof(t, "tcp", "")
	_, errs, _ := start(t, with(flags, "run")...)
	until(t, errs, "The device answers")
	code, out, _ := do(t, with(flags, "read", "battery_soc", "--json")...)
	var v control.Value
	if err := json.Unmarshal([]byte(out), &v); code != cli.ExitOK || err != nil || string(v.Value) != "64" ||
		v.Source != control.FromDevice || v.Unit != "%" || len(v.Raw) != 1 {
		t.Errorf("ended with %d: %s %v", code, out, err)
	}
	code, out, _ = do(t, with(flags, "write", "battery_charge_current_max", "40", "--json")...)
	if code != cli.ExitOK || !strings.Contains(out, `"old":77,"new":"40","read_back":40,"outcome":"written"`) {
		t.Errorf("ended with %d: %s", code, out)
	}
	code, out, said := do(t, with(flags, "write", "battery_charge_current_max", "900", "--json")...)
	var failed struct{ Error control.Error }
	if err := json.Unmarshal([]byte(out), &failed); code != cli.ExitRefused || err != nil || said != "" ||
		failed.Error.Code != "out_of_range" || failed.Error.Fields["max"] != "350" {
		t.Errorf("ended with %d: %s%s %v", code, out, said, err)
	}
	code, out, _ = do(t, with(flags, "ledger", "--json")...)
	if code != cli.ExitOK || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"by":"command (`) {
		t.Errorf("ended with %d: %s", code, out)
	}
}

// Several commands at once share the line, whoever has it.
func TestCommandsAtOnce(t *testing.T) {
	t.Parallel()
	flags, _ := roof(t, "serial", "")
	watched, _, stop := start(t, with(flags, "watch", "battery_charge_current_max")...)
	until(t, watched, "77 A")
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if code, out, errs := do(t, with(flags, "read", "battery_soc")...); code != cli.ExitOK ||
				!strings.Contains(out, "64 %") {
				t.Errorf("ended with %d: %s%s", code, out, errs)
			}
		})
	}
	all.Wait()
	if code, _, errs := do(t, with(flags, "write", "battery_charge_current_max", "78")...); code != cli.ExitOK {
		t.Errorf("ended with %d: %s", code, errs)
	}
	until(t, watched, "77 A -> 78 A")
	if code := stop(); code != cli.ExitOK {
		t.Errorf("watch ended with %d", code)
	}
}

func TestWatchForPrograms(t *testing.T) {
	t.Parallel()
	flags, _ := roof(t, "tcp", "")
	out, _, stop := start(t, with(flags, "watch", "battery_soc", "--json")...)
	until(t, out, "\n")
	stop()
	lines := bufio.NewScanner(strings.NewReader(out.String()))
	for lines.Scan() {
		var c control.Change
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil || c.New.Device != "Roof" {
			t.Errorf("%s: %v", lines.Text(), err)
		}
	}
}

// A device that is away leaves what is known of it, and says why that is old.
func TestReadOfADeviceThatIsAway(t *testing.T) {
	t.Parallel()
	out, _, takeAway := start(t, "simulate", "powdrive", "--trait", "lv", "--turnaround", "0s", "--serial-number",
		"2700000001", "--set", "battery_soc=64", "--tcp", "127.0.0.1:0")
	flags := []string{"--config", roofConfig(t, "tcp: "+addresses(t, out)[0], t.TempDir(), "")}
	if code, _, errs := do(t, with(flags, "read", "battery_soc")...); code != cli.ExitOK {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	takeAway()
	code, table, errs := do(t, with(flags, "read", "battery_soc")...)
	if code != cli.ExitAway || !strings.Contains(table, "64 %") || !strings.Contains(table, "cache") || errs == "" {
		t.Errorf("ended with %d:\n%s%s", code, table, errs)
	}
	if code, _, errs := do(t, with(flags, "write", "battery_charge_current_max", "5")...); code != cli.ExitAway ||
		errs == "" {
		t.Errorf("a write ended with %d: %s", code, errs)
	}
}

// Whoever watches through a SolarHub hears that it has ended.
func TestWatchWhenTheRunEnds(t *testing.T) {
	t.Parallel()
	flags, _ := roof(t, "tcp", "")
	_, errs, stop := start(t, with(flags, "run")...)
	until(t, errs, "The device answers")
	ended := make(chan int, 1)
	var out, said text
	go func() {
		ended <- cli.Run(t.Context(), cli.Environment{Manifest: []byte(manifest), Out: &out, Err: &said},
			with(flags, "watch", "battery_soc"))
	}()
	until(t, &out, "64 %")
	stop()
	if code := <-ended; code != cli.ExitFailed || !strings.Contains(said.String(), "has ended") {
		t.Errorf("watch ended with %d: %s", code, &said)
	}
}
