package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"solarhub/devices/profile"
)

// document returns CONFIG.md.
func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The example of CONFIG.md is a right configuration.
func TestTheDocumentsExample(t *testing.T) {
	_, rest, _ := strings.Cut(document(t), "```yaml\n")
	yaml, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("CONFIG.md has no example")
	}
	c := parsed(t, yaml)
	if len(c.Lines) != 2 || len(c.Lines[0].Devices) != 2 || c.Lines[0].WriteWait == 0 {
		t.Errorf("lines %+v", c.Lines)
	}
}

var documentRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([^|]*) \\|")

// CONFIG.md has every key of the parser in its section, in the parser's order, and no other; what it says of a knob is
// what the code does.
func TestTheDocumentHasEveryKey(t *testing.T) {
	sections := strings.Split(document(t), "\n## ")
	for title, keys := range map[string][]string{
		"At the top": rootKeys, "host": hostKeys, "A line": lineKeys, "A device": deviceKeys, "poll": pollKeys,
		"points": pointKeys,
	} {
		i := slices.IndexFunc(sections, func(s string) bool { return strings.HasPrefix(s, title+"\n") })
		if i < 0 {
			t.Errorf("CONFIG.md has no section %q", title)
			continue
		}
		var told []string
		for _, m := range documentRow.FindAllStringSubmatch(sections[i], -1) {
			told = append(told, m[1])
			for _, k := range profile.Settings {
				if want := k.Allowed + ", default " + k.Default(); k.Key == m[1] && want != m[2] {
					t.Errorf("CONFIG.md says of %s: %s; the code: %s", k.Key, m[2], want)
				}
			}
		}
		if !slices.Equal(told, keys) {
			t.Errorf("%s:\nCONFIG.md has %v\nthe parser   %v", title, told, keys)
		}
	}
}

// The links of CONFIG.md lead somewhere.
func TestTheDocumentsLinks(t *testing.T) {
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`).FindAllStringSubmatch(document(t), -1) {
		if _, err := os.Stat(m[1]); err != nil {
			t.Error(err)
		}
	}
}
