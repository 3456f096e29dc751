package doctor

import (
	"slices"
	"testing"
	"time"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

func TestTheSettingsThatAnAdviceNamesCanBeWritten(t *testing.T) {
	roof := devices.Config{Name: "Roof", Unit: 1}
	meter := devices.Config{Name: "Meter", Unit: 2}
	s := Symptoms{Line: config.Line{Devices: []devices.Config{meter, roof}}, Tried: true,
		Stats: protocol.Stats{Requests: 400, Replies: 300, Openings: 1},
		Devices: []DeviceSymptoms{
			{Config: meter, Status: devices.Status{Online: true, Identified: true}, Connect: 2 * time.Second,
				Stats: protocol.UnitStats{Requests: 200, Replies: 190, Timeouts: 10}},
			{Config: roof, Status: devices.Status{Online: true, Identified: true}, Gap: 100 * time.Millisecond,
				Stats:   protocol.UnitStats{Requests: 200, Replies: 110, Timeouts: 90},
				Learned: devices.Learned{Holes: []devices.Hole{{Range: protocol.Range{Addr: 7, Count: 3}}}}},
		}}
	f := Fitness{Symptoms: s, Advice: advise(s)}
	got := f.Changes(3)
	for _, want := range []config.Change{
		{Line: 3, Device: -1, Key: "connect_delay", Value: "2s"},
		{Line: 3, Device: 1, Key: "gap", Value: "100ms"},
		{Line: 3, Device: 1, Key: "holes", Value: "[holding 7..9]"},
	} {
		if !slices.Contains(got, want) {
			t.Errorf("%+v is missing in %+v", want, got)
		}
	}
	f.Line.Devices = []devices.Config{roof, roof}
	if got := f.Changes(0); len(got) != 1 || got[0].Device != -1 {
		t.Errorf("with two devices of one name: %+v", got)
	}
}
