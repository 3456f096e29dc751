package plausible

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"testing"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

var update = flag.Bool("update", false, "write what is published anew")

// published is a series of states with the energy that a host must count in each hour.
type published struct {
	StateClass string    `json:"state_class"`
	States     [][2]any  `json:"states"` // when, and the value; null is unknown
	Hours      []float64 `json:"hours"`
}

// reading is what a device holds from a moment on, as clock times of a day.
type reading struct {
	from  string
	value float64
}

// field are reported series. Source: victronenergy/dbus-fronius #18, home-assistant/core #102198,
// mletenay/home-assistant-goodwe-inverter #214, davidrapan/ha-solarman #1037.
var field = map[string]struct {
	key, typed string
	readings   []reading
	hours      []float64
}{
	"lifetime counter reads 0 at wake-up": {"pv_energy", "u32", []reading{{"05:55:00", 5354.8}, {"05:59:50", 0},
		{"06:00:30", 5354.8}, {"06:30:00", 5354.9}, {"06:40:00", 5354.9}}, []float64{0, 0.1}},
	"counter of the day reads 0 at wake-up": {"pv_energy_today", "u16", []reading{{"05:55:00", 3.2}, {"05:59:50", 0},
		{"06:00:30", 3.2}, {"06:30:00", 3.3}, {"06:40:00", 3.3}}, []float64{0, 0.1}},
	"five seconds of 0 at noon": {"pv_energy_today", "u16", []reading{{"12:10:00", 9}, {"12:20:00", 0},
		{"12:20:05", 9}, {"12:30:00", 9.2}, {"12:40:00", 9.2}}, []float64{0.2}},
	"steps back by a tenth": {"pv_energy_today", "u16", []reading{{"11:00:00", 0.2}, {"11:05:00", 0.3},
		{"11:10:00", 0.2}, {"11:15:00", 0.3}, {"11:20:00", 0.4}, {"11:25:00", 0.3}, {"11:30:00", 0.3}}, []float64{0.2}},
	"below 0 without a sign": {"pv_energy_today", "u16", []reading{{"18:00:00", 6.3}, {"18:10:00", 6},
		{"18:20:00", 6553.3}, {"18:50:00", 6.4}, {"18:55:00", 6.4}}, []float64{0.1}},
	"steps back of a float": {"grid_import_energy", "f32", []reading{{"10:00:00", 29023.385}, {"10:00:30", 29023.381},
		{"10:01:00", 29023.385}, {"10:02:00", 29023.381}, {"10:30:00", 29023.485}, {"10:31:00", 29023.485}},
		[]float64{0.1}},
	"midnight": {"pv_energy_today", "u16", []reading{{"23:40:00", 21.6}, {"23:50:00", 21.7}, {"00:00:20+1", 0},
		{"00:30:00+1", 0.1}, {"00:40:00+1", 0.1}}, []float64{0.1, 0.1}},
}

// TestPublishedSeries writes down what is published of each series where it is polled every 5 s. The test of the
// companion has the recorder of a real Home Assistant count it.
func TestPublishedSeries(t *testing.T) {
	all := map[string]published{}
	for name, series := range field {
		p := counter(series.key, series.typed)
		one := published{StateClass: p.Entity.StateClass, Hours: series.hours}
		var marks Marks
		marks.Watch([]profile.Point{p}, time.UTC)
		var last any = math.NaN()
		for i, r := range series.readings[:len(series.readings)-1] {
			for now := at(t, r.from); now.Before(at(t, series.readings[i+1].from)); now = now.Add(5 * time.Second) {
				v, f := marks.Take(p.Key, codec.Number(r.value), now)
				if f.Verdict != Held && v.Any() != last {
					last = v.Any()
					one.States = append(one.States, [2]any{now.Format(time.RFC3339), last})
				}
			}
		}
		all[name] = one
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/published.json"
	if *update {
		if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != string(text)+"\n" {
		t.Errorf("%s is not what is published (%v): go test ./devices/plausible -update", file, err)
	}
}
