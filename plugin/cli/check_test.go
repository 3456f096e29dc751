package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"solarhub/devices/profile"
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

// Each case of the two families has its row, and a table fits a terminal.
func TestCheckPredicts(t *testing.T) {
	code, out, errs := do(t, "check", "--config", file(t, "solarhub.yaml", configuration1))
	if code != cli.ExitOK || errs != "" {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	cases := 0
	for _, id := range []string{"powdrive", "senergy"} {
		p, err := profile.Get(id)
		if err != nil {
			t.Fatal(err)
		}
		cases += len(p.Cases())
	}
	if n := strings.Count(out, "on at first  "); n != cases {
		t.Errorf("%d rows of what is on at first, not one for each of %d cases:\n%s", n, cases, out)
	}
	for line := range strings.Lines(out) {
		if len(line) > 130 && !strings.Contains(line, "is right") {
			t.Errorf("%d characters in one line: %s", len(line), line)
		}
	}
}

// What the owner knows better than the profile stands beside what the profile says.
func TestCheckTellsWhatIsTheOwners(t *testing.T) {
	config := strings.Replace(configuration1, "        unit: 2\n", "        unit: 2\n        order: cdab\n"+
		"        points: {battery_soc: {scale: 0.5}}\n", 1)
	code, out, errs := do(t, "check", "--config", file(t, "solarhub.yaml", config))
	if code != cli.ExitOK || errs != "" {
		t.Fatalf("ended with %d: %s", code, errs)
	}
	for _, want := range []string{"The order of its bytes is yours, cdab; the profile says abcd.",
		"The scale of Battery: State of charge is yours, 0.5; the profile says 1."} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
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
