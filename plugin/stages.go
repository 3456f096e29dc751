package plugin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// stage is a group of goroutines that start and end together.
type stage struct {
	name   string
	ctx    context.Context
	cancel context.CancelFunc
	failed chan<- error // to whoever watches all stages
	wait   sync.WaitGroup
	ended  chan struct{} // closed when all goroutines of the stage have ended
	close  sync.Once
}

// newStage makes an empty stage. It does not end with a parent context: stages end one after the other.
func newStage(name string, failed chan<- error) *stage {
	s := &stage{name: name, failed: failed, ended: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// run starts f. An error of it, or its end before the stage was to end, is a failure of the whole.
func (s *stage) run(f func(ctx context.Context) error) {
	s.wait.Go(func() {
		err := f(s.ctx)
		if err == nil && s.ctx.Err() == nil {
			err = errors.New("ended by itself")
		}
		if err == nil {
			return
		}
		select {
		case s.failed <- fmt.Errorf("%s: %w", s.name, err):
		default: // one failure is enough to stop
		}
	})
}

// stop ends the stage and waits for it, not beyond deadline.
func (s *stage) stop(deadline time.Time) error {
	s.cancel()
	s.close.Do(func() {
		go func() { // waited for by whoever stops the stage, except when it gives up
			s.wait.Wait()
			close(s.ended)
		}()
	})
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case <-s.ended:
		return nil
	case <-timer.C:
		return fmt.Errorf("stop: %s: does not stop", s.name)
	}
}

// stopWithin bounds a planned stop: 5 s for the calls and the goodbye to the host, up to 30 s for the exchange in
// flight on a line with the longest timeout. What does not end by then is given up.
const stopWithin = 40 * time.Second

// stopAll ends groups of stages, one group after the other. Those of a group end together.
func stopAll(groups ...[]*stage) error {
	deadline := time.Now().Add(stopWithin)
	for _, group := range groups {
		for _, s := range group {
			s.cancel()
		}
		for _, s := range group {
			if err := s.stop(deadline); err != nil {
				return err
			}
		}
	}
	return nil
}
