package cli_test

import (
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

func TestCompletion(t *testing.T) {
	config := file(t, "solarhub.yaml", dumpConfig(t, "tcp: 127.0.0.1:1"))
	for _, c := range []struct{ typed, want string }{
		{"devices dey", "deye\n"},
		{"devices try ./my", ":0"}, // files
		{"dump --config " + config + " Gar", "Garage\n"},
		{"devices try x.yaml --config " + config + " --device ", "Garage\n"},
		{"simulate deye --set battery_so", "battery_soc=\n"},
		{"sc", "scan\t"},
	} {
		code, out, _ := do(t, append([]string{"__complete"}, strings.Split(c.typed, " ")...)...)
		if code != cli.ExitOK || !strings.Contains(out, c.want) {
			t.Errorf("%q ended with %d: %q", c.typed, code, out)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, out, errs := do(t, "completion", shell)
		if code != cli.ExitOK || errs != "" || !strings.Contains(out, "__complete") {
			t.Errorf("%s: ended with %d: %s", shell, code, errs)
		}
	}
}

// Help is printed for people: no line is too wide, none ends with blanks, and no type of Go is in it.
func TestHelpIsReadable(t *testing.T) {
	for _, command := range []string{"", "login", "init", "simulate", "devices try", "dump diff", "scan"} {
		code, help, _ := do(t, append(strings.Fields(command), "--help")...)
		if code != cli.ExitOK || strings.Contains(help, "stringArray") || strings.Contains(help, "uint") {
			t.Errorf("%s: ended with %d:\n%s", command, code, help)
		}
		for line := range strings.Lines(help) {
			line = strings.TrimRight(line, "\n")
			if len(line) > 120 || strings.HasSuffix(line, " ") {
				t.Errorf("%s: the line %q", command, line)
			}
		}
	}
	_, help, _ := do(t, "--help")
	for _, part := range []string{"\nSet up:\n", "\nServe:\n", "  completion ", "It ends with 0"} {
		if !strings.Contains(help, part) {
			t.Errorf("no %q in\n%s", part, help)
		}
	}
}
