package profile

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"solarhub/devices/profile/strict"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file in testdata, or writes it.
func golden(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	have, wanted := strings.Split(text, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(have), len(wanted)) {
		var h, w string
		if i < len(have) {
			h = have[i]
		}
		if i < len(wanted) {
			w = wanted[i]
		}
		if h != w {
			t.Fatalf("%s:%d:\nhave %s\nwant %s", file, i+1, h, w)
		}
	}
}

// good is the smallest profile that has something of everything; each case below spoils it in one place.
const good = `profile: good
name: Good inverter
manufacturer: Good
sources: {paper: "Good protocol V1", log: "a log"}
line:
  serial: 9600 8N1
  max_registers: 20
  holes: [holding 700..709]
  source: paper
identify:
  serial: {at: 3, type: text, length: 5}
  source: paper
traits:
  kind: {at: 0, values: {lv: 5, hv: 6}}
parts: {battery: Battery}
defaults: {order: cdab, source: paper}
points:
- {key: voltage, name: Voltage, part: battery, at: 587, scale: {lv: 0.01, hv: 0.1}, unit: V, class: voltage}
- {key: limit, name: Charge limit, part: battery, at: 108, scale: 0.1, unit: A, class: current, ` +
	`write: {min: 0, max: 50}, source: paper}
- {key: mode, name: Mode, at: 142, options: {0: First, 1: Second}, write: {}}
- {key: flag, name: Flag, at: 150, mask: 0x0003, bool: {on: 3, off: 2}, write: {}}
- {key: total, name: Total, at: 500, type: u32, unit: kWh, class: energy}
- {key: start, name: Start, at: 148, time: decimal, write: {}}
`

func TestGoodLoads(t *testing.T) {
	if _, err := Load("good.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
}

// point puts one more point at the end of the good profile, in line 24.
func point(text string) string { return good + "- {" + text + "}\n" }

func replace(old, text string) string {
	if strings.Count(good, old) != 1 {
		panic(old + " is not in the good profile once")
	}
	return strings.Replace(good, old, text, 1)
}

// TestFindings spoils the good profile and compares what is found, with line and column, with testdata/findings.golden.
// Each case must be refused.
func TestFindings(t *testing.T) {
	var all strings.Builder
	for _, c := range slices.Concat(spoilt, spoiltGroups) {
		_, err := Load("good.yaml", []byte(c.yaml))
		var found strict.Findings
		if !errors.As(err, &found) {
			t.Errorf("%s: loaded, or %T instead of findings", c.name, err)
		}
		fmt.Fprintf(&all, "== %s\n%v\n", c.name, err)
	}
	golden(t, "testdata/findings.golden", all.String())
}
