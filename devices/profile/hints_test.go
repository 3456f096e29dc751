package profile

import "testing"

// TestHints holds what is chosen where the profile does not say.
func TestHints(t *testing.T) {
	for _, c := range []struct {
		text string
		want Hints
	}{
		{"at: 1", Hints{Platform: "sensor"}},
		{"at: 1, unit: Ah, scale: 0.25", Hints{Platform: "sensor", StateClass: measurement, Precision: 2}},
		{"at: 1, unit: W, class: power, every: once", Hints{Platform: "sensor", DeviceClass: "power"}},
		{"at: 1, unit: W, class: power, every: once, state: measurement", Hints{Platform: "sensor", DeviceClass: "power", StateClass: measurement}},
		{"at: 1, unit: kWh, class: energy", Hints{Platform: "sensor", DeviceClass: "energy", StateClass: totalIncreasing}},
		{"at: 1, type: s16, unit: kWh, class: energy, state: total", Hints{Platform: "sensor", DeviceClass: "energy", StateClass: total}},
		{"at: 1, class: power_factor, scale: 0.001", Hints{Platform: "sensor", DeviceClass: "power_factor", StateClass: measurement, Precision: 3}},
		{"at: 1, type: f32, unit: W, class: power", Hints{Platform: "sensor", DeviceClass: "power", StateClass: measurement, Precision: -1}},
		{"at: 1, scale: 1e-8", Hints{Platform: "sensor", Precision: maxPrecision}},
		{"at: 1, options: {1: A}", Hints{Platform: "sensor", DeviceClass: "enum", Precision: -1}},
		{"at: 1, options: {1: A}, write: {}, category: none", Hints{Platform: "select", Precision: -1}},
		{"at: 1, bits: {1: A}", Hints{Platform: "sensor", Precision: -1}},
		{"at: 1, time: packed", Hints{Platform: "sensor", Precision: -1}},
		{"at: 1, time: packed, write: {}", Hints{Platform: "time", Category: "config", Precision: -1}},
		{"at: 1, type: text, length: 2", Hints{Platform: "sensor", Precision: -1}},
		{"at: 1, type: text, length: 2, order: badc, write: {}", Hints{Platform: "text", Category: "config", Precision: -1}},
		{"at: discrete 1, class: connectivity", Hints{Platform: "binary_sensor", DeviceClass: "connectivity", Precision: -1}},
		{"at: coil 1, write: {}, class: outlet, icon: mdi:power", Hints{Platform: "switch", DeviceClass: "outlet", Category: "config", Icon: "mdi:power", Precision: -1}},
		{"at: 1, mode: slider, show: true, write: {min: 0, max: 9}, source: log", Hints{Platform: "number", Category: "config", Mode: "slider", Enabled: true}},
		{"at: 1, platform: button, press: 1, write: {readback: true}", Hints{Platform: "button", Category: "config", Precision: -1}},
	} {
		p, err := Load("good.yaml", []byte(point("key: extra, name: Extra, "+c.text)))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		points, _ := p.Resolve("lv")
		if got := find(t, points, "extra").Entity; got != c.want {
			t.Errorf("%s:\nhave %+v\nwant %+v", c.text, got, c.want)
		}
	}
}
