package cli_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// TestScripts carries out testdata/script/*.txt. A line "> check --config x.yaml" carries out a command in a folder
// that holds the files at the end of the script, each behind its name in dashes, and the shipped profile chint.yaml.
// What follows says how it ends: "exit 1" unless with 0, "out TEXT" what it prints, "err TEXT" what it says on standard
// error, and "not TEXT" what is in neither. A TEXT with line breaks is quoted. What a command prints or says must be
// asked for.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts: %v", len(scripts), err)
	}
	shipped, err := os.ReadFile("../../devices/profile/maps/chint.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			t.Chdir(t.TempDir())
			files := strings.Split("\n"+string(text), "\n-- ")
			for _, f := range append(files[1:], "chint.yaml --\n"+string(shipped)) {
				name, content, _ := strings.Cut(f, " --\n")
				if err := os.WriteFile(name, []byte(content+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, step := range strings.Split(files[0], "\n> ")[1:] {
				runStep(t, strings.Split(step, "\n"))
			}
		})
	}
}

func runStep(t *testing.T, lines []string) {
	t.Helper()
	code, out, errs := do(t, strings.Fields(lines[0])...)
	wanted, said := cli.ExitOK, map[string]bool{}
	for _, line := range lines[1:] {
		what, text, _ := strings.Cut(line, " ")
		if unquoted, err := strconv.Unquote(text); err == nil && strings.HasPrefix(text, `"`) {
			text = unquoted
		}
		said[what] = true
		in, right := out+errs, true
		switch what {
		case "exit":
			wanted, _ = strconv.Atoi(text)
		case "out":
			in, right = out, strings.Contains(out, text)
		case "err":
			in, right = errs, strings.Contains(errs, text)
		case "not":
			right = !strings.Contains(in, text)
		case "", "#":
		default:
			t.Fatalf("%q is not understood", line)
		}
		if !right {
			t.Errorf("%s: %s in:\n%s", lines[0], line, in)
		}
	}
	if code != wanted || out != "" && !said["out"] || errs != "" && !said["err"] {
		t.Errorf("%s ended with %d:\n%s\n%s", lines[0], code, out, errs)
	}
}
