package host

import (
	"context"
	"fmt"
	"time"
)

// ping asks the host every pingInterval whether it is still there, because a connection that was cut without a word
// looks alive for as long as nothing is sent.
func (s *Session) ping(ctx context.Context) error {
	tick := time.NewTicker(pingInterval)
	defer tick.Stop()
	for {
		select {
		case <-s.done:
			return nil
		case <-tick.C:
		}
		limited, cancel := context.WithTimeoutCause(ctx, pongTimeout, ErrSilent)
		err := s.Do(limited, "ping", nil, nil)
		cancel()
		if err != nil {
			return fmt.Errorf("ping: %w", err)
		}
	}
}
