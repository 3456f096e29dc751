package devices

import (
	"math/rand/v2"
	"time"
)

// absence says when a device that is away is tried again: behind an eighth of the time for which it has been, but not before its
// fastest interval is over and not after the longest pause. So what was gone for a moment is back with the next poll, what was gone for
// longer is missed for an eighth more of it, and what is off costs a line shared with others one timeout in a growing interval.
type absence struct {
	least, most time.Duration
	since       time.Time // of the first try that was counted; zero while the device is there
}

// Reset notes that the device is there.
func (a *absence) Reset() { a.since = time.Time{} }

// NextBackOff returns the pause before the next try. Devices that went together do not come back in step.
func (a *absence) NextBackOff() time.Duration {
	now := time.Now()
	if a.since.IsZero() {
		a.since = now
	}
	pause := min(max(a.least, now.Sub(a.since)/8), a.most)
	return pause - time.Duration(rand.Int64N(int64(pause/10)+1))
}
