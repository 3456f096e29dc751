package doctor

import (
	"testing"
	"time"

	"solarhub/devices"
)

// TestAdviceOfValues: what cannot be true is told when it lasts, and a clock that is off with what to do.
func TestAdviceOfValues(t *testing.T) {
	now := time.Now()
	odd := func(ago time.Duration) devices.Implausible {
		return devices.Implausible{Reason: "the device holds 24710 %", Since: now.Add(-ago)}
	}
	for _, tt := range []struct {
		set  func(*DeviceSymptoms)
		want string
	}{
		{func(d *DeviceSymptoms) { d.Implausible = []devices.Implausible{odd(time.Second)} }, ""},
		{func(d *DeviceSymptoms) { d.Implausible = []devices.Implausible{odd(time.Hour), odd(time.Second)} },
			"A value of Roof cannot be true: the device holds 24710 %; " + lookAt},
		{func(d *DeviceSymptoms) { d.Implausible = []devices.Implausible{odd(time.Hour), odd(time.Hour)} },
			"2 values of Roof cannot be true, such as: the device holds 24710 %; " + lookAt},
		{func(d *DeviceSymptoms) {
			d.Clock = devices.Clock{Off: -time.Hour, Wrong: true, Why: "summer_time", Sets: true}
		}, "The clock of Roof is 1h behind (summer time), so its schedule begins at the wrong time: press its button " +
			"\"Set clock\"."},
		{func(d *DeviceSymptoms) { d.Clock = devices.Clock{Off: 400 * time.Second, Wrong: true} },
			"The clock of Roof is 6m40s fast, so its schedule begins at the wrong time: set it at the device."},
		{func(d *DeviceSymptoms) { d.Clock = devices.Clock{Off: 4 * time.Minute} }, ""},
	} {
		d := DeviceSymptoms{Config: devices.Config{Name: "Roof"}, Now: now}
		tt.set(&d)
		got := ""
		for _, a := range append(oddValues(Symptoms{}, d), wrongClock(d)...) {
			got += a.Sentence()
		}
		if got != tt.want {
			t.Errorf("have %q\nwant %q", got, tt.want)
		}
	}
}
