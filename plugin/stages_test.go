package plugin

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := make(chan error, 1)
		good, bad, stuck := newStage("good", failed), newStage("bad", failed), newStage("stuck", failed)
		good.run(func(ctx context.Context) error { <-ctx.Done(); return nil })
		bad.run(func(context.Context) error { return errors.New("broken") })
		if err := <-failed; err == nil || err.Error() != "bad: broken" {
			t.Errorf("failure %v", err)
		}
		bad.run(func(context.Context) error { return nil })
		if err := <-failed; err == nil || err.Error() != "bad: ended by itself" {
			t.Errorf("failure %v", err)
		}
		release := make(chan struct{})
		stuck.run(func(context.Context) error { <-release; return nil })
		began := time.Now()
		err := stopAll([]*stage{good}, []*stage{bad, stuck})
		if err == nil || !strings.Contains(err.Error(), "stuck: does not stop") || time.Since(began) != stopWithin {
			t.Errorf("stopped after %v: %v", time.Since(began), err)
		}
		close(release)
		if err := stuck.stop(time.Now().Add(time.Second)); err != nil {
			t.Error(err)
		}
	})
}
