package poll

import (
	"testing"
	"time"
)

// TestBeforeMidnight: what is read more rarely is read once more shortly before midnight, and nothing twice.
func TestBeforeMidnight(t *testing.T) {
	s := schedule{zone: time.UTC}
	at := func(clock string) time.Time {
		when, err := time.Parse(time.DateTime, "2026-09-13 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, tt := range []struct {
		now   string
		every time.Duration
		want  time.Duration
	}{
		{"12:00:00", 5 * time.Minute, 5 * time.Minute},
		{"23:58:00", 5 * time.Minute, 105 * time.Second},
		{"23:59:45", 5 * time.Minute, 5 * time.Minute},
		{"23:59:50", 5 * time.Minute, 5 * time.Minute},
		{"23:59:40", 15 * time.Second, 15 * time.Second},
	} {
		if got := s.beforeMidnight(at(tt.now), at(tt.now).Add(tt.every)).Sub(at(tt.now)); got != tt.want {
			t.Errorf("at %s, every %v: in %v, want %v", tt.now, tt.every, got, tt.want)
		}
	}
}
