package clock

import (
	"testing"
	"time"
	_ "time/tzdata" // a machine may have no zones of its own

	"solarhub/protocol/codec"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestDeviation: a clock that was pushed back by an hour, one in UTC, one without a date around midnight, and the hour
// that comes twice in autumn.
func TestDeviation(t *testing.T) {
	berlin := zone(t, "Europe/Berlin")
	moment, epoch := codec.Spec{Type: codec.Text, Form: codec.MomentPacked, Length: 3},
		codec.Spec{Type: codec.U32, Form: codec.EpochForm}
	hour := codec.Spec{Form: codec.TimePacked}
	for _, tt := range []struct {
		spec codec.Spec
		held codec.Value
		at   string // in UTC
		off  time.Duration
		why  string
	}{
		{moment, codec.TextOf("2026-09-13 20:07:20"), "2026-09-13 19:07:22", -time.Hour - 2*time.Second, SummerTime},
		{moment, codec.TextOf("2026-09-13 21:07:20"), "2026-09-13 19:07:20", 0, ""},
		{moment, codec.TextOf("2026-09-13 19:07:20"), "2026-09-13 19:07:20", -2 * time.Hour, UTC},
		{moment, codec.TextOf("2026-01-13 21:07:20"), "2026-01-13 19:07:20", time.Hour, SummerTime},
		{moment, codec.TextOf("2026-10-25 02:30:00"), "2026-10-25 00:30:00", 0, ""},
		{moment, codec.TextOf("2026-10-25 02:30:00"), "2026-10-25 01:30:00", 0, ""},
		{epoch, codec.TextOf("2026-09-13 19:07:30"), "2026-09-13 19:07:20", 10 * time.Second, ""},
		{hour, codec.TimeOf(5), "2026-09-13 21:58:59", 7 * time.Minute, ""},
		{hour, codec.TimeOf(23*60 + 55), "2026-09-13 22:05:00", -10 * time.Minute, ""},
	} {
		at, err := time.Parse(time.DateTime, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		off, ok := Deviation(tt.spec, tt.held, at, berlin)
		if !ok || off != tt.off || Why(off, at, berlin) != tt.why {
			t.Errorf("%v at %s: %v %v %q", tt.held, tt.at, off, ok, Why(off, at, berlin))
		}
		if again, ok := Deviation(tt.spec, Value(tt.spec, at, berlin), at, berlin); !ok || again != 0 {
			t.Errorf("set at %s it is off by %v", tt.at, again)
		}
	}
	if _, ok := Deviation(moment, codec.None("never set"), time.Now(), nil); ok {
		t.Error("no value has a deviation")
	}
	if why := Why(-time.Hour, time.Now(), zone(t, "Asia/Kolkata")); why != "" {
		t.Errorf("an hour off without summer time: %s", why)
	}
}
