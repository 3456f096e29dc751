package profile

import (
	"strings"
	"testing"
)

func TestQuantityOf(t *testing.T) {
	for _, c := range []struct{ key, quantity, n, name, part string }{
		{"battery_soc", "battery_soc", "", "State of charge", "battery"},
		{"pv_2_voltage", "pv_{n}_voltage", "2", "Input 2 voltage", "pv"},
		{"pv_{n}_voltage", "pv_{n}_voltage", "", "Input {n} voltage", "pv"},
		{"battery_pack_12_soc", "battery_pack_{n}_soc", "12", "State of charge", "battery_pack_12"},
		{"grid_l3_power", "grid_l{n}_power", "3", "Power L3", "grid"},
		{"grid_l31_voltage", "grid_l31_voltage", "", "Voltage L3 to L1", "grid"},
		{"window_6_start", "window_{n}_start", "6", "Start", "window_6"},
		{key: "pv_0_voltage"}, {key: "pv_02_voltage"}, {key: "pv_2_3_voltage"}, {key: "battery_so"}, {key: ""},
	} {
		q, n, ok := QuantityOf(c.key)
		if ok != (c.quantity != "") || q.Key != c.quantity || n != c.n {
			t.Errorf("%s is %q of %q, %v", c.key, n, q.Key, ok)
		}
		if ok && n != "" {
			q = q.At(n)
		}
		if q.Name != c.name || q.Part != c.part {
			t.Errorf("%s is called %q in %q", c.key, q.Name, q.Part)
		}
	}
	for key, want := range map[string]string{"battery_sok": "; did you mean battery_soc?",
		"pv_3_volts": "; did you mean pv_3_voltage?", "soc": "; did you mean battery_soc?", "xyzzy": ""} {
		if got := nearestQuantity(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// A battery can be a little more than full, and no more.
func TestLevelsAboveFull(t *testing.T) {
	for _, key := range strings.Fields("battery_soc battery_bms_soc battery_1_soc battery_1_bms_soc " +
		"battery_pack_1_soc") {
		q, _, ok := QuantityOf(key)
		if p := (Point{Range: q.Range}); !ok || !p.Plausible(101) || p.Plausible(110) || p.Plausible(-1) {
			t.Errorf("%s is between %v", key, q.Range)
		}
	}
}

// What an energy dashboard needs is on at first and read every 15 s, and each sign is told where there is a question.
func TestVocabularyServesTheDashboard(t *testing.T) {
	for _, key := range strings.Fields("pv_energy grid_energy_import grid_energy_export battery_energy_charged " +
		"battery_energy_discharged pv_power energy_import energy_export") {
		q, _, ok := QuantityOf(key)
		if !ok || q.Shown == 0 || q.Interval > Normal || q.Unit == "kWh" && q.StateClass != total {
			t.Errorf("%s: %+v", key, q)
		}
	}
	for _, q := range Quantities() {
		for end, sign := range map[string]string{"discharging": "battery", "importing": "grid"} {
			if strings.HasSuffix(q.Sign, end) && !strings.HasPrefix(q.Part+sign, sign) && q.Part != "l{n}" {
				t.Errorf("%s is %s", q.Key, q.Sign)
			}
		}
		both := q.Key == "grid_power" || q.Key == "battery_power" || q.Key == "battery_current" || q.Key == "power"
		if both && q.Sign == "" {
			t.Errorf("%s has no sign", q.Key)
		}
	}
}

// What is wrong in a vocabulary is found, all at once.
func TestBadVocabulary(t *testing.T) {
	const head = "units: {V: {class: voltage, precision: 1, range: 0..9}, kWh: {class: energy}}\nparts:\n  battery:\n" +
		"    name: Battery\n    quantities:\n      battery_voltage: {name: Voltage, unit: V}\n"
	for quantity, want := range map[string]string{
		"soc: {name: Charge}":                             "does not begin with its part, battery",
		"battery_power_kw: {name: Power}":                 `"kw" is a unit`,
		"battery_{n}_x{n}: {name: X 1}":                   "one {n} at most",
		"battery_x: {name: Voltage}":                      `"Voltage" stands twice`,
		"battery_x: {name: SOC}":                          `say "state of charge"`,
		"battery_x_{n}: {name: X}":                        "{n} stands in the key and in the name or part",
		"battery_x: {name: 'X {n}'}":                      "{n} stands in the key and in the name or part",
		"battery_x: {name: X, unit: V, class: power}":     `class power has the units mW, W`,
		"battery_x: {name: X, class: colour}":             `class "colour" is not one of`,
		"battery_x: {name: X, unit: V, state: total}":     "does not fit class",
		"battery_x: {name: X, unit: kWh, range: -1..1}":   "cannot fall below 0",
		"battery_x: {name: X, unit: V, range: 5..1}":      "is not like 0..100",
		"battery_x: {name: X, show: 2..3}":                "neither true, spare nor like 1..2",
		"battery_x: {name: X, form: bool, unit: V}":       "unit has no place here: only a number has one",
		"battery_x: {name: X, form: bool, class: colour}": "is not one of a bool or a button",
		"battery_x: {name: X, every: never}":              `"never" is not allowed here`,
		"battery_x: {unit: V}":                            "name is missing",
	} {
		_, err := loadVocabulary("v.yaml", []byte(head+"      "+quantity+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", quantity, err, want)
		}
	}
	if _, err := loadVocabulary("v.yaml", []byte(head)); err != nil {
		t.Error(err)
	}
	const other = "  device:\n    quantities:\n      battery_y: {name: Y}\n"
	if _, err := loadVocabulary("v.yaml", []byte(head+other)); err == nil ||
		!strings.Contains(err.Error(), "which is another part") {
		t.Error(err)
	}
}

func BenchmarkVocabulary(b *testing.B) {
	for b.Loop() {
		if _, err := loadVocabulary("quantities.yaml", vocabularyFile); err != nil {
			b.Fatal(err)
		}
	}
}
