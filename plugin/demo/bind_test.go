package demo

import (
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol/sim"
)

// unitOf returns a simulated unit of the family's first case with its points.
func unitOf(t *testing.T, family string) (*sim.Unit, []profile.Point) {
	t.Helper()
	p, err := profile.Get(family)
	if err != nil {
		t.Fatal(err)
	}
	traits := p.Cases()[0]
	points, err := p.Resolve(traits)
	if err != nil {
		t.Fatal(err)
	}
	u, err := simulate.Unit(p, traits, "SIM1")
	if err != nil {
		t.Fatal(err)
	}
	return u, points
}

// TestShippedBindings binds each family that has a house and lives through two days: whatever the house does fits the
// registers.
func TestShippedBindings(t *testing.T) {
	files, err := shipped.ReadDir("bindings")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d bindings, %v", len(files), err)
	}
	for _, file := range files {
		family := strings.TrimSuffix(file.Name(), ".yaml")
		t.Run(family, func(t *testing.T) {
			b, err := BindingOf(family)
			if err != nil {
				t.Fatal(err)
			}
			u, points := unitOf(t, family)
			h := home(1, 0)
			bound := &bound{house: h, system: 0, unit: u}
			if err := bound.join(points, b); err != nil {
				t.Fatal(err)
			}
			for h.at < 2*day {
				bound.take()
				if err := bound.show(); err != nil {
					t.Fatalf("at %s: %v", h.at, err)
				}
				h.live(h.at + 7*time.Minute)
			}
		})
	}
}

func TestWrittenSettingReachesTheHouse(t *testing.T) {
	u, points := unitOf(t, "powdrive")
	b, err := BindingOf("deye")
	if err != nil {
		t.Fatal(err)
	}
	h := home(3, 12*time.Hour+30*time.Minute)
	h.systems[0].stored = 0.4 * h.systems[0].Capacity
	bound := &bound{house: h, system: 0, unit: u}
	if err := bound.join(points, b); err != nil {
		t.Fatal(err)
	}
	bound.take()
	h.live(h.at + time.Second)
	if f := h.Look(0); f.Battery > -500 {
		t.Fatalf("the battery does not charge at noon: %+v", f.Flows)
	}
	at := points[0].Ranges[0]
	for _, p := range points {
		if p.Key == "battery_charge_current_max" {
			at = p.Ranges[0]
		}
	}
	u.Set(at.Table, at.Addr, 10)
	bound.take()
	h.live(h.at + time.Second)
	if f := h.Look(0); f.Battery < -10*60 || f.Battery > -10*45 {
		t.Errorf("10 A are %+v", f.Flows)
	}
	u.Set(at.Table, at.Addr, 0)
	bound.take()
	h.live(h.at + time.Second)
	if f := h.Look(0); f.Battery < 0 {
		t.Errorf("with a charge current of 0 the battery charges: %+v", f.Flows)
	}
}

func TestSpoiltBindings(t *testing.T) {
	for text, want := range map[string]string{
		"takes: []":                                                  "shows is missing",
		"shows: [{key: a, quantity: sun}]":                           `quantity "sun" is none of age, battery_current`,
		"shows: [{key: a, quantity: age, x: 1}]":                     `unknown key "x"`,
		"shows: []\ntakes: [{key: a, setting: mood}]":                "charge_limit",
		"shows: []\ntakes: [{key: a, setting: mode}]":                "it needs them",
		"shows: []\ntakes: [{key: a, setting: mode, modes: {A: b}}]": "self_use",
	} {
		if _, err := parse("b.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nis found %v, want %q", text, err, want)
		}
	}
	u, points := unitOf(t, "iammeter")
	err := home(1, 0).Bind(u, points, Binding{Shows: []Shown{{"nothing", "age", 1}, {"power", "age", 1}},
		First: map[string]string{"power": "much"}}, Whole)
	for _, want := range []string{"bind nothing: the family has no such point", `age is in "h", the point in "W"`,
		`bind power: first "much"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}
