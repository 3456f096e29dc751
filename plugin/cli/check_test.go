package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// file writes a text to a new file of the name and returns its path.
func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const webToken = "head.a-token-that-nobody-may-see.tail"

const configuration1 = `host:
  url: http://homeassistant.local:8123
  token: ` + webToken + `
lines:
  - serial: /dev/serial/by-id/usb-adapter
    devices:
      - profile: powdrive
        name: Roof
  - tcp: 192.168.1.50
    devices:
      - profile: senergy
        unit: 2
        name: Garage
`

func TestCheckPredicts(t *testing.T) {
	code, out, errs := do(t, "check", "--config", file(t, "solarhub.yaml", configuration1))
	if code != cli.ExitOK || errs != "" {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	for _, part := range []string{
		"is right: 2 lines with 2 devices, for Home Assistant at http://homeassistant.local:8123",
		"serial /dev/serial/by-id/usb-adapter, 9600 8N1\n", "Roof: powdrive, unit 1", "tcp 192.168.1.50:502\n",
		"Garage: senergy, unit 2",
		"WIRE MS", "requests for lv on at first", "requests for hv all", "holding 108+",
		"A write that is next in turn waits at most",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
	if n := strings.Count(out, "on at first  "); n != 4 {
		t.Errorf("%d rows of what is on at first, not one for each of four variants:\n%s", n, out)
	}
	for line := range strings.Lines(out) {
		if len(line) > 130 && !strings.Contains(line, "is right") {
			t.Errorf("%d characters in one line: %s", len(line), line)
		}
	}
}

// What is set beside the defaults is told with who says so, and what follows from it.
func TestCheckTellsWhatIsSet(t *testing.T) {
	set := strings.NewReplacer("usb-adapter\n", "usb-adapter\n    write_wait: 150ms\n    connect_delay: 1500ms\n",
		"name: Roof", "gap: 100ms").Replace(configuration1)
	code, out, errs := do(t, "check", "--config", file(t, "solarhub.yaml", set))
	if code != cli.ExitOK || errs != "" {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	for _, part := range []string{
		"  set by the configuration: connect_delay 1.5s\n", "    set by the configuration: gap 100ms\n",
		"    set by write_wait: max_registers 6\n",
		"    set by the family: turnaround 20ms, holes [holding 259..335,", "waits at most 150 ms for the line",
		"also waits for connect_delay, 1500 ms",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
}

// A line that is asked for too much is right, and check says what will happen.
func TestCheckTellsOfTooMuch(t *testing.T) {
	slow := strings.NewReplacer("    devices:\n      - profile: powdrive\n",
		"    baud: 2400\n    devices:\n      - {profile: powdrive, unit: 3}\n      - profile: powdrive\n        "+
			"poll: {now: 500ms}\n").Replace(configuration1)
	code, out, errs := do(t, "check", "--config", file(t, "solarhub.yaml", slow))
	if code != cli.ExitOK || errs != "" {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	for _, part := range []string{"The class now takes 605 ms by itself, but it is due every 500 ms",
		"Set now: 610ms under poll", "Together they use the line for ",
		"Above 100 % the line is polled without a pause"} {
		if strings.Count(out, part) != 1 {
			t.Errorf("%q is not there once in:\n%s", part, out)
		}
	}
	if _, out, _ := do(t, "check", "--config", file(t, "solarhub.yaml", configuration1)); strings.Contains(out,
		"Together") || strings.Contains(out, "Above 100 %") || strings.Contains(out, "The class now takes") {
		t.Errorf("a line that keeps up is warned of:\n%s", out)
	}
}

func TestCheckListsAllFindings(t *testing.T) {
	wrong := strings.NewReplacer("url:", "ulr:", "unit: 2", "unit: 256", "profile: powdrive",
		"profile: nosuch").Replace(configuration1)
	path := file(t, "solarhub.yaml", wrong)
	code, out, errs := do(t, "check", "--config", path)
	if code != cli.ExitFailed || out != "" {
		t.Fatalf("ended with %d: %s", code, out)
	}
	for _, part := range []string{path + `:2:3: unknown key "ulr"`, path + ":7:18: ", path + ":12:15: ", "findings\n"} {
		if !strings.Contains(errs, part) {
			t.Errorf("no %q in:\n%s", part, errs)
		}
	}
}

func TestCheckProfiles(t *testing.T) {
	shipped, err := os.ReadFile("../../devices/profile/maps/senergy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	right := file(t, "senergy.yaml", string(shipped))
	wrong := file(t, "wrong.yaml", "profile: wrong\n")
	code, out, errs := do(t, "check", wrong, right)
	if code != cli.ExitFailed || !strings.Contains(out, right+" is right: Senergy hybrid inverter, ") {
		t.Errorf("ended with %d: %s", code, out)
	}
	if !strings.Contains(errs, wrong+":1:1: points is missing") {
		t.Errorf("the findings are:\n%s", errs)
	}
	if code, _, errs = do(t, "check", right); code != cli.ExitOK || errs != "" {
		t.Errorf("a right one ended with %d: %s", code, errs)
	}
}

func TestNoConfiguration(t *testing.T) {
	if _, err := os.Stat("/etc/solarhub/solarhub.yaml"); err == nil {
		t.Skip("this machine has a configuration")
	}
	t.Chdir(t.TempDir())
	for _, command := range []string{"run", "check"} {
		code, _, errs := do(t, command)
		if code != cli.ExitFailed ||
			!strings.Contains(errs, "neither ./solarhub.yaml nor /etc/solarhub/solarhub.yaml") {
			t.Errorf("%s ended with %d: %s", command, code, errs)
		}
		code, _, errs = do(t, command, "--config", "nosuch.yaml")
		if code != cli.ExitFailed || !strings.Contains(errs, "nosuch.yaml: no such file") {
			t.Errorf("%s with a wrong name ended with %d: %s", command, code, errs)
		}
	}
	if err := os.WriteFile("solarhub.yaml", []byte(configuration1), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := do(t, "check"); code != cli.ExitOK || !strings.Contains(out, "./solarhub.yaml is right") {
		t.Errorf("with one in place check ended with %d: %s", code, out)
	}
}

func TestCheckNeverPrintsTheToken(t *testing.T) {
	for _, content := range []string{
		configuration1,
		strings.Replace(configuration1, "unit: 2", "nuit: 2", 1),
		strings.Replace(configuration1, ".tail", "", 1),
		strings.Replace(configuration1, ".tail", ".ta il", 1),
		strings.Replace(configuration1, "token: ", "tokne: ", 1),
		strings.Replace(configuration1, "token: ", "token: [", 1),
		strings.Replace(configuration1, "token: ", "token: &", 1),
	} {
		_, out, errs := do(t, "check", "--log-level", "trace", "--config", file(t, "solarhub.yaml", content))
		if strings.Contains(out+errs, "nobody-may-see") {
			t.Errorf("the token is printed:\n%s%s\nfor:\n%s", out, errs, content)
		}
	}
}
