package devices

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAwayBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := awayBackoff{least: 2 * time.Second, most: time.Minute}
		near := func(want time.Duration) {
			t.Helper()
			if got := a.next(); got > want || got < want*9/10 {
				t.Errorf("%v after %v, want %v", got, time.Since(a.since), want)
			}
		}
		for range 2 {
			near(2 * time.Second)
			for gone, want := range map[time.Duration]time.Duration{10: 2, 16: 2, 80: 10, 400: 50, 1000: 60} {
				a.since = time.Now().Add(-gone * time.Second)
				near(want * time.Second)
			}
			a.reset()
		}
	})
}
