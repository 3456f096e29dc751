package profile

import (
	"slices"
	"strings"
	"testing"
)

// eachCase calls do for every case of every family that comes with the program.
func eachCase(t *testing.T, do func(t *testing.T, p *Profile, points []Point)) {
	t.Helper()
	profiles, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		for _, traits := range p.Cases() {
			points, err := p.Resolve(traits)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(strings.TrimSuffix(p.ID+" "+p.TraitsText(traits), " "), func(t *testing.T) { do(t, p, points) })
		}
	}
}

// What two families have is called, counted and classed alike in both, because both take it from the vocabulary.
func TestSharedQuantities(t *testing.T) {
	eachCase(t, func(t *testing.T, _ *Profile, points []Point) {
		for _, p := range points {
			q, n, known := QuantityOf(p.Key)
			if !known {
				continue
			}
			q = q.At(n)
			if p.Name != q.Name || p.Part != q.Part {
				t.Errorf("%s is called %q of %q, in the vocabulary %q of %q", p.Key, p.Name, p.Part, q.Name, q.Part)
			}
			if numeric(p) && (p.Unit != q.Unit || p.Entity.DeviceClass != q.DeviceClass) {
				t.Errorf("%s: %s of %s, in the vocabulary %s of %s", p.Key, p.Unit, p.Entity.DeviceClass, q.Unit,
					q.DeviceClass)
			}
			if form := formOf(p); form != q.Form && q.Form != "any" {
				t.Errorf("%s is a %s, in the vocabulary a %s", p.Key, form, q.Form)
			}
		}
	})
}

// No limit of a setting lies beyond what its value can plausibly be, whatever the traits of the device are.
func TestLimitsArePlausible(t *testing.T) {
	eachCase(t, func(t *testing.T, _ *Profile, points []Point) {
		for _, p := range points {
			if p.Write == nil || !numeric(p) {
				continue
			}
			for _, wrong := range p.beyond(*p.Write) {
				t.Errorf("%s: %s", p.Key, wrong.Text)
			}
		}
	})
}

// What rests on one source that is not the maker's paper ships off and read only: a wrong register is worse than a
// missing one.
func TestOneSourceShipsOffAndReadOnly(t *testing.T) {
	profiles, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		for _, pt := range p.All() {
			if level := p.Level(pt.Source); level != LevelOne && level != LevelOriginal {
				continue
			}
			if pt.Entity.Enabled {
				t.Errorf("%s: %s is on at first, from %s alone", p.ID, pt.Key, pt.Source)
			}
			if pt.Write != nil {
				t.Errorf("%s: %s can be written, from %s alone", p.ID, pt.Key, pt.Source)
			}
		}
	}
}

// dashboard are the quantities of which Home Assistant's energy dashboard is made, and what a device measures that has
// them. A battery inverter has no panels, and one without a meter does not see the grid.
var dashboard = map[string]string{"pv_power": "pv_1_", "pv_energy": "pv_1_", "grid_energy_import": "grid_power",
	"grid_energy_export": "grid_power", "battery_energy_charged": "battery_soc",
	"battery_energy_discharged": "battery_soc"}

// uncounted is what a family does not count, or no source knows where, although it measures the rest.
var uncounted = map[string][]string{
	"growatt_spf":     {"battery_energy_charged"},
	"marstek":         {"pv_energy"}, // of its batteries with panels
	"anenji":          {"battery_energy_charged", "battery_energy_discharged"},
	"srne_controller": {"battery_energy_charged", "battery_energy_discharged"}, // in Ah
	// The battery in Ah, and of what it takes from the grid what goes to the load.
	"srne":      {"battery_energy_charged", "battery_energy_discharged", "grid_energy_import"},
	"solplanet": {"battery_energy_charged", "battery_energy_discharged"}, // by the day
	// Sungrow's manager counts at the grid alone; the inverters behind it count their batteries.
	"sungrow_ihomemanager": {"battery_energy_charged", "battery_energy_discharged"},
	"victron_system": {"battery_energy_charged", "battery_energy_discharged", "grid_energy_import",
		"grid_energy_export"}, // the meters and chargers behind the GX count
	"e3dc": {"battery_energy_charged", "battery_energy_discharged", "grid_energy_import", "grid_energy_export",
		"pv_energy"},
	"solax_lv": {"pv_energy"},
}

// couldBeOn reports whether a point that is off is of a quantity that is on where a device has few others.
func couldBeOn(p Point) bool { return !p.Entity.Enabled && p.Entity.Spare > 0 }

// Every inverter shows 25 to 40 entities at first, whatever it consists of, and with them what the energy dashboard
// needs, once and read at least each minute. A string inverter of which less is known, as of Solis, shows all of it; a
// meter has less to tell. What a SunSpec device has of the dashboard follows from its models: see below.
func TestOnAtFirst(t *testing.T) {
	eachCase(t, func(t *testing.T, p *Profile, points []Point) {
		measures := func(start string) bool {
			return slices.ContainsFunc(points, func(p Point) bool { return strings.HasPrefix(p.Key, start) })
		}
		if !measures("output_power") && !measures("pv_power") {
			return
		}
		shown := map[string]int{}
		for _, point := range points {
			if point.Entity.Enabled {
				shown[point.Key]++
			}
		}
		if len(shown) > 40 || len(shown) < 25 && slices.ContainsFunc(points, couldBeOn) {
			t.Errorf("%d are on at first", len(shown))
		}
		for key, start := range dashboard {
			i := slices.IndexFunc(points, func(p Point) bool { return p.Key == key })
			if p.SunSpec != nil || !measures(start) || slices.Contains(uncounted[p.ID], key) {
				continue
			}
			if i >= 0 && !points[i].Entity.Enabled && points[i].Why != "" {
				continue // the sources say different things of it
			}
			if shown[key] != 1 || points[i].Interval > Normal {
				t.Errorf("%s: on at first %d times", key, shown[key])
			}
		}
	})
}

// The SunSpec devices that people have show what their models hold, once.
func TestOnAtFirstOfSunSpec(t *testing.T) {
	const hybrid = "40000 1:65 103:50 120:26 121:30 122:44 123:24 160:88 124:24"
	for _, c := range []struct {
		id     string
		traits Traits
		shown  string
	}{
		{"fronius", Traits{"sunspec": hybrid}, "output_power pv_power pv_energy pv_1_power pv_2_power battery_power " +
			"battery_soc battery_energy_charged battery_energy_discharged"},
		{"fronius", Traits{"sunspec": "40000 1:65 113:60 120:26"}, "output_power pv_power pv_energy"},
		{"solaredge", Traits{"sunspec": "40000 1:65 103:50 1:65 203:105", "battery_1": "yes"}, "output_power " +
			"pv_power " +
			"pv_energy grid_power grid_energy_import grid_energy_export battery_power battery_soc " +
			"battery_energy_charged " +
			"battery_energy_discharged"},
		{"solaredge", Traits{"sunspec": "40000 1:65 103:50", "battery_1": "yes", "battery_2": "yes"},
			"output_power pv_power battery_power battery_soc battery_energy_charged battery_energy_discharged"},
		{"sunspec", Traits{"sunspec": "40000 1:66 103:50 203:105"}, "output_power pv_power pv_energy grid_power " +
			"grid_energy_import grid_energy_export"},
		{"sunspec", Traits{"sunspec": "40000 1:65 203:105"}, "power energy_import energy_export l1_power"},
		{"sunspec", Traits{"sunspec": "40000 1:66 701:153 714:43"}, "output_power pv_power pv_energy"},
	} {
		p, err := Get(c.id)
		if err != nil {
			t.Fatal(err)
		}
		points, err := p.Resolve(c.traits)
		if err != nil {
			t.Fatal(err)
		}
		shown := map[string]int{}
		for _, point := range points {
			if point.Entity.Enabled {
				shown[point.Key]++
			}
		}
		for _, key := range strings.Fields(c.shown) {
			if shown[key] != 1 {
				t.Errorf("%s %v: %s is on at first %d times", c.id, c.traits, key, shown[key])
			}
		}
		if len(shown) < 8 || len(shown) > 40 {
			t.Errorf("%s %v: %d are on at first", c.id, c.traits, len(shown))
		}
	}
}
