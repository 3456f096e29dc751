package profile

import (
	"slices"
	"strings"
)

// quantity says which units and state classes the host accepts for a number of one device class. A profile speaks of
// classes in the host's words because no other host exists; the loader checks them because the host only logs a
// warning, on somebody else's machine. Source: Home Assistant 2026.11, components/sensor/const.py (DEVICE_CLASS_UNITS,
// DEVICE_CLASS_STATE_CLASSES) and components/number/const.py, which has the same for these classes.
type quantity struct {
	units  []string // "" stands for no unit
	states []string // the first is the default
}

const (
	measurement     = "measurement"
	total           = "total"
	totalIncreasing = "total_increasing"
)

// quantities are the device classes that inverters, batteries and meters need.
//
// An energy is total_increasing by default. A counter that restarts at midnight needs it, and a counter that never
// restarts may have it. `state: total` suits a lifetime counter, so that the host does not take a glitch downwards for
// a restart and count the energy twice, and it suits an energy that can fall.
var quantities = map[string]quantity{
	"apparent_power":    {words("mVA VA kVA"), words(measurement)},
	"battery":           {words("%"), words(measurement)},
	"current":           {words("μA mA A"), words(measurement)},
	"duration":          {words("μs ms s min h d"), words(measurement, total, totalIncreasing)},
	"energy":            {words("mWh Wh kWh MWh GWh TWh"), words(totalIncreasing, total)},
	"energy_storage":    {words("mWh Wh kWh MWh GWh TWh"), words(measurement)},
	"frequency":         {words("mHz Hz kHz MHz GHz"), words(measurement)},
	"irradiance":        {words("W/m²"), words(measurement)},
	"power":             {words("mW W kW MW GW TW"), words(measurement)},
	"power_factor":      {[]string{"", "%"}, words(measurement)},
	"reactive_energy":   {words("varh kvarh"), words(totalIncreasing, total)},
	"reactive_power":    {words("mvar var kvar"), words(measurement)},
	"temperature":       {words("°C °F K"), words(measurement)},
	"temperature_delta": {words("°C °F K"), words(measurement)},
	"voltage":           {words("μV mV V kV MV"), words(measurement)},
}

// flags are the device classes of each platform without numbers, as far as such devices need them. A select, time or
// text has none. Source: Home Assistant 2026.11, components/{binary_sensor,switch,button}.
var flags = map[string][]string{
	"binary_sensor": words("battery battery_charging cold connectivity heat light plug power problem running safety " +
		"tamper update"),
	"switch": words("outlet switch"),
	"button": words("identify restart update"),
}

var stateClasses = words(measurement, total, totalIncreasing)

func words(texts ...string) []string { return strings.Fields(strings.Join(texts, " ")) }

// classesWith returns the classes that use a unit, sorted. A percentage can measure anything, so it has none.
func classesWith(unit string) []string {
	var classes []string
	for class, q := range quantities {
		if unit != "" && unit != "%" && slices.Contains(q.units, unit) {
			classes = append(classes, class)
		}
	}
	slices.Sort(classes)
	return classes
}
