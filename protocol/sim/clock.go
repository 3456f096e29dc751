package sim

import (
	"context"
	"time"
)

// Wait blocks until t or until ctx ends, whose error it returns then.
type Wait func(ctx context.Context, t time.Time) error

// kernelBelow is the rest of a wait that OnTheDot sleeps in the kernel: Go's timers go through the network poller,
// which rounds to a millisecond, about one character at 9600 baud.
const kernelBelow = 4 * time.Millisecond

// OnTimer waits on Go's timers, which testing/synctest moves. It comes up to a millisecond or so late.
func OnTimer(ctx context.Context, t time.Time) error {
	left := time.Until(t)
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// OnTheDot waits to within a tenth of a millisecond on an idle machine: the last milliseconds in the kernel, on a clock
// that testing/synctest does not move.
func OnTheDot(ctx context.Context, t time.Time) error {
	if time.Until(t) > kernelBelow {
		if err := OnTimer(ctx, t.Add(-kernelBelow/2)); err != nil {
			return err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		left := time.Until(t)
		if left <= 0 {
			return nil
		}
		sleep(left)
	}
}
