package hub

import (
	"testing"
	"time"
)

// A board without a clock of its own boots with an old time: yesterday's reading lies in its future then.
func TestAReadingFromTheFutureIsNotFresh(t *testing.T) {
	now := time.Now()
	for age, want := range map[time.Duration]bool{0: true, freshFor: true, freshFor + 1: false, -time.Hour: false,
		-1: false} {
		if got := isFresh(now.Add(-age), now); got != want {
			t.Errorf("a reading that is %v old is fresh: %t", age, got)
		}
	}
}
