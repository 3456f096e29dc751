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
