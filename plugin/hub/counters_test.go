package hub

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/protocol/codec"
)

// TestOwnerHearsOnceOfALowerCounter: of a lifetime counter that begins anew, but not of one of the day.
func TestOwnerHearsOnceOfALowerCounter(t *testing.T) {
	now := time.Now()
	s, u := still(t, Memory{values: map[string]map[string]keptValue{serialNumber: {
		"pv_energy": {codec.Number(900), now}, "pv_energy_today": {codec.Number(12), now}}}})
	var told []host.Notice
	s.hub = New(host.NewOutbox(), Asks{Redescribe: func() {}, Notify: func(n host.Notice) { told = append(told, n) }},
		zerolog.Nop())
	s.describe(now)
	for _, key := range []string{"pv_energy", "pv_energy_today"} {
		for _, value := range []float64{3, 3, 4} {
			s.readings(u.device, []devices.Reading{{Key: key, Value: codec.Number(value), Raw: []uint16{1},
				ReadAt: now}})
		}
	}
	want := host.Notice{Kind: host.NoticeCounter, ID: serialNumber + "_pv_energy", Wanted: 900.0, Found: 3.0}
	if len(told) != 1 || told[0] != want {
		t.Errorf("told %+v, want %+v", told, want)
	}
}
