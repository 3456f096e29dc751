package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// dumpConfig is a configuration with one Powdrive at an address.
func dumpConfig(t *testing.T, line string) string {
	return strings.Replace(liveConfigText(t, line, "timeout: 20s"), "profile: senergy", "profile: powdrive", 1)
}

func registersOf(dump string) string {
	var all []string
	for line := range strings.Lines(dump) {
		if !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return strings.Join(all, "")
}

func TestADumpIsPlayed(t *testing.T) {
	t.Parallel()
	out, _, _ := start(t, "simulate", "powdrive", "--trait", "hv", "--tcp", "127.0.0.1:0", "--serial-number",
		"ABCDEFGHIJ",
		"--turnaround", "0s", "--set", "battery_charge_current_max=77", "--fault", "late=2%:1ms")
	config := file(t, "solarhub.yaml", dumpConfig(t, "tcp: "+addresses(t, out)[0]))
	code, secret, errs := do(t, "dump", "--with-serial", "--config", config)
	if code != cli.ExitOK || errs != "" || !strings.Contains(secret, "holding,108,77\n") ||
		!strings.Contains(secret, "holding,3,16706\n") {
		t.Fatalf("ended with %d: %s\n%s", code, errs, secret)
	}
	path := filepath.Join(t.TempDir(), "roof.csv")
	code, told, errs := do(t, "dump", "Garage", "--out", path, "--config", config)
	if code != cli.ExitOK || errs != "" || !strings.HasPrefix(told, path+": ") ||
		!strings.Contains(told, " registers of Garage") {
		t.Fatalf("ended with %d: %s\n%s", code, errs, told)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"# Deye hybrid inverter, profile deye, hv, ",
		"--from THIS-FILE", "holding,108,77\n",
		"holding,3,22616\nholding,4,22616\nholding,5,22616\nholding,6,22600\nholding,7,18762\n"} { // but for HIJ
		if !strings.Contains(string(written), part) {
			t.Errorf("no %q in:\n%s", part, written)
		}
	}
	if strings.Contains(string(written), "ABCDEF") {
		t.Error("the serial number is readable")
	}

	out, _, _ = start(t, "simulate", "powdrive", "--from", path, "--tcp", "127.0.0.1:0", "--turnaround", "0s")
	again := file(t, "solarhub.yaml", dumpConfig(t, "tcp: "+addresses(t, out)[0]))
	code, back, errs := do(t, "dump", "--config", again, "--with-serial")
	if code != cli.ExitOK || registersOf(back) != registersOf(string(written)) {
		t.Errorf("ended with %d: %s\n%s", code, errs, back)
	}
}
