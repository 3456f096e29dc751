package plugin

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

func TestPredict(t *testing.T) {
	c := parsed(t, withLines(`  - serial: /dev/ttyUSB0
    devices:
      - {profile: powdrive, turnaround: 20ms, gap: 0s, max_registers: 125}
      - {profile: powdrive, unit: 2, timeout: 3s}
  - {tcp: h, devices: [{profile: senergy, poll: {now: 1s, normal: 1s, slow: 1s}}]}
`))
	lines, err := Predict(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || len(lines[0].Devices) != 2 || len(lines[1].Devices) != 1 {
		t.Fatalf("lines: %+v", lines)
	}
	serial := lines[0].Line.Serial
	timing := protocol.Timing{Serial: &serial, Turnaround: 20 * time.Millisecond}
	for _, v := range lines[0].Devices[0].Variants {
		points, err := c.Lines[0].Devices[0].Profile.Resolve(v.Variant)
		if err != nil {
			t.Fatal(err)
		}
		checkPlan(t, v.All, points, timing, func(p profile.Point) bool { return !p.Button() })
		checkPlan(t, v.Enabled, points, timing, func(p profile.Point) bool { return p.Entity.Enabled && !p.Button() })
		if v.Enabled.Time > v.All.Time || v.Enabled.Points >= v.All.Points || v.Enabled.Load > v.All.Load {
			t.Errorf("%s: enabled %+v, all %+v", v.Variant, v.Enabled, v.All)
		}
	}
	if n := len(lines[0].Devices[0].Variants); n != 2 {
		t.Errorf("%d variants", n)
	}
	var longest time.Duration
	for _, d := range lines[0].Devices {
		for _, v := range d.Variants {
			longest = max(longest, v.All.Longest)
		}
	}
	if lines[0].WriteWait != longest || longest <= 0 {
		t.Errorf("write wait %v, longest read %v", lines[0].WriteWait, longest)
	}
	if want := 3*time.Second + serial.Chars(8); lines[0].WriteWaitDead != want {
		t.Errorf("write wait with a dead device %v, want %v", lines[0].WriteWaitDead, want)
	}
	v := lines[1].Devices[0].Variants[0].All
	if v.Load < v.Time.Seconds()*0.9 || lines[1].WriteWaitDead != 3*time.Second {
		t.Errorf("tcp: load %v, time %v, dead %v", v.Load, v.Time, lines[1].WriteWaitDead)
	}
}

func checkPlan(t *testing.T, p PlanPrediction, points []profile.Point, timing protocol.Timing, wanted func(profile.Point) bool) {
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
	lines, err := Predict(c)
	if err != nil {
		t.Fatal(err)
	}
	if all := lines[0].Devices[0].Variants[0].All; all.Err == nil {
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
	lines, err := Predict(c)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"unit_ids lax by the configuration",
		"gap 0s by the configuration, turnaround 20ms by the family, max_registers 42 by write_wait, " +
			"holes [holding 259..335, holding 342..499, holding 559..585] by the family, holes [holding 240..250] by the configuration, " +
			"busy_retries 0 by the configuration, join_writes true by the family",
		"gap 50ms by the family, turnaround 20ms by the family, max_registers 5 by the configuration, " +
			"holes [holding 259..335, holding 342..499, holding 559..585] by the family, join_writes true by the family",
		"",
		"timeout 1s by the configuration, turnaround 20ms by the family, max_registers 50 by the family, holes in 9 places by the family, quiet 10m by the configuration",
	} {
		all := [][]Setting{lines[0].Settings, lines[0].Devices[0].Settings, lines[0].Devices[1].Settings, lines[1].Settings, lines[1].Devices[0].Settings}[i]
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
	c := parsed(t, withLines("  - {tcp: h, devices: [{profile: powdrive, timeout: 2s}, {profile: senergy, unit: 2, first_timeout: 10s}]}\n"))
	lines, err := Predict(c)
	if err != nil || lines[0].WriteWaitDead != 10*time.Second {
		t.Errorf("%v, %v", lines[0].WriteWaitDead, err)
	}
}
