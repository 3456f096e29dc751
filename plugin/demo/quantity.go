package demo

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"
)

// Whole is, in place of a system's number, the whole house: the sum of its systems at the connection to the grid.
const Whole = -1

// View is a system, or the whole house, at a moment.
type View struct {
	Flows
	Total, Today Energy
	SoC          float64       // % of the batteries
	Volts        float64       // of the battery
	Peak         float64       // W, highest solar power of the day
	At           time.Duration // that the house has lived
	mains        float64       // 0..1, how the grid is just now
}

// Look returns how a system is, or the whole house.
func (h *House) Look(i int) View {
	h.mu.Lock()
	defer h.mu.Unlock()
	seen := h.systems
	if i != Whole {
		seen = seen[i : i+1]
	}
	v := View{At: h.at, mains: h.weather.noise(h.at, 25*time.Second, 5)}
	var stored, capacity float64
	for _, s := range seen {
		v.Flows = v.Flows.plus(s.flows)
		v.Total = v.Total.plus(s.total, 1)
		v.Today = v.Today.plus(s.total, 1).plus(s.midnight, -1)
		v.Peak += s.peak
		v.Volts = max(v.Volts, s.Volts*(0.94+0.12*s.stored/s.Capacity)-s.flows.Battery/s.Rated)
		stored, capacity = stored+s.stored, capacity+s.Capacity
	}
	v.SoC = 100 * stored / cmp.Or(capacity, 1)
	return v
}

func (f Flows) plus(g Flows) Flows {
	return Flows{f.Solar + g.Solar, f.Load + g.Load, f.Battery + g.Battery, f.Grid + g.Grid}
}

func (e Energy) plus(g Energy, times float64) Energy {
	return Energy{e.Solar + times*g.Solar, e.Load + times*g.Load, e.Import + times*g.Import, e.Export + times*g.Export,
		e.Charge + times*g.Charge, e.Discharge + times*g.Discharge}
}

// quantity is something that a register can show.
type quantity struct {
	unit string
	of   func(View) float64
}

// quantities are all that a binding can name.
var quantities = withEnergies(map[string]quantity{
	"solar_power":          {"W", func(v View) float64 { return v.Solar }},
	"solar_peak_today":     {"W", func(v View) float64 { return v.Peak }},
	"solar_voltage":        {"V", solarVoltage},
	"solar_current":        {"A", func(v View) float64 { return v.Solar / cmp.Or(solarVoltage(v), 1) }},
	"load_power":           {"W", func(v View) float64 { return v.Load }},
	"battery_power":        {"W", func(v View) float64 { return v.Battery }}, // positive while discharging
	"battery_current":      {"A", func(v View) float64 { return v.Battery / cmp.Or(v.Volts, 1) }},
	"battery_voltage":      {"V", func(v View) float64 { return v.Volts }},
	"battery_soc":          {"%", func(v View) float64 { return v.SoC }},
	"battery_temperature":  {"°C", func(v View) float64 { return warmer(21, math.Abs(v.Battery), 900) }},
	"inverter_temperature": {"°C", func(v View) float64 { return warmer(29, v.Solar+math.Abs(v.Battery), 450) }},
	"grid_power":           {"W", func(v View) float64 { return v.Grid }}, // positive while importing
	"grid_current":         {"A", func(v View) float64 { return math.Abs(v.Grid) / mainsVoltage(v) }},
	"grid_voltage":         {"V", mainsVoltage},
	"grid_frequency":       {"Hz", func(v View) float64 { return 49.97 + 0.06*v.mains }},
	"age":                  {"h", func(v View) float64 { return v.At.Hours() }},
})

func withEnergies(all map[string]quantity) map[string]quantity {
	for name, of := range map[string]func(Energy) float64{
		"solar_energy":     func(e Energy) float64 { return e.Solar },
		"load_energy":      func(e Energy) float64 { return e.Load },
		"import_energy":    func(e Energy) float64 { return e.Import },
		"export_energy":    func(e Energy) float64 { return e.Export },
		"charge_energy":    func(e Energy) float64 { return e.Charge },
		"discharge_energy": func(e Energy) float64 { return e.Discharge },
	} {
		all[name+"_today"] = quantity{"kWh", func(v View) float64 { return of(v.Today) / 1000 }}
		all[name+"_total"] = quantity{"kWh", func(v View) float64 { return of(v.Total) / 1000 }}
	}
	return all
}

// Quantities returns the names that a binding can show, sorted.
func Quantities() []string { return slices.Sorted(maps.Keys(quantities)) }

// warmer is a temperature that rises with a power: by a degree for so many W.
func warmer(cold, watts, each float64) float64 { return cold + watts/each }

// solarVoltage is that of a string; in the dark there is none.
func solarVoltage(v View) float64 {
	if v.Solar < 1 {
		return 0
	}
	return 340 + 25*v.mains
}

// mainsVoltage rises with what is fed in and falls with what is drawn.
func mainsVoltage(v View) float64 { return 230.5 + 3*v.mains - v.Grid/1500 }
