package profile

import (
	"testing"

	"solarhub/protocol/codec"
)

// TestClock: a clock is a sensor however it is held, and its deviation follows from it as a number.
func TestClock(t *testing.T) {
	for text, words := range map[string]int{
		"datetime: packed": 3, "datetime: registers": 6, "datetime: full_year": 6, "datetime: reversed": 6,
		"type: u32, epoch: true": 2, "time: packed": 1, "type: u32, time: hour_minute": 2,
	} {
		p, err := Load("good.yaml", []byte(point("is: clock, at: 720, "+text+", write: {}}\n"+
			"- {is: clock_deviation, value: clock")))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		points, _ := p.ResolveNamed("lv")
		clock, off := find(t, points, "clock"), find(t, points, "clock_deviation")
		if !clock.IsClock() || clock.Write == nil || clock.Write.Single && words > 1 ||
			clock.Ranges[0].Count != uint16(words) || clock.Interval != Slow ||
			clock.Entity != (EntityHints{Platform: "sensor", Category: "diagnostic", Precision: -1, Enabled: true,
				Icon: "mdi:clock-digital"}) {
			t.Errorf("%s: %+v", text, clock)
		}
		if off.Formula == nil || off.Unit != "s" || off.Interval != Slow || off.Entity.DeviceClass != "duration" {
			t.Errorf("%s: %+v", text, off)
		}
	}
	if SetClock().Key != "clock_set" || (Point{Spec: codec.Spec{Form: codec.EpochForm}}).IsClock() {
		t.Error("a moment that is not called the clock is one, or nothing is known of its button")
	}
}
