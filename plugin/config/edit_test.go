package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The layouts that people write. want is what stands in the text afterwards, in the place of what stood there.
func TestAChangeKeepsTheRestOfTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		lines, from, to string
		change          Change
	}{
		"block": {"  - tcp: h    # the dongle\n    devices:\n      - profile: powdrive   # east\n        unit: 2\n",
			"powdrive   # east\n", "powdrive   # east\n        gap: 100ms\n", Change{0, 0, "gap", "100ms"}},
		"flow": {"  - {tcp: h, devices: [{profile: 'powdrive'}, {profile: senergy, unit: 2}]}\n",
			"{profile: senergy,", "{profile: senergy, max_registers: 20,", Change{0, 1, "max_registers", "20"}},
		"quotes": {"  - {tcp: h, devices: [{profile: 'powdrive'}]}\n",
			"'powdrive'", "'powdrive', timeout: 2s", Change{0, 0, "timeout", "2s"}},
		"of the line": {"  - {tcp: g, devices: [{profile: powdrive}]}\n  - tcp: \"h\"\n    devices: [{profile: " +
			"powdrive}]\n",
			"\"h\"\n", "\"h\"\n    connect_delay: 2s\n", Change{1, -1, "connect_delay", "2s"}},
		"in place": {"  - {tcp: h, devices: [{profile: powdrive, gap: 10ms, unit: 2}]} # ü\n",
			"gap: 10ms", "gap: 100ms", Change{0, 0, "gap", "100ms"}},
		"a list": {"  - {tcp: h, devices: [{name: Süd, profile: powdrive, holes: [holding 260]}]}\n",
			"[holding 260]", "[holding 260, holding 270]", Change{0, 0, "holes", "[holding 260, holding 270]"}},
		"line ends": {"  - tcp: h\r\n    devices:\r\n      - profile: powdrive\r\n",
			"powdrive\r\n", "powdrive\r\n        gap: 100ms\r\n", Change{0, 0, "gap", "100ms"}},
		"no last line end": {"  - tcp: h\n    devices:\n      - profile: powdrive",
			"powdrive", "powdrive\n        gap: 100ms\n", Change{0, 0, "gap", "100ms"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := withLines(c.lines)
			got, err := Edit("c.yaml", []byte(before), []Change{c.change})
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Replace(before, c.from, c.to, 1); string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestWhatCannotBeChangedIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		lines  string
		change Change
		want   string
	}{
		"a list over lines": {"  - {tcp: h, devices: [{profile: powdrive, holes: [holding 260,\n holding 270]}]}\n",
			Change{0, 0, "holes", "[holding 1]"}, "by hand"},
		"no such device": {"  - {tcp: h, devices: [{profile: powdrive}]}\n", Change{0, 1, "gap", "1s"}, "by hand"},
		"a wrong result": {"  - {tcp: h, devices: [{profile: powdrive}]}\n", Change{0, 0, "gap", "1h"},
			"would not be right"},
	} {
		if _, err := Edit("c.yaml", []byte(withLines(c.lines)), []Change{c.change}); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSaveReplacesTheFileAsAWhole(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "real.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if err := Save(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	text, _ := os.ReadFile(path)
	mode, _ := os.Stat(path)
	if err != nil || info.Mode()&os.ModeSymlink == 0 || string(text) != "new" || mode.Mode().Perm() != 0o640 {
		t.Errorf("%v %q %v %v", info, text, mode, err)
	}
	if names, _ := os.ReadDir(dir); len(names) != 2 {
		t.Errorf("left behind: %v", names)
	}
}
