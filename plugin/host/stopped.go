package host

import (
	"context"
	"errors"
	"time"
)

// ErrStopped: this process or its machine was stopped (suspended, paused, SIGSTOP) for so long that the companion has
// told its callers that the session is lost. What it sent before that waits in the socket and must not be carried out.
var ErrStopped = errors.New("this process was stopped for too long")

// stopTick is how often the session looks at the clock.
const stopTick = time.Second

// watchForStop ends the session if the process was stopped for longer than heartbeatDefault.
func (s *Session) watchForStop(ctx context.Context) error {
	tick := time.NewTicker(stopTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if s.wasStopped() {
			return ErrStopped
		}
		s.lastTick.Store(int64(s.clock()))
	}
}

// wasStopped reports whether the last tick is too long ago. The reader asks too, because it may run again before the
// ticker does.
func (s *Session) wasStopped() bool {
	return s.clock()-time.Duration(s.lastTick.Load()) > heartbeatDefault
}
