package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/protocol/sim"
)

// shared are quantities of a dashboard that is made for one family and must serve another, as far as the device has
// them.
var shared = []string{"pv_power", "pv_energy", "pv_energy_today", "pv_1_power", "pv_2_power", "battery_power",
	"battery_soc", "battery_voltage", "battery_energy_charged", "battery_energy_discharged", "grid_power",
	"grid_energy_import", "grid_energy_export", "load_power", "output_power", "status", "temperature"}

// manyFamilies are simulated inverters of several families, each on a line of its own, all behind one program.
func manyFamilies(ctx context.Context, t *testing.T, h *home, names []string) (*house, []inverter) {
	t.Helper()
	b, dir := newHouse(ctx, t)
	var config strings.Builder
	fmt.Fprintf(&config, "host: {url: %s, token_env: HASS_TOKEN}\nname: families\ndata: %s\nlines:\n", h.url,
		filepath.Join(dir, "data"))
	var all []inverter
	for n, name := range names {
		p, err := profile.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		serial := fmt.Sprintf("T%02d%07d", n, time.Now().UnixMilli()/100%1e7)
		i := newInverter(t, name, p.TraitsText(p.Cases()[0]), serial, sim.Options{Turnaround: time.Millisecond})
		fmt.Fprintf(&config, "  - tcp: %s\n    devices: [{profile: %s, name: %s, unit: %d", i.serveTCP(t), name, name,
			i.unit.ID())
		if len(p.Identify.Serials) == 0 {
			fmt.Fprintf(&config, ", id: %s", serial)
		} else {
			i.serial = simulate.SerialNumber(p, p.Cases()[0], serial)
		}
		config.WriteString("}]\n")
		all = append(all, i)
	}
	if err := os.WriteFile(b.config, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return b, all
}

// TestEndToEndFamilies shows several families in a real Home Assistant: what is on at first has a value, one dashboard
// serves all of them, and the energy dashboard takes the counters of each. SOLARHUB_FAMILIES=sma,foxess names others,
// and SOLARHUB_SHOTS=folder keeps pictures.
func TestEndToEndFamilies(t *testing.T) {
	h := nameHome(t)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	names := []string{"goodwe", "sigenergy", "sofar", "solax"}
	if named := os.Getenv("SOLARHUB_FAMILIES"); named != "" {
		names = strings.Split(named, ",")
	}
	b, inverters := manyFamilies(ctx, t, h, names)
	install(ctx, t, h, b)
	h.connect(ctx)
	defer h.disconnect()
	forget(ctx, t, h)
	b.run(ctx, h)
	e := &endToEnd{home: h, house: b}
	for _, i := range inverters {
		e.allOn(ctx, t, i)
	}
	for _, i := range inverters {
		e.sameNames(ctx, t, inverters[0], i)
		e.energy(ctx, t, i)
	}
	if os.Getenv("SOLARHUB_SHOTS") != "" {
		e.picturesOfFamilies(ctx, t, inverters)
	}
}

// allOn waits until every entity that is on at first has a value.
func (e *endToEnd) allOn(ctx context.Context, t *testing.T, i inverter) {
	t.Helper()
	var missing []string
	defer func() {
		if t.Failed() {
			t.Logf("%s: without a value: %v", i.profile.ID, missing)
		}
	}()
	e.home.until(ctx, 2*time.Minute, "values of "+i.profile.ID, func() bool {
		states := e.home.states(ctx)
		e.ids, _ = e.home.registered(ctx)
		missing = nil
		for _, p := range i.points() {
			if s := states[e.ids[i.serial+"_"+p.Key]].State; p.Entity.Enabled && !p.Button() &&
				(s == "" || s == "unavailable" || s == "unknown") {
				missing = append(missing, p.Key)
			}
		}
		return len(missing) == 0
	})
	on := 0
	for _, p := range i.points() {
		if p.Entity.Enabled {
			on++
		}
	}
	t.Logf("%-20s %d entities, %d on at first, all with a value", i.profile.ID, len(i.entities()), on)
}

// sameNames compares the entity ids and units of what two families share.
func (e *endToEnd) sameNames(ctx context.Context, t *testing.T, one, other inverter) {
	t.Helper()
	states := e.home.states(ctx)
	after := func(i inverter, key string) (id string, unit any) {
		id = e.ids[i.serial+"_"+key]
		return strings.Replace(id, "."+i.profile.ID+"_", ".", 1), states[id].Attributes["unit_of_measurement"]
	}
	for _, key := range shared {
		a, unitA := after(one, key)
		b, unitB := after(other, key)
		onBoth := unitA != nil && unitB != nil
		if a != "" && b != "" && (a != b || onBoth && unitA != unitB) {
			t.Errorf("%s: of %s %s in %v, of %s %s in %v", key, other.profile.ID, b, unitB, one.profile.ID, a, unitA)
		}
	}
}

// energy gives the counters of a family to the energy dashboard and demands that it takes them. That there are no
// statistics yet is no fault of theirs: Home Assistant makes them every five minutes.
func (e *endToEnd) energy(ctx context.Context, t *testing.T, i inverter) {
	t.Helper()
	states := e.home.states(ctx)
	id := func(key string) any { // nil if it is not there, or off
		if id := e.ids[i.serial+"_"+key]; states[id].EntityID != "" {
			return id
		}
		return nil
	}
	var sources []any
	var taken []string
	add := func(source map[string]any, keys ...string) {
		if !slices.ContainsFunc(keys, func(key string) bool { return id(key) == nil }) {
			sources, taken = append(sources, source), append(taken, source["type"].(string))
		}
	}
	add(map[string]any{"type": "grid", "stat_energy_from": id("grid_energy_import"),
		"stat_energy_to": id("grid_energy_export"), "cost_adjustment_day": 0},
		"grid_energy_import", "grid_energy_export")
	add(map[string]any{"type": "solar", "stat_energy_from": id("pv_energy"), "config_entry_solar_forecast": nil},
		"pv_energy")
	add(map[string]any{"type": "battery", "stat_energy_from": id("battery_energy_discharged"),
		"stat_energy_to": id("battery_energy_charged")}, "battery_energy_charged", "battery_energy_discharged")
	if len(sources) == 0 {
		t.Logf("%-20s counts no energy that the dashboard could take", i.profile.ID)
		return
	}
	save := map[string]any{"type": "energy/save_prefs", "energy_sources": sources, "device_consumption": []any{}}
	if err := e.home.ask(ctx, save, nil); err != nil {
		t.Fatalf("%s: the energy dashboard does not take %v: %v", i.profile.ID, taken, err)
	}
	var found struct {
		EnergySources [][]struct {
			Type     string
			Affected json.RawMessage `json:"affected_entities"`
		} `json:"energy_sources"`
	}
	if err := e.home.ask(ctx, map[string]any{"type": "energy/validate"}, &found); err != nil {
		t.Fatal(err)
	}
	for n, issues := range found.EnergySources {
		for _, issue := range issues {
			if issue.Type != "statistics_not_defined" {
				t.Errorf("%s, %s: %s %s", i.profile.ID, taken[n], issue.Type, issue.Affected)
			}
		}
	}
	t.Logf("%-20s the energy dashboard takes %v", i.profile.ID, taken)
}

// picturesOfFamilies shows the page of each device, one dashboard with two of them, and the energy settings.
func (e *endToEnd) picturesOfFamilies(ctx context.Context, t *testing.T, inverters []inverter) {
	p := openHome(t, e.home.url, e.home.token)
	for _, i := range inverters {
		p.Goto("/config/devices/device/" + e.home.device(ctx, i.serial))
		p.WaitText("Sensors")
		p.Shot("family-" + i.profile.ID)
		if battery := e.home.device(ctx, i.serial+"/battery"); battery != "" {
			p.Goto("/config/devices/device/" + battery)
			p.WaitText("State of charge")
			p.Shot("family-" + i.profile.ID + "-battery")
		}
	}
	p.Goto("/config/dashboard")
	var cards [][]string
	for _, i := range inverters[:min(2, len(inverters))] {
		var ids []string
		for _, key := range shared {
			if id, ok := e.ids[i.serial+"_"+key]; ok {
				ids = append(ids, id)
			}
		}
		cards = append(cards, ids)
	}
	p.newDashboard("solarhub-families", cards...)
	p.Goto("/solarhub-families/0")
	p.WaitText("State of charge")
	p.Shot("family-dashboard")
	p.Goto("/config/energy/electricity")
	p.WaitText("Solar")
	p.Shot("family-energy")
}
