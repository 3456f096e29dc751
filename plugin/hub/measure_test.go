package hub

import (
	"testing"
	"time"

	"solarhub/devices"
)

// countingGauge counts how often it is asked.
type countingGauge struct{ asked int }

func (g *countingGauge) Measure(*devices.Device, time.Time) LineState {
	g.asked++
	return LineState{Advice: "all is well"}
}

func TestFiguresAreMeasuredNowAndThen(t *testing.T) {
	s, u := still(t, Memory{})
	g := &countingGauge{}
	u.gauge = g
	now := time.Now()
	s.describe(now)
	for after := time.Second; after <= time.Hour; after += time.Second {
		s.measure(now.Add(after), false)
	}
	if want := 1 + int(time.Hour/MeasureEvery); g.asked != want {
		t.Errorf("measured %d times in an hour, want %d", g.asked, want)
	}
}

// The advice says at once why a device is away, and that it is back.
func TestFiguresAreMeasuredWhenADeviceGoes(t *testing.T) {
	s, u := still(t, Memory{})
	g := &countingGauge{}
	u.gauge = g
	now := time.Now()
	s.describe(now)
	there := devices.Status{Identity: u.device.Identity(), Online: true, Identified: true}
	away := devices.Status{Identity: u.device.Identity(), Online: true, Reason: "the line is down"} // in its grace
	s.status(u.device, there, now)
	first := g.asked
	for i, status := range []devices.Status{there, away, away, there} {
		s.status(u.device, status, now)
		if want := []int{0, 1, 1, 2}[i]; g.asked-first != want {
			t.Errorf("after status %d measured %d times, want %d", i, g.asked-first, want)
		}
	}
}
