package profile

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// TestMaps loads every shipped profile on its own, so that the findings of all are shown.
func TestMaps(t *testing.T) {
	for _, id := range Names() {
		data, err := shipped.ReadFile("maps/" + id + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		p, err := Load("maps/"+id+".yaml", data)
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		for _, r := range p.Remarks() {
			t.Errorf("%s: %s: %s", id, r.Key, r.Text)
		}
		for _, traits := range p.Cases() {
			v := p.TraitsText(traits)
			t.Run(strings.TrimSuffix(id+" "+v, " "), func(t *testing.T) { checkMap(t, p, v) })
		}
	}
}

func checkMap(t *testing.T, p *Profile, variant string) {
	points, err := p.ResolveNamed(variant)
	if err != nil || len(points) == 0 {
		t.Fatalf("%d points, %v", len(points), err)
	}
	for _, pt := range points {
		checkSound(t, p, pt)
	}
}

// checkSound checks what holds for any point of any profile that loads.
func checkSound(t *testing.T, p *Profile, pt Point) {
	t.Helper()
	if pt.Formula != nil {
		return
	}
	count := 0
	for _, r := range pt.Ranges {
		count += int(r.Count)
		if r.End() > 65536 || r.Count > cmp.Or(p.Line.MaxRegisters, 125) {
			t.Errorf("%s: range %s", pt.Key, r)
		}
	}
	if pt.Formula == nil && count != pt.Spec.Words() {
		t.Errorf("%s: %d words in ranges, %d in the spec", pt.Key, count, pt.Spec.Words())
	}
	if pt.Entity.Platform == "" || pt.Source == "" || pt.Key == "" || pt.Name == "" {
		t.Errorf("%s: without platform, source or name: %+v", pt.Key, pt)
	}
	if w := pt.Write; w != nil && (w.Single && count > 1 || !w.ReadBack && w.Flash) {
		t.Errorf("%s: write %+v over %d words", pt.Key, *w, count)
	}
}

// TestKeys holds keys and platforms: history and automations of owners hang on them.
func TestKeys(t *testing.T) {
	profiles, err := Embedded()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		t.Run(p.ID, func(t *testing.T) { golden(t, "testdata/"+p.ID+".keys", keys(t, p)) })
	}
}

// digits is a number in a key of a repetition.
var digits = regexp.MustCompile(`(_l?)[0-9]+(_|$)`)

// keys returns a line for each key: platform, unit, classes, which the statistics of a host stand and fall with
// (a corrected unit has broken those of AlphaESS owners), and the variants that have it where not all do. A family of
// many cases has one line for all keys of a repetition, whatever case has them.
func keys(t *testing.T, p *Profile) string {
	in, many := map[string][]string{}, len(p.Cases()) > 2
	for _, traits := range p.Cases() {
		v := p.TraitsText(traits)
		points, err := p.Resolve(traits)
		if err != nil {
			t.Fatal(err)
		}
		for _, pt := range points {
			h, key := pt.Entity, pt.Key
			if many {
				key = digits.ReplaceAllString(pt.Key, "${1}{n}${2}")
			}
			id := strings.Join(strings.Fields(strings.Join([]string{key, h.Platform, pt.Unit, h.DeviceClass,
				h.StateClass}, " ")), " ")
			in[id] = append(in[id], v)
		}
	}
	var lines []string
	for id, variants := range in {
		if !many && len(variants) < len(p.Cases()) {
			id += " " + strings.Join(variants, " ")
		}
		lines = append(lines, id+"\n")
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// TestPowdrive looks at what is dangerous to get wrong: the variant's scale and the words that lie apart.
func TestPowdrive(t *testing.T) {
	p, err := Get("powdrive")
	if err != nil {
		t.Fatal(err)
	}
	for variant, scale := range map[string]float64{"lv": 0.01, "hv": 0.1} {
		points, err := p.ResolveNamed(variant)
		if err != nil {
			t.Fatal(err)
		}
		pt := find(t, points, "battery_voltage")
		if pt.Spec.Scale != scale || pt.Entity.Precision != 1 || pt.Spec.Order != codec.CDAB {
			t.Errorf("%s: %+v", variant, pt)
		}
		if got := find(t, points, "battery_voltage_shutdown").Write; got.Step != scale {
			t.Errorf("%s: step %v, the grid is %v", variant, got.Step, scale)
		}
	}
	points, _ := p.ResolveNamed("hv")
	want := []protocol.Range{{Addr: 625, Count: 1}, {Addr: 690, Count: 1}}
	if got := find(t, points, "grid_power_wide"); !slices.Equal(got.Ranges, want) {
		t.Errorf("ranges %v, want %v", got.Ranges, want)
	}
	kind := p.Traits[0]
	if w, _ := kind.Word(codec.Number(5)); w != "lv" || p.Line.Serial != protocol.DefaultSerial {
		t.Errorf("traits %+v, line %+v", p.Traits, p.Line)
	}
}

// TestDecidedBySource holds the points about which sources differ to what was decided, and why it matters.
func TestDecidedBySource(t *testing.T) {
	for _, c := range []struct {
		family, variant, key string
		want                 string // address, type, scale, unit, class
	}{
		// The maker's paper: 501 and 504 are active energy, 502 and 506 reactive.
		{"powdrive", "lv", "inverter_energy_today", "501 s16 0.1 kWh energy"},
		{"powdrive", "hv", "inverter_energy", "504 u32 0.1 kWh energy"},
		{"powdrive", "lv", "inverter_reactive_energy_today", "502 s16 0.1 kvarh reactive_energy"},
		{"powdrive", "hv", "inverter_reactive_energy", "506 u32 0.1 kvarh reactive_energy"},
		{"powdrive", "lv", "battery_soh", "224 u16 1 % "},
		{"powdrive", "lv", "battery_equalization_time", "106 u16 0.5 h duration"},
		// The log of a Senergy: power is positive while discharging, and the raw current while charging.
		{"senergy", "single", "battery_current", "8199 s32 -0.01 A current"},
		{"senergy", "three", "grid_l3_power", "4868 s32 0.1 W power"},
		{"iammeter", "", "l3_capacitive_energy", "54 u32 0.001 kvarh reactive_energy"},
		// The maker's paper: the meter's power is positive while exporting, and that of the grid port too.
		{"solis", "single", "grid_power", "33263 s32 -1 W power"},
		{"solis", "three", "grid_inside_power", "33151 s32 -1 W power"},
		{"solis", "single", "grid_export_limit", "43074 u16 100 W power"},
	} {
		p, err := Get(c.family)
		if err != nil {
			t.Fatal(err)
		}
		points, _ := p.ResolveNamed(c.variant)
		pt := find(t, points, c.key)
		got := fmt.Sprintf("%d %v %v %s %s", pt.Ranges[0].Addr, pt.Spec.Type, pt.Spec.Scale, pt.Unit,
			pt.Entity.DeviceClass)
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.family, c.key, got, c.want)
		}
	}
	for variant, most := range map[string]float64{"lv": 350, "hv": 240} {
		p, _ := Get("powdrive")
		points, _ := p.ResolveNamed(variant)
		if w := find(t, points, "battery_charge_current_max").Write; w.Max != most {
			t.Errorf("%s: a charge current of %v A, want %v", variant, w.Max, most)
		}
	}
}

// Three phases are no variant of one: what is called Power on one phase is a third on three.
func TestPhasesOfSenergy(t *testing.T) {
	p, err := Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	for variant, form := range map[string]string{"single": "%s_power", "three": "%s_l1_power"} {
		points, _ := p.ResolveNamed(variant)
		for part, addr := range map[string]uint16{"grid": 4864, "load": 4874, "backup": 4947} {
			if got := find(t, points, fmt.Sprintf(form, part)); got.Ranges[0].Addr != addr {
				t.Errorf("%s %s: %+v", variant, part, got)
			}
		}
	}
}

func find(t *testing.T, points []Point, key string) Point {
	t.Helper()
	i := slices.IndexFunc(points, func(p Point) bool { return p.Key == key })
	if i < 0 {
		t.Fatalf("no point %s", key)
	}
	return points[i]
}

func ExampleProfile_Resolve() {
	p, _ := Get("powdrive")
	_, err := p.ResolveNamed("mv")
	fmt.Println(err)
	// Output: profile deye: "mv" is not one of lv, hv, single, tenth, whole, watt, ten_watts, packs 0..20
}
