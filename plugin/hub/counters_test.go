package hub

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/host"
	"solarhub/protocol/codec"
)

// TestOwnerHearsOnceOfALowerCounter: of a lifetime counter that begins anew, at once or behind a while without a value,
// but not of one of the day.
func TestOwnerHearsOnceOfALowerCounter(t *testing.T) {
	now, none := time.Now(), codec.None("the device holds 0")
	for _, first := range []codec.Value{codec.Number(3), none} {
		s, u := still(t, Memory{values: map[string]map[string]keptValue{serialNumber: {
			"pv_energy": {codec.Number(900), now}, "pv_energy_today": {codec.Number(12), now}}}})
		var told []host.Notice
		asks := Asks{Redescribe: func() {}, Notify: func(n host.Notice) { told = append(told, n) }}
		s.hub = New(host.NewOutbox(), asks, zerolog.Nop())
		s.describe(now)
		for _, key := range []string{"pv_energy", "pv_energy_today"} {
			for _, value := range []codec.Value{first, codec.Number(3), codec.Number(3), none, codec.Number(4)} {
				s.readings(u.device, []devices.Reading{{Key: key, Value: value, Raw: []uint16{1}, ReadAt: now}})
				s.collect(now, false)
			}
		}
		want := host.Notice{Kind: host.NoticeCounter, ID: serialNumber + "_pv_energy", Wanted: 900.0, Found: 3.0}
		if len(told) != 1 || told[0] != want {
			t.Errorf("after %v: told %+v, want %+v", first, told, want)
		}
	}
}
