package hub

import (
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/protocol/codec"
)

func TestACounterThatFallsIsBelievedWhenReadTwice(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		key         string
		read, shown []float64
	}{
		"a glitch of the day's": {"pv_energy_today", []float64{12, 0, 12, 13}, []float64{12, 12, 12, 13}},
		"midnight":              {"pv_energy_today", []float64{12, 0, 0, 1}, []float64{12, 12, 0, 1}},
		"two glitches":          {"pv_energy_today", []float64{12, 0, 12, 3, 12}, []float64{12, 12, 12, 12, 12}},
		"for life, away for hours": {"pv_energy", []float64{900, 0, 0, 0, 901},
			[]float64{900, 900, 900, 900, 901}},
		"for life, after a repair":   {"pv_energy", []float64{900, 0, 1, 2, 3}, []float64{900, 900, 900, 2, 3}},
		"a measurement falls freely": {"temperature", []float64{40, 0, 40}, []float64{40, 0, 40}},
	} {
		s, u := still(t, Memory{})
		s.describe(now)
		for i, value := range c.read {
			s.readings(u.device, []devices.Reading{{Key: c.key, Value: codec.Number(value), Raw: []uint16{1},
				ReadAt: now}})
			if got := u.values[c.key].Value.Num; got != c.shown[i] {
				t.Errorf("%s: after reading %v it shows %v, want %v", name, c.read[:i+1], got, c.shown[i])
			}
		}
	}
}

// What was counted before a restart counts too.
func TestACounterFromTheCacheDoesNotFallToZero(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{values: map[string]map[string]keptValue{serialNumber: {"pv_energy": {codec.Number(900),
		now}}}})
	s.describe(now)
	s.readings(u.device, []devices.Reading{{Key: "pv_energy", Value: codec.Number(0), Raw: []uint16{0},
		ReadAt: now}})
	if got := u.values["pv_energy"].Value.Num; got != 900 {
		t.Errorf("it shows %v", got)
	}
}
