package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// TestAFamilyOfOnesOwn goes the way that FORMAT.md shows to somebody whose device is not known: from two points and a
// dump to twelve points.
func TestAFamilyOfOnesOwn(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../devices/profile/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "\n## A family of your own\n")
	section, _, _ = strings.Cut(section, "\n## ")
	first := regexp.MustCompile(`(?m)^    (profile: my_inverter\n(?:    .*\n)+)`).FindStringSubmatch(section)
	more := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(section)
	if first == nil || more == nil {
		t.Fatal("FORMAT.md does not show the files")
	}
	family := filepath.Join(t.TempDir(), "my_inverter.yaml")
	begin := strings.ReplaceAll("    "+first[1], "\n    ", "\n")[4:]
	write(t, family, begin)

	out, _, _ := start(t, "simulate", "powdrive", "--trait", "lv", "--tcp", "127.0.0.1:0", "--turnaround", "0s",
		"--set", "battery_soc=51", "--set", "pv_2_power=0")
	config := file(t, "solarhub.yaml", `host: {url: "http://127.0.0.1:1", token: a.b.c}
data: data
lines:
  - tcp: `+addresses(t, out)[0]+`
    devices: [{profile: `+family+`, name: Mine}]
`)
	path := filepath.Join(t.TempDir(), "mine.csv")
	code, _, errs := do(t, "dump", "Mine", "--registers", "holding 500..699", "--out", path, "--config", config)
	if code != cli.ExitOK {
		t.Fatalf("dump ended with %d: %s", code, errs)
	}
	dump, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"\nholding,588,51\n", "\nholding,673,0\n", "\nholding,672,"} {
		if !strings.Contains(string(dump), line) {
			t.Errorf("the dump has no %q", line)
		}
	}

	write(t, family, begin+more[1])
	code, points, errs := do(t, "devices", family)
	if code != cli.ExitOK || strings.Count(points, "\n") < 12 {
		t.Fatalf("devices ended with %d: %s\n%s", code, errs, points)
	}
	out, _, _ = start(t, "simulate", family, "--dump", path, "--tcp", "127.0.0.1:0", "--turnaround", "0s")
	again := file(t, "again.yaml", `host: {url: "http://127.0.0.1:1", token: a.b.c}
data: data
lines:
  - tcp: `+addresses(t, out)[0]+`
    devices: [{profile: `+family+`, name: Mine}]
`)
	code, back, errs := do(t, "dump", "--config", again)
	if code != cli.ExitOK || !strings.Contains(back, "\nholding,588,51\n") {
		t.Errorf("the dump is not played: %d, %s\n%s", code, errs, back)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
