package forecast

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

func TestPredict(t *testing.T) {
	c := parsed(t, withLines(`  - serial: /dev/ttyUSB0
    devices:
      - {profile: powdrive, turnaround: 20ms, gap: 0s, max_registers: 125}
      - {profile: powdrive, unit: 2, timeout: 3s}
  - {tcp: h, devices: [{profile: senergy, poll: {now: 1s, normal: 1s, slow: 1s}}]}
`))
	lines, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || len(lines[0].Devices) != 2 || len(lines[1].Devices) != 1 {
		t.Fatalf("lines: %+v", lines)
	}
	serial := lines[0].Config.Serial
	timing := protocol.Timing{Serial: &serial, Turnaround: 20 * time.Millisecond}
	for _, v := range lines[0].Devices[0].Cases {
		points, err := c.Lines[0].Devices[0].Profile.Resolve(v.Traits)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, v.All, points, timing, func(p profile.Point) bool { return !p.Button() })
		checkPlan(t, v.Enabled, points, timing, func(p profile.Point) bool { return p.Entity.Enabled && !p.Button() })
		if v.Enabled.Time > v.All.Time || v.Enabled.Points >= v.All.Points || v.Enabled.Load > v.All.Load {
			t.Errorf("%s: enabled %+v, all %+v", v.Name, v.Enabled, v.All)
		}
	}
	if n := len(lines[0].Devices[0].Cases); n < 2 {
		t.Errorf("%d variants", n)
	}
	var longest time.Duration
	for _, d := range lines[0].Devices {
		for _, v := range d.Cases {
			longest = max(longest, v.All.Longest)
		}
	}
	if lines[0].Bound.Poll != longest || longest <= 0 {
		t.Errorf("write wait %v, longest read %v", lines[0].Bound.Poll, longest)
	}
	if want := 3*time.Second + serial.Chars(8) + 50*time.Millisecond; lines[0].Bound.Dead != want {
		t.Errorf("write wait with a dead device %v, want %v", lines[0].Bound.Dead, want)
	}
	if w := lines[0].Bound.Write; w <= serial.Chars(9+2+8) || w > serial.Chars(9+2*125+8)+80*time.Millisecond {
		t.Errorf("a set-value holds the line for %v", w)
	}
	v := lines[1].Devices[0].Cases[0].All
	if v.Load < v.Time.Seconds()*0.9 || lines[1].Bound.Dead != 3*time.Second {
		t.Errorf("tcp: load %v, time %v, dead %v", v.Load, v.Time, lines[1].Bound.Dead)
	}
}

func checkPlan(t *testing.T, p Plan, points []profile.Point, timing protocol.Timing, wanted func(profile.Point) bool) {
	t.Helper()
	if p.Err != nil || len(p.Reads) == 0 || math.IsNaN(p.Load) || p.Load <= 0 {
		t.Errorf("plan %+v", p)
	}
	var count, registers int
	var sum, longest time.Duration
	for _, r := range p.Reads {
		registers += int(r.Range.Count)
		cost := timing.Exchange(protocol.Read, r.Range)
		sum, longest = sum+cost, max(longest, cost)
	}
	if sum != p.Time || longest != p.Longest || registers != p.Registers {
		t.Errorf("sum %v, longest %v, %d registers: %+v", sum, longest, registers, p)
	}
	for _, point := range points {
		if !wanted(point) {
			continue
		}
		count++
		for _, r := range point.Ranges {
			covered := false
			for _, read := range p.Reads {
				covered = covered || read.Range.Contains(r)
			}
			if !covered {
				t.Errorf("%s (%v) is not read", point.Key, r)
			}
		}
	}
	if count != p.Points {
		t.Errorf("%d points, want %d", p.Points, count)
	}
}

func TestWhatCannotBeReadIsTold(t *testing.T) {
	c := parsed(t, withLines("  - {tcp: h, devices: [{profile: senergy}]}\n"))
	c.Lines[0].Devices[0].Line.MaxRegisters = 1
	lines, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	if all := lines[0].Devices[0].Cases[0].All; all.Err == nil {
		t.Error("points of two words are read one by one")
	}
}

// What is in force is told where it is not the default, with who says so.
func TestSettings(t *testing.T) {
	c := parsed(t, withLines(`  - serial: /dev/ttyUSB0
    unit_ids: lax
    connect_delay: 0s
    write_wait: 130ms
    devices:
      - {profile: powdrive, gap: 0s, holes: [holding 240..250], busy_retries: 0}
      - {profile: powdrive, unit: 2, max_registers: 5}
  - {tcp: h, devices: [{profile: senergy, quiet: 10m, timeout: 1s}]}
`))
	lines, err := Of(c)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"unit_ids lax by the configuration",
		"gap 0s by the configuration, turnaround 20ms by the family, max_registers 42 by write_wait, " +
			"holes [holding 559..585] by the family, holes [holding 240..250] " +
			"by the configuration, " +
			"busy_retries 0 by the configuration, join_writes true by the family",
		"gap 50ms by the family, turnaround 20ms by the family, max_registers 5 by the configuration, " +
			"holes [holding 559..585] by the family, join_writes true by the " +
			"family",
		"",
		"timeout 1s by the configuration, turnaround 20ms by the family, max_registers 50 by the family, holes in 11 " +
			"places by the family, quiet 10m by the configuration",
	} {
		all := [][]Setting{lines[0].Settings, lines[0].Devices[0].Settings, lines[0].Devices[1].Settings,
			lines[1].Settings, lines[1].Devices[0].Settings}[i]
		var texts []string
		for _, s := range all {
			texts = append(texts, fmt.Sprintf("%s %s by %v", s.Key, s.Text, s.From))
		}
		if got := strings.Join(texts, ", "); got != want {
			t.Errorf("%d:\ngot  %s\nwant %s", i, got, want)
		}
	}
}

// A device that has not replied yet is waited for as long as its first answer may take.
func TestAWriteWaitsForTheFirstTimeoutOfADeadDevice(t *testing.T) {
	c := parsed(t, withLines("  - {tcp: h, devices: [{profile: powdrive, timeout: 2s}, {profile: senergy, unit: 2, "+
		"first_timeout: 10s}]}\n"))
	lines, err := Of(c)
	if err != nil || lines[0].Bound.Dead != 10*time.Second {
		t.Errorf("%v, %v", lines[0].Bound.Dead, err)
	}
}

// Neighbours that are joined hold the line as long as one write of all of them.
func TestTheLongestWrite(t *testing.T) {
	at := func(addr, count uint16) profile.Point {
		return profile.Point{Ranges: []protocol.Range{{Addr: addr, Count: count}}, Write: &profile.Write{}}
	}
	reading := profile.Point{Ranges: []protocol.Range{{Addr: 16, Count: 40}}}
	points := []profile.Point{at(10, 1), at(11, 2), at(13, 1), reading, at(50, 3), at(51, 1)}
	for _, c := range []struct {
		line profile.LineSettings
		want uint16
	}{
		{profile.LineSettings{MaxRegisters: 125}, 3}, {profile.LineSettings{MaxRegisters: 125, Join: true}, 4},
		{profile.LineSettings{MaxRegisters: 3, Join: true}, 3},
		{profile.LineSettings{MaxRegisters: 2, Join: true}, 3},
	} {
		if got := longestWrite(points, c.line); got.Count != c.want {
			t.Errorf("%+v: %d, want %d", c.line, got.Count, c.want)
		}
	}
}

// Where nobody says max_registers a slow line has short reads, and check tells why.
func TestReadsOnASlowLineAreShort(t *testing.T) {
	dir := families(t, map[string]string{"plain": "unit: 1"})
	for line, want := range map[string]string{
		"serial: /dev/x":               "max_registers 48 by the pace of the line",
		"serial: /dev/x, parity: even": "max_registers 43 by the pace of the line",
		"serial: /dev/x, baud: 1200":   "max_registers 5 by the pace of the line",
		"serial: /dev/x, baud: 38400":  "",
		"tcp: h":                       "",
	} {
		c, err := config.Parse(filepath.Join(dir, "c.yaml"),
			[]byte(withLines("  - {"+line+", devices: [{profile: plain.yaml}]}\n")))
		if err != nil {
			t.Fatal(err)
		}
		lines := must(Of(c))
		got := ""
		for _, s := range lines[0].Devices[0].Settings {
			got += fmt.Sprintf("%s %s by %v", s.Key, s.Text, s.From)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// Each shipped family works as it is delivered, on every transport, and a write on its line waits for 0.2 s at most. A
// family that asks for longer reads, or for gaps, waits for these.
func TestShippedFamiliesAreRightByDefault(t *testing.T) {
	for _, name := range profile.Names() {
		for _, line := range []string{"serial: /dev/x", "rtu_over_tcp: 'h:1'", "tcp: h"} {
			c := parsed(t, withLines("  - {"+line+", devices: [{profile: "+name+"}]}\n"))
			lines := must(Of(c))
			bound := lines[0].Bound
			bound.Dead, bound.Late = 0, 0
			d := c.Lines[0].Devices[0]
			most := 200 * time.Millisecond
			if d.Profile.Line.MaxRegisters > 0 || d.Line.Pace.Gap > 0 {
				longest := protocol.Range{Count: d.Line.MaxRegisters}
				most = max(most, devices.TimingOf(d.Line).Exchange(protocol.Read, longest)) + 2*d.Line.Pace.Gap
			}
			if wait := bound.Wait(0); wait <= 0 || wait > most {
				t.Errorf("%s on %s: a write waits %v, more than %v", name, line, wait, most)
			}
		}
	}
}

// What a derived value follows from is polled, though it is off itself.
func TestOperandsAreCounted(t *testing.T) {
	dir := families(t, map[string]string{"sums": "unit: 1"})
	file := filepath.Join(dir, "sums.yaml")
	text := string(must(os.ReadFile(file)))
	text = strings.Replace(text, "class: power}]", `class: power}, {key: twice, name: Twice, value: 2 * power, unit: W,
  class: power, every: now, show: true}]`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := parsed(t, withLines("  - {tcp: h, devices: [{profile: "+file+"}]}\n"))
	on := must(Of(c))[0].Devices[0].Cases[0].Enabled
	if on.Points != 1 || len(on.Reads) != 1 || on.Now == 0 || on.Load == 0 {
		t.Errorf("planned %+v", on)
	}
}

// families writes profiles with more keys under line: into a folder and returns it.
func families(t *testing.T, lines map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, line := range lines {
		text := fmt.Sprintf("profile: %s\nname: Family %s\nmanufacturer: M\nsources: {s: x}\nline: {source: s, %s}\n"+
			"identify: {serial: {at: 3, type: text, length: 5}, source: s}\ndefaults: {source: s}\n"+
			"points: [{key: power, name: Power, at: 9, unit: W, class: power}]\n", name, name, line)
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

const goodToken = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl"

// parsed reads a configuration.
func parsed(t *testing.T, text string) config.Config {
	t.Helper()
	c, err := config.Parse("/etc/solarhub/solarhub.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// withLines wraps the text of lines: in an otherwise good configuration.
func withLines(text string) string {
	return "host: {url: 'http://h:1', token: " + goodToken + "}\nlines:\n" + text
}
