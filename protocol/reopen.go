package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// reopener is the link of a bus, and decides when a link that has failed is opened again. Only Bus.Run touches it.
type reopener struct {
	Link
	opts       BusOptions
	backoff    backoff.ExponentialBackOff
	up         bool
	connection uint64
	upSince    time.Time
	answered   bool      // a request has been answered since
	since      time.Time // when it went down; zero before the first try
	tried      time.Time // when it was last tried to be opened
	retry      time.Time // when it may be opened again
	cause      error     // why it is down; nil before the first try
}

func newReopener(link Link, opts BusOptions) reopener {
	return reopener{Link: link, opts: opts, backoff: backoff.ExponentialBackOff{
		InitialInterval: opts.RetryMin, MaxInterval: opts.RetryMax, Multiplier: 2, RandomizationFactor: 0.2,
	}}
}

// open opens the link, or finds it open.
func (l *reopener) open(ctx context.Context) error {
	if !l.up {
		l.tried = time.Now()
	}
	connection, err := l.Link.Open(ctx)
	if err != nil {
		l.failed(err)
		return err
	}
	if !l.up || connection != l.connection {
		l.up, l.connection, l.upSince, l.answered = true, connection, time.Now(), false
	}
	return nil
}

// failed closes the link and decides when it may be opened again: at once if it had stayed up or was of use, else ever
// later. A device that hangs up about one register of its own would else take all others of the line with it.
func (l *reopener) failed(err error) {
	l.Link.Close()
	now := time.Now()
	if l.up || l.since.IsZero() {
		l.since = now
	}
	l.retry = now
	if l.up && (l.answered || now.Sub(l.upSince) >= l.opts.StayUp) {
		l.backoff.Reset()
	} else {
		l.retry = now.Add(l.backoff.NextBackOff())
	}
	l.up, l.cause = false, err
}

// next returns when the line may be tried; urgent requests do not wait for the whole back-off.
func (l *reopener) next(urgent bool) time.Time {
	if early := l.tried.Add(l.opts.RetryMin); urgent && early.Before(l.retry) {
		return early
	}
	return l.retry
}

// down returns ErrDown with the reason.
func (l *reopener) down() error {
	if l.cause == nil {
		return ErrDown
	}
	return fmt.Errorf("%w: %w", ErrDown, l.cause)
}

// fatal reports whether err means that the line, not only one unit, has failed.
func fatal(err error) bool {
	_, link := errors.AsType[*LinkError](err)
	return link && !errors.Is(err, ErrTimeout) && !errors.Is(err, ErrMisfit)
}
