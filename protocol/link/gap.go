package link

import (
	"context"
	"time"
)

// preciseBelow is the rest of a wait that is slept in the kernel instead of on a Go timer: timers go through the
// network poller, which rounds to a millisecond, a third of t3.5 at 9600 baud.
const preciseBelow = 5 * time.Millisecond

// waitUntil waits until t: long waits on a timer that ctx ends, the last milliseconds with sleep.
func waitUntil(ctx context.Context, t time.Time, sleep func(time.Duration)) error {
	left := time.Until(t)
	if left <= 0 {
		return nil
	}
	if left > preciseBelow {
		timer := time.NewTimer(left - preciseBelow/2)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		left = time.Until(t)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if left > 0 {
		sleep(left)
	}
	return nil
}
