package link

import (
	"context"
	"time"
)

// preciseBelow is the rest of a wait that ctx does not end and for which a port has a timer of its own.
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
