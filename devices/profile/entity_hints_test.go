package profile

import "testing"

// TestHints holds what is chosen where the profile does not say.
func TestHints(t *testing.T) {
	for _, c := range []struct {
		text string
		want EntityHints
	}{
		{"at: 1", EntityHints{Platform: "sensor"}},
		{"at: 1, unit: Ah, scale: 0.25", EntityHints{Platform: "sensor", StateClass: measurement, Precision: 2}},
		{"at: 1, unit: W, class: power, every: once", EntityHints{Platform: "sensor", DeviceClass: "power"}},
		{"at: 1, unit: W, class: power, every: once, state: measurement",
			EntityHints{Platform: "sensor", DeviceClass: "power", StateClass: measurement}},
		{"at: 1, unit: kWh, class: energy",
			EntityHints{Platform: "sensor", DeviceClass: "energy", StateClass: totalIncreasing}},
		{"at: 1, type: s16, unit: kWh, class: energy, state: total",
			EntityHints{Platform: "sensor", DeviceClass: "energy", StateClass: total}},
		{"at: 1, class: power_factor, scale: 0.001",
			EntityHints{Platform: "sensor", DeviceClass: "power_factor", StateClass: measurement, Precision: 3}},
		{"at: 1, type: f32, unit: W, class: power",
			EntityHints{Platform: "sensor", DeviceClass: "power", StateClass: measurement, Precision: -1}},
		{"at: 1, scale: 1e-8", EntityHints{Platform: "sensor", Precision: maxPrecision}},
		{"at: 1, options: {1: A}", EntityHints{Platform: "sensor", DeviceClass: "enum", Precision: -1}},
		{"at: 1, options: {1: A}, write: {}, category: none", EntityHints{Platform: "select", Precision: -1}},
		{"at: 1, bits: {1: A}", EntityHints{Platform: "sensor", Precision: -1}},
		{"at: 1, time: packed", EntityHints{Platform: "sensor", Precision: -1}},
		{"at: 1, time: packed, write: {}", EntityHints{Platform: "time", Category: "config", Precision: -1}},
		{"at: 1, type: text, length: 2", EntityHints{Platform: "sensor", Precision: -1}},
		{"at: 1, type: text, length: 2, order: badc, write: {}",
			EntityHints{Platform: "text", Category: "config", Precision: -1}},
		{"at: discrete 1, class: connectivity",
			EntityHints{Platform: "binary_sensor", DeviceClass: "connectivity", Precision: -1}},
		{"at: coil 1, write: {}, class: outlet, icon: mdi:power",
			EntityHints{Platform: "switch", DeviceClass: "outlet", Category: "config", Icon: "mdi:power",
				Precision: -1}},
		{"at: 1, mode: slider, show: true, write: {min: 0, max: 9}, source: log",
			EntityHints{Platform: "number", Category: "config", Mode: "slider", Enabled: true}},
		{"at: 1, platform: button, press: 1, write: {readback: true}",
			EntityHints{Platform: "button", Category: "config", Precision: -1}},
	} {
		p, err := Load("good.yaml", []byte(point("key: extra, name: Extra, "+c.text)))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		points, _ := p.ResolveNamed("lv")
		if got := find(t, points, "extra").Entity; got != c.want {
			t.Errorf("%s:\nhave %+v\nwant %+v", c.text, got, c.want)
		}
	}
}
