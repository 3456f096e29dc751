package profile

import (
	"fmt"
	"strings"
	"testing"

	"solarhub/protocol/codec"
)

// family has something of everything that depends on traits.
const family = `profile: family
name: Family of inverters
manufacturer: Family
models: [F1, F3]
aliases: [relative]
sources:
  paper: {level: paper, text: "Protocol V1"}
  a: {level: public, text: "a"}
  b: "b"
  first: {level: original, text: "table"}
  both: [a, b]
line: {starts: [holding 300], never: [holding 60000..65535], source: paper}
sunspec: {bases: [40000, 50000]}
identify:
  serial: [{at: 3, type: text, length: 5}, {at: {model: 1, offset: 52}, type: text, length: 16}]
  expect: [{serial: ["21", "22"]}, {at: 9, values: [1, 5..7], name: type}]
  never: [holding 30000..30999]
traits:
  battery: {at: 0, values: {lv: [5, 1280], hv: 6..8, none: 0}}
  phases: {at: 22, mask: 0x000F, number: 1..3, otherwise: 3}
  rated_power: {at: 20, number: 0..20000, otherwise: 5000}
  packs: {at: 512, number: 0..3, otherwise: 0, when: battery = lv}
  series: {serial: {"21": old, "2105": new}, otherwise: old}
  meter: {answers: 37100}
  unit: {choice: {tenth: 0.1 kWh, whole: Whole kWh}, otherwise: tenth, ask: Which one?}
tables: {states: {0: Off, 1: {run: Running}}}
parts: {"phase_{n}": "Phase {n}"}
defaults: {source: both}
points:
- {is: battery_soc, at: 10, when: battery != none}
- {is: pv_energy_today, at: 11, scale: {tenth: 0.1, whole: 1}}
- {is: battery_power, at: {lv: 12, hv: 13, else: 14}, type: s16, scale: -1}
- {is: work_mode, at: 15, options: [states, {when: battery = lv, 5: Old mode}], write: {options: [run]}}
- {key: limit, name: Limit, at: 16, scale: 100, unit: W, class: power, source: paper,
   write: {min: 0, max: rated_power * 1.1}}
- group:
    when: [phases >= 2, meter]
    repeat: {n: 1..phases, stride: 10}
    points:
    - {key: "phase_{n}_power", name: Power, part: "phase_{n}", at: 100, type: s16, unit: W, class: power}
    - {key: "phase_{n}_low", name: Low, part: "phase_{n}", at: 101, type: s8, byte: high, stride: 20}
- group:
    repeat: {p: 1..packs, stride: 40}
    source: paper
    points:
    - {is: "battery_{p}_voltage", at: 200, scale: 0.1}
    - group:
        repeat: {c: 1..2, offsets: [0, 5]}
        entity: false
        points:
        - {key: "battery_{p}_cell_{c}", name: "Cell {p} {c}", at: 210, scale: 0.001, unit: V, class: voltage}
- {key: sum, name: Sum, value: "sum(phase_{n}_power) - 2 * limit", unit: W, class: power, negative: {work_mode: [run]}}
- {key: clock, name: Clock, at: 300, type: u32, epoch: true, alone: true, entity: false}
- {key: made, name: Made, at: 302, version: [8, 8], no_value: [0, 0xFFF0..0xFFFF]}
- {key: night, name: Night, at: 303, type: u32, time: hour_minute, write: {at: 310}, source: first}
- {key: ac_power, name: Output, at: {model: [101, 103], offset: 14}, scale_at: {model: [101, 103], offset: 15},
   type: s16, unit: W, class: power}
- {key: three, name: Three, at: {model: 103, offset: 20}, when: model 103}
`

// TestFamily holds which points devices with various traits have, and where.
func TestFamily(t *testing.T) {
	p, err := Load("family.yaml", []byte(family))
	if err != nil {
		t.Fatal(err)
	}
	chain := "40000 1:66 103:50"
	var text strings.Builder
	for _, traits := range []Traits{
		{"sunspec": chain, "battery": "lv", "packs": "2", "unit": "whole", "series": "new"},
		{"sunspec": "40000 1:66 101:50", "battery": "hv", "phases": "1", "meter": "yes", "rated_power": "12345"},
		{"sunspec": "50000", "battery": "none", "phases": "1", "rated_power": "0"},
	} {
		points, err := p.Resolve(traits)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "== %s\n", p.TraitsText(traits))
		for _, pt := range points {
			fmt.Fprintf(&text, "%s (%s) %s %v", pt.Key, pt.Part, pt.Entity.Platform, pt.Ranges)
			if pt.Spec.IsNumber() && pt.Formula == nil {
				fmt.Fprintf(&text, " *%v", pt.Spec.Scale)
			}
			for _, o := range pt.Spec.Options {
				fmt.Fprintf(&text, " %d=%s,%v", o.Raw, o.Name, o.Fixed)
			}
			if w := pt.Write; w != nil {
				fmt.Fprintf(&text, " %v..%v,%v %v", w.Min, w.Max, w.Step, w.Ranges)
			}
			if pt.Formula != nil {
				fmt.Fprintf(&text, " %v", *pt.Formula)
			}
			fmt.Fprintf(&text, " %s\n", p.Level(pt.Source))
		}
	}
	golden(t, "testdata/family.golden", text.String())
}

// TestFamilyIsShown holds that the cases of a family show every point, every word and the ends of every number.
func TestFamilyIsShown(t *testing.T) {
	p, err := Load("family.yaml", []byte(family))
	if err != nil {
		t.Fatal(err)
	}
	shown, words := map[string]bool{}, map[string]bool{}
	for _, traits := range p.Cases() {
		points, err := p.Resolve(traits)
		if err != nil {
			t.Fatal(err)
		}
		for _, pt := range points {
			shown[pt.Key] = true
		}
		for name, word := range traits {
			words[name+" "+word] = true
		}
		if named, err := p.NamedTraits(p.TraitsText(traits)); err != nil || named.text() != traits.text() {
			t.Errorf("%q is read as %v, %v", p.TraitsText(traits), named, err)
		}
		if lv := traits["battery"] == "lv"; !lv && traits["packs"] != "0" {
			t.Errorf("packs are not read of %v", traits)
		}
	}
	for _, pt := range p.All() {
		if !shown[pt.Key] {
			t.Errorf("no case shows %s", pt.Key)
		}
	}
	for _, want := range []string{"battery none", "phases 1", "packs 3", "packs 0", "rated_power 20000", "meter no",
		"unit whole", "series new"} {
		if !words[want] {
			t.Errorf("no case has %s", want)
		}
	}
}

// text returns traits in one order.
func (t Traits) text() string { return fmt.Sprint(map[string]string(t)) }

// TestTraitWords holds what a value says of a trait.
func TestTraitWords(t *testing.T) {
	p, err := Load("family.yaml", []byte(family))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		trait string
		value codec.Value
		want  string
	}{
		{"battery", codec.Number(1280), "lv"}, {"battery", codec.Number(7), "hv"}, {"battery", codec.Number(9), ""},
		{"battery", codec.None("silent"), ""}, {"phases", codec.Number(3), "3"}, {"phases", codec.Number(4), ""},
		{"series", codec.TextOf("21067"), "old"}, {"series", codec.TextOf("21057"), "new"},
		{"series", codec.TextOf("30"), ""}, {"meter", codec.BoolOf(false), "no"},
		{"unit", codec.TextOf("whole"), "whole"},
	} {
		trait, _ := p.Trait(c.trait)
		if word, ok := trait.Word(c.value); ok != (c.want != "") || ok && word != c.want {
			t.Errorf("%s of %v: %q, %v, want %q", c.trait, c.value, word, ok, c.want)
		}
		if sample, ok := trait.Sample(c.want); c.want != "" {
			if word, told := trait.Word(sample); !ok || !told || word != c.want {
				t.Errorf("%s %s: the sample %v says %q", c.trait, c.want, sample, word)
			}
		}
	}
}

// TestBase holds that a profile has what its base has, changed where it says so, and that bases cannot go round.
func TestBase(t *testing.T) {
	files := map[string]string{
		"round": "base: again\n" + good, "again": "base: round\n" + good, "good": good,
		"own": `profile: own
base: good
name: Own inverter
drop: [mode]
points:
- {key: voltage, name: Voltage, part: battery, at: 7}
- {key: extra, name: Extra, at: 8}
`,
	}
	open := func(id string) (string, []byte, error) { return id + ".yaml", []byte(files[id]), nil }
	if _, err := load("round.yaml", []byte(files["round"]), open); err == nil ||
		!strings.Contains(err.Error(), "stands on itself") {
		t.Errorf("bases that go round: %v", err)
	}
	dropped := strings.Replace(files["own"], "[mode]", "[nothing]", 1)
	if _, err := load("own.yaml", []byte(dropped), open); err == nil || !strings.Contains(err.Error(), "no point") {
		t.Errorf("what the base has not is dropped: %v", err)
	}
	if _, err := Load("own.yaml", []byte("base: nothing\n"+good)); err == nil ||
		!strings.Contains(err.Error(), `"nothing" is not one of`) {
		t.Errorf("an unknown base: %v", err)
	}
	base, err := load("good.yaml", []byte(good), open)
	if err != nil {
		t.Fatal(err)
	}
	own, err := load("own.yaml", []byte(files["own"]), open)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := base.ResolveNamed("hv")
	after, err := own.ResolveNamed("hv")
	if err != nil || len(after) != len(before) || own.Name != "Own inverter" || own.Manufacturer != "Good" {
		t.Fatalf("%d points, before %d, %v; %+v", len(after), len(before), err, own)
	}
	v := find(t, after, "voltage")
	if w := find(t, before, "voltage"); v.Ranges[0].Addr != 7 || v.Unit != w.Unit || v.Spec.Scale != w.Spec.Scale {
		t.Errorf("voltage is %+v, was %+v", v, w)
	}
	for _, pt := range after {
		if pt.Key == "mode" {
			t.Error("mode was dropped")
		}
	}
}
