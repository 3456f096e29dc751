package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

const goodToken = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl"

const full = `host:
  url: http://homeassistant.local:8123
  token: ` + goodToken + `
  insecure: true
name: garage
data: cache
lines:
  - serial: /dev/ttyUSB0
    baud: 19200
    parity: even
    stop_bits: 2
    devices:
      - profile: powdrive
        unit: 3
        name: Roof
        id: roof-1
        gap: 60ms
        timeout: 2s
        max_registers: 40
        settle: 100ms
        turnaround: 30ms
        poll: {now: 1s, normal: 20s, slow: 10m}
        grace: 5s
        read_only: true
        arm: [grid_standard]
      - {profile: powdrive, unit: 4}
  - tcp: 192.168.1.50
    devices: [{profile: senergy, unit: 0}]
  - rtu_over_tcp: 192.168.1.51:8899
    devices: [{profile: powdrive}]
`

func parsed(t *testing.T, text string) Config {
	t.Helper()
	c, err := Parse("/etc/solarhub/solarhub.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAWholeConfiguration(t *testing.T) {
	c := parsed(t, full)
	if c.Host.URL.String() != "http://homeassistant.local:8123" || c.Host.Token.Reveal() != goodToken ||
		!c.Host.Insecure {
		t.Errorf("host: %v", c.Host)
	}
	if c.Name != "garage" || c.Data != "/etc/solarhub/cache" || len(c.Lines) != 3 {
		t.Errorf("name %q, data %q, %d lines", c.Name, c.Data, len(c.Lines))
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v", c, c, c), "eyJ") {
		t.Error("printing the configuration shows the token")
	}
	l := c.Lines[0]
	serial := protocol.Serial{Baud: 19200, DataBits: 8, Parity: protocol.EvenParity, StopBits: 2}
	if l.Transport != Serial || l.Address != "/dev/ttyUSB0" || l.Serial != serial ||
		l.String() != "serial /dev/ttyUSB0" {
		t.Errorf("line %v %v", l, l.Serial)
	}
	d := l.Devices[0]
	if d.Unit != 3 || d.Name != "Roof" || d.ID != "roof-1" || !d.ReadOnly || d.Grace != 5*time.Second ||
		len(d.Arm) != 1 ||
		d.Profile.ID != "deye" {
		t.Errorf("device %+v", d)
	}
	pace := protocol.Pace{Gap: 60 * time.Millisecond, Timeout: 2 * time.Second}
	if d.Line.Pace != pace || d.Line.MaxRegisters != 40 || d.Line.Settle != 100*time.Millisecond ||
		d.Line.Turnaround != 30*time.Millisecond ||
		d.Line.Serial != serial {
		t.Errorf("line of the device: %+v", d.Line)
	}
	if d.Intervals[profile.Now] != time.Second || d.Intervals[profile.Normal] != 20*time.Second ||
		d.Intervals[profile.Slow] != 10*time.Minute {
		t.Errorf("intervals %v", d.Intervals)
	}
	if l := c.Lines[1]; l.Address != "192.168.1.50:502" || l.Devices[0].Unit != 0 ||
		l.Devices[0].Line.Serial != (protocol.Serial{}) {
		t.Errorf("tcp: %v %+v", l, l.Devices[0].Line)
	}
	if l := c.Lines[2]; l.Address != "192.168.1.51:8899" || l.Serial != protocol.DefaultSerial ||
		l.Devices[0].Line.Serial != l.Serial {
		t.Errorf("rtu_over_tcp: %v %v", l, l.Serial)
	}
}

func TestDefaults(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", "/var/lib/solarhub:/var/lib/other")
	c := parsed(t, "host: {url: 'http://h:1', token: "+goodToken+"}\nlines: [{serial: /dev/x, devices: [{profile: "+
		"powdrive}]}]\n")
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if short, _, _ := strings.Cut(name, "."); c.Name != short {
		t.Errorf("name %q, want %q", c.Name, short)
	}
	if c.Data != "/var/lib/solarhub" {
		t.Errorf("data %q", c.Data)
	}
	family, err := profile.Get("powdrive")
	if err != nil {
		t.Fatal(err)
	}
	d := c.Lines[0].Devices[0]
	if d.Unit != family.Line.Unit || d.Name != family.Name || d.Line.Pace != family.Line.Pace ||
		d.Line.MaxRegisters != family.Line.MaxRegisters {
		t.Errorf("device %+v", d)
	}
	if d.Intervals[profile.Now] != 2*time.Second || d.Intervals[profile.Normal] != 15*time.Second ||
		d.Intervals[profile.Slow] != 5*time.Minute {
		t.Errorf("intervals %v", d.Intervals)
	}
	t.Setenv("STATE_DIRECTORY", "")
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("HOME", "/home/me")
	if got := dataFolder(); got != "/home/me/.local/share/solarhub" {
		t.Errorf("data %q", got)
	}
	t.Setenv("XDG_DATA_HOME", "/data")
	if got := dataFolder(); got != "/data/solarhub" {
		t.Errorf("data %q", got)
	}
}

func TestTheTokenFromElsewhere(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte(goodToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MY_TOKEN", goodToken)
	for _, where := range []string{"token_file: token", "token_env: MY_TOKEN"} {
		text := "host: {url: 'http://h:1', " + where + "}\nlines: [{tcp: h, devices: [{profile: senergy}]}]\n"
		c, err := Parse(filepath.Join(dir, "c.yaml"), []byte(text))
		if err != nil || c.Host.Token.Reveal() != goodToken {
			t.Errorf("%s: %v", where, err)
		}
	}
}

// withLines puts the text of lines into an otherwise right configuration; its findings begin in line 3.
func withLines(text string) string { return rightHost + "lines:\n" + text }

const (
	rightHost  = "host: {url: 'http://h:1', token: " + goodToken + "}\n"
	rightLines = "lines: [{tcp: h, devices: [{profile: senergy}]}]\n"
)

// refused is a configuration with what is found in it.
type refused struct {
	name, text string
	want       []string // each a part of one finding, in order
}

// allRefused reads testdata/findings.txt.
func allRefused(t testing.TB) (all []refused) {
	t.Helper()
	data, err := os.ReadFile("testdata/findings.txt")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer("HOST\n", rightHost, "LINES\n", rightLines, "TOKEN", goodToken)
	for _, part := range strings.Split(string(data), "\n== ")[1:] {
		var c refused
		name, rest, _ := strings.Cut(part, "\n")
		c.name = name
		for line := range strings.Lines(rest) {
			if want, is := strings.CutPrefix(line, "-- "); is {
				c.want = append(c.want, strings.TrimSuffix(want, "\n"))
			} else if line != "\n" {
				c.text += words.Replace(line)
			}
		}
		all = append(all, c)
	}
	return all
}

func TestFindings(t *testing.T) {
	for _, c := range allRefused(t) {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(c.text))
			var found strict.Findings
			if !errors.As(err, &found) {
				t.Fatalf("error %v", err)
			}
			if len(found) != len(c.want) {
				t.Errorf("%d findings, want %d:\n%v", len(found), len(c.want), found)
			}
			for i := range min(len(found), len(c.want)) {
				text := found[i].String()
				if !strings.HasPrefix(text, "c.yaml:") || !strings.Contains(text, c.want[i]) {
					t.Errorf("finding %q, want %q", text, c.want[i])
				}
			}
			if strings.Contains(err.Error(), "eyJ") {
				t.Error("a finding repeats the token")
			}
		})
	}
}

func TestAProfileOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte("profile: mine\nnonsense: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := withLines("  - {tcp: h, devices: [{profile: mine.yaml}, {profile: mine.yaml, unit: 2}, {profile: " +
		"other.yaml, unit: 3}]}\n")
	_, err := Parse(filepath.Join(dir, "c.yaml"), []byte(text))
	if err == nil {
		t.Fatal("taken")
	}
	for _, want := range []string{filepath.Join(dir, "mine.yaml") + `:2:1: unknown key "nonsense"`, "c.yaml:3:",
		"other.yaml: no such file"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("findings lack %q:\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "nonsense"); n != 1 {
		t.Errorf("the profile's finding is told %d times", n)
	}
}

func TestTwoNamesOfOnePort(t *testing.T) {
	dir := t.TempDir()
	port, byID := filepath.Join(dir, "ttyUSB0"), filepath.Join(dir, "by-id")
	if err := os.WriteFile(port, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(port, byID); err != nil {
		t.Fatal(err)
	}
	line := func(port string) string { return "  - {serial: " + port + ", devices: [{profile: powdrive}]}\n" }
	_, err := Parse("c.yaml", []byte(withLines(line(port)+line(byID))))
	if err == nil || !strings.Contains(err.Error(), "is in line 3 already") {
		t.Errorf("error %v", err)
	}
}

func TestLoadConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "solarhub.yaml")
	if _, err := Load(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a missing file: %v", err)
	}
	if err := os.WriteFile(file, []byte(full), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(file); err != nil {
		t.Error(err)
	}
}
