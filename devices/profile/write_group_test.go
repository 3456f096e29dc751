package profile

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// grouped is a family whose devices take windows as pairs, a block with a command word, and settings behind a lock.
const grouped = `profile: grouped
name: Grouped inverter
manufacturer: Test
sources: {paper: "Protocol V1"}
line: {source: paper}
identify: {serial: {at: 0, type: text, length: 5}, source: paper}
traits:
  kind: {at: 5, values: {lv: 1, hv: 2}}
defaults: {order: abcd, source: paper}
around:
  installer:
    before:
      - {at: 60000, value: [0x1234, 0x5678], wait: 100ms}
      - {at: 60002, value: 0x0002, mask: 0x0002, held: true}
    after: [{at: 60010, value: 1, with: single, wait: 1s}]
write_groups:
  window_{n}:
    name: Window {n}
    together: ["window_{n}_start", "window_{n}_end"]
  power_limits:
    name: Power limits
    together: [battery_most, grid_wanted, battery_least]
    constants: {0x1190: 1}
    fill: [0x118D..0x118F]
    around: installer
  slot_{n}:
    name: Slot {n}
    together: ["slot_{n}_power"]
    constants: {300: 1}
    fill: [302]
    stride: 4
points:
  - group:
      repeat: {n: 1..3, stride: 2}
      points:
        - {key: "window_{n}_start", name: "Window {n} start", at: 3038, time: packed, write: {}}
        - {key: "window_{n}_end", name: "Window {n} end", at: 3039, time: packed, write: {}}
  - group:
      repeat: {n: 1..2, stride: 4}
      points:
        - {key: "slot_{n}_power", name: "Slot {n} power", at: 301, write: {min: 0, max: 9000}, source: paper}
  - {key: grid_wanted, name: Wanted grid power, at: 4487, type: s32, write: {min: -20000, max: 20000}, source: paper}
  - {key: battery_least, name: Least battery power, at: 4489, type: s32, write: {min: -20000, max: 20000},
     source: paper}
  - {key: battery_most, name: Most battery power, at: 4491, type: s32, write: {min: -20000, max: 20000}, source: paper}
  - {key: country, name: Country, at: 100, options: {0: A, 1: B}, write: {around: {lv: installer, hv: none}}}
  - {key: remote_power, name: Remote power, at: 124, write: {min: 0, max: 9000, readback: false}, source: paper}
`

func loadGrouped(t *testing.T) *Profile {
	t.Helper()
	p, err := Load("grouped.yaml", []byte(grouped))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWriteGroups(t *testing.T) {
	points, err := loadGrouped(t).ResolveNamed("lv")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, key := range []string{"window_3_end", "battery_least", "slot_2_power"} {
		w := find(t, points, key).Write
		fmt.Fprintln(&text, key, *w.Group, w.Single)
		w.Group.Around = nil
	}
	want := "window_3_end {window_3 Window 3 [window_3_start window_3_end] holding 3042+2 map[] <nil>} false\n" +
		"battery_least {power_limits Power limits [grid_wanted battery_least battery_most] holding 4487+10 " +
		"map[4496:1] "
	if !strings.HasPrefix(text.String(), want) {
		t.Errorf("have %s\nwant %s", text.String(), want)
	}
	if want := "slot_2_power {slot_2 Slot 2 [slot_2_power] holding 304+3 map[304:1] <nil>} false\n"; !strings.HasSuffix(
		text.String(), want) {
		t.Errorf("have %s\nwant %s", text.String(), want)
	}
	if find(t, points, "window_3_end").Write.Group != find(t, points, "window_3_start").Write.Group {
		t.Error("the two ends of a window have two groups")
	}
	if find(t, points, "remote_power").HasValue() {
		t.Error("what cannot be read has a value")
	}
}

func TestAround(t *testing.T) {
	p := loadGrouped(t)
	lv, _ := p.ResolveNamed("lv")
	hv, _ := p.ResolveNamed("hv")
	around := find(t, lv, "country").Write.Around
	if around == nil || find(t, hv, "country").Write.Around != nil ||
		find(t, lv, "grid_wanted").Write.Around != around {
		t.Fatalf("around %v of lv, %v of hv", around, find(t, hv, "country").Write.Around)
	}
	first, last := around.Before[0], around.After[0]
	if first.Range() != (protocol.Range{Addr: 60000, Count: 2}) || first.Wait != 100*time.Millisecond ||
		!around.Before[1].Held || around.Before[1].Mask != 2 || !last.Single || last.Wait != time.Second {
		t.Errorf("%+v", *around)
	}
}

// A device that lacks one of the points, or of which one is read only, is told so.
func TestWriteGroupOfSomeDevices(t *testing.T) {
	yaml := strings.Replace(grouped, "{key: battery_most,", "{key: battery_most, when: kind = lv,", 1)
	p, err := Load("grouped.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	lv, _ := p.ResolveNamed("lv")
	hv, _ := p.ResolveNamed("hv")
	if find(t, lv, "grid_wanted").Write.Group == nil || find(t, hv, "grid_wanted").Write.Group != nil {
		t.Error("the group is not that of lv alone")
	}
}

// grouping puts write groups and more points into the good profile.
func grouping(groups string, points ...string) string {
	text := replace("defaults: {order: cdab, source: paper}", "defaults: {order: cdab, source: paper}\n"+groups)
	for _, p := range points {
		text += "- {" + p + "}\n"
	}
	return text
}

const (
	extraA = "key: aa, name: A, at: 200, write: {min: 0, max: 9}, source: paper"
	extraB = "key: bb, name: B, at: 203, write: {min: 0, max: 9}, source: paper"
)

// spoiltGroups are bad groups; what is found in each stands in testdata/findings.golden.
var spoiltGroups = []struct{ name, yaml string }{
	{"group with a gap", grouping("write_groups: {both: {name: Both, together: [aa, bb]}}", extraA, extraB)},
	{"group of nothing", grouping("write_groups: {both: {name: both, together: [ab, bb]}}", extraA, extraB)},
	{"group without points", grouping("write_groups: {Both: {name: Both, fill: [200]}}")},
	{"constant of a member", grouping(
		"write_groups: {both: {name: Both, together: [aa, bb], constants: {200: 1, input 201: 2}, fill: [200..203]}}",
		extraA, extraB)},
	{"group over a hole", grouping("write_groups: {both: {name: Both, together: [aa], fill: [201..700, input 7]}}",
		extraA)},
	{"group of what is read only", grouping("write_groups: {both: {name: Both, together: [total, voltage]}}")},
	{"member of two groups", grouping("write_groups: {one: {name: One, together: [aa]}, two: {name: Two, "+
		"together: [aa, aa]}}", extraA)},
	{"letters of a group", grouping("write_groups: {\"both_{n}\": {name: Both, together: [aa], stride: 2}}", extraA)},
	{"group that is too long", grouping("write_groups: {both: {name: Both, together: [aa], fill: [201..400]}}",
		extraA)},
	{"members that overlap", grouping("write_groups: {both: {name: Both, together: [aa, bb]}}", extraA,
		"key: bb, name: B, at: 200, write: {min: 0, max: 9}, source: paper")},
	{"constant that nothing may touch", strings.Replace(grouping(
		"write_groups: {both: {name: Both, together: [aa], constants: {201: 65536}}}", extraA),
		"  source: paper\nidentify", "  never: [holding 201]\n  source: paper\nidentify", 1)},
	{"around", grouping("around: {none: {before: [{at: input 1, value: 1}, "+
		"{at: 1, value: [1, 2], mask: 1}]}, two: {}}",
		"key: aa, name: A, at: 200, write: {min: 0, max: 9, around: three}, source: paper")},
	{"steps", grouping("around: {one: {after: [{at: 70000, value: 1}, {at: 1, value: 65536, wait: 1m}, {value: 1}]}}")},
	{"written and never read", grouping("",
		"key: aa, name: A, at: 200, mask: 1, write: {min: 0, max: 1, readback: false, flash: true, at: 5}, "+
			"source: paper")},
}
