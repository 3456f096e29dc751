package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"solarhub/plugin/config"
)

const compared = `host: {url: http://ha:8123, token: a.b.c}
name: House
data: /data
lines:
  - tcp: 192.168.1.50
    devices:
      - {profile: senergy, name: Roof}
      - {profile: senergy, unit: 2, name: Cellar}
  - serial: /dev/ttyUSB0
    devices:
      - {profile: powdrive, name: Barn}
`

func TestCompare(t *testing.T) {
	for _, c := range []struct{ from, to, want string }{
		{"name: Roof}", "name: Roof} # a comment", ""},
		{"name: Roof}", "name: Roof, gap: 0s}", ""}, // the default
		{"name: Roof}", "name: Roof, poll: {now: 3s}}", "line tcp 192.168.1.50:502: poll of Roof"},
		{"name: Roof}", "name: Attic, gap: 50ms}", "line tcp 192.168.1.50:502: gap, name of Attic"},
		{"name: Roof}", "name: Roof, read_only: true, grace: 1m}",
			"line tcp 192.168.1.50:502: grace, read_only of Roof"},
		{"name: Roof}", "name: Roof, order: cdab}", "line tcp 192.168.1.50:502: points or order of Roof"},
		{"name: Roof}", "name: Roof, write_with: multiple}", "line tcp 192.168.1.50:502: write_with of Roof"},
		{"profile: senergy, name: Roof", "profile: deye, name: Roof", "line tcp 192.168.1.50:502: profile of Roof"},
		{"unit: 2", "unit: 3", "line tcp 192.168.1.50:502: Cellar is new; Cellar is gone"},
		{"tcp: 192.168.1.50", "tcp: 192.168.1.50\n    connect_delay: 1s", "line tcp 192.168.1.50:502: connect_delay"},
		{"tcp: 192.168.1.50", "tcp: 192.168.1.51", "line tcp 192.168.1.51:502: new, with Roof and Cellar\n" +
			"line tcp 192.168.1.50:502: gone, with Roof and Cellar"},
		{"serial: /dev/ttyUSB0", "serial: /dev/ttyUSB0\n    baud: 19200",
			"line serial /dev/ttyUSB0: 19200 8N1 instead of 9600 8N1"},
		{"token: a.b.c", "token: a.b.d", "Home Assistant: token; the connection is made anew"},
		{"http://ha:8123", "http://other:8123", "Home Assistant: url; the connection is made anew"},
		{"data: /data", "data: /other", `data is "/data" and would be "/other": that takes a restart of SolarHub`},
		{"name: House", "name: Home", `name is "House" and would be "Home": that takes a restart of SolarHub`},
	} {
		now, err := config.Parse("x.yaml", []byte(compared))
		if err != nil {
			t.Fatal(err)
		}
		then, err := config.Parse("x.yaml", []byte(strings.Replace(compared, c.from, c.to, 1)))
		if err != nil {
			t.Fatal(err)
		}
		d, err := config.Compare(now, then)
		got := strings.Join(d.Sentences(), "\n")
		if err != nil {
			got = err.Error()
		}
		if got != c.want || d.None() != (got == "" || err != nil) {
			t.Errorf("%s for %s:\ngot  %q\nwant %q", c.to, c.from, got, c.want)
		}
		if then.Lines[1].Address == "/dev/ttyUSB0" && strings.HasPrefix(c.want, "line tcp") &&
			d.Touches(then.Lines[1].String()) {
			t.Errorf("%s: the other line is touched", c.to)
		}
	}
}

// TestCompareWhatOneTransportHas: its own keys are named.
func TestCompareWhatOneTransportHas(t *testing.T) {
	for _, c := range []struct{ line, more, want string }{
		{"solarman: 192.168.1.50", "logger_serial: 2700000001", "line solarman 192.168.1.50:8899: logger_serial"},
		{"luxpower: 192.168.1.50", "inverter: ABCDEFGHIJ", "line luxpower 192.168.1.50:8000: dongle or inverter"},
	} {
		load := func(more string) config.Config {
			t.Helper()
			now, err := config.Parse("x.yaml", fmt.Appendf(nil, "host: {url: http://ha:8123, token: a.b.c}\nlines:\n"+
				"  - %s\n%s    devices: [{profile: luxpower}]\n", c.line, more))
			if err != nil {
				t.Fatal(err)
			}
			return now
		}
		d, err := config.Compare(load(""), load("    "+c.more+"\n"))
		if err != nil || !slices.Equal(d.Sentences(), []string{c.want}) {
			t.Errorf("%s: %q, %v", c.more, d.Sentences(), err)
		}
	}
}

// TestCompareAProfileFile: a file that was edited is another profile though the configuration is the same.
func TestCompareAProfileFile(t *testing.T) {
	folder := t.TempDir()
	own := filepath.Join(folder, "mine.yaml")
	load := func(text string) config.Config {
		t.Helper()
		if err := os.WriteFile(own, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse(filepath.Join(folder, "x.yaml"),
			[]byte(strings.Replace(compared, "profile: powdrive", "profile: mine.yaml", 1)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const text = "profile: mine\nbase: deye\nname: Mine\nlacks: [nothing]\n"
	before := load(text)
	if d, err := config.Compare(before, load("# a comment\n"+text)); err != nil || !d.None() {
		t.Errorf("a comment in the file makes a difference: %v %v", d, err)
	}
	d, err := config.Compare(before, load(strings.Replace(text, "name: Mine", "name: Mine too", 1)))
	if want := []string{"line serial /dev/ttyUSB0: profile of Barn"}; err != nil || !slices.Equal(d.Sentences(), want) {
		t.Errorf("%q, %v", d.Sentences(), err)
	}
}
