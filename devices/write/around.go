package write

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// stepError says which step around a write failed.
type stepError struct {
	at  protocol.Range
	err error
}

func (e *stepError) Error() string { return e.err.Error() }
func (e *stepError) Unwrap() error { return e.err }

// before carries out what goes before a write, and reports whether all of it was done. Up to the first byte of the
// write each caller may give up. What was begun is brought to its end before others get the line.
func (w *Writer) before(ctx context.Context, x protocol.Exchanger, writes []*pointWrite) bool {
	around := writes[0].p.Write.Around
	if around == nil {
		return true
	}
	own, done := whileWanted(ctx, writes)
	defer done()
	taken, err := w.steps(own, x, around.Before, writes[0].call.until())
	if err == nil {
		return true
	}
	gaveUp := own.Err() != nil && ctx.Err() == nil
	if taken > 0 {
		_ = w.stepsAfter(ctx, x, writes) // the callers hear of the first failure
	}
	if ask.IsBusy(err) && w.retry(writes, writes[0].call) {
		return false
	}
	for _, p := range writes {
		if !gaveUp {
			p.failed = w.stepFailed(p, err)
		} else if w.choose(p) {
			w.putBack(p)
		}
	}
	return false
}

// after carries out what goes behind a write, whoever still waits for it and however the write ended: what was unlocked
// for it does not stay so.
func (w *Writer) after(ctx context.Context, x protocol.Exchanger, writes []*pointWrite) {
	if writes[0].p.Write.Around == nil {
		return
	}
	err := w.stepsAfter(ctx, x, writes)
	for _, p := range writes {
		if p.entry == nil || p.sent.IsZero() || p.failed != nil {
			continue
		}
		p.settled = time.Now().Add(w.settleTime(p.p))
		if p.doubt == nil {
			p.unfinished = err
		}
	}
}

func (w *Writer) stepsAfter(ctx context.Context, x protocol.Exchanger, writes []*pointWrite) error {
	until := last(writes)
	if least := time.Now().Add(verifyFor); until.Before(least) {
		until = least
	}
	own, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	defer cancel()
	_, err := w.steps(own, x, writes[0].p.Write.Around.After, until)
	return err
}

// steps carries out one step after the other, and returns how many were done.
func (w *Writer) steps(ctx context.Context, x protocol.Exchanger, steps []profile.Step, until time.Time) (int, error) {
	for i, s := range steps {
		err := w.takeStep(ctx, x, s, until)
		if errors.Is(err, protocol.ErrTimeout) {
			err = w.takeStep(ctx, x, s, until) // a frame can be lost, and a step does no harm twice
		}
		if err != nil {
			return i, &stepError{s.Range(), err}
		}
	}
	return len(steps), nil
}

// takeStep carries out one step, and waits as long as it says.
func (w *Writer) takeStep(ctx context.Context, x protocol.Exchanger, s profile.Step, until time.Time) error {
	req := w.client.Request(protocol.PriorityWrite, 0)
	req.Range, req.Words, req.Deadline = s.Range(), slices.Clone(s.Words), until
	if s.Held || s.Mask != 0xFFFF {
		read := req
		read.Op, read.Words = protocol.Read, nil
		resp, err := x.Exchange(ctx, read)
		if err != nil {
			return err
		}
		if s.Mask != 0xFFFF {
			req.Words[0] = resp.Words[0]&^s.Mask | s.Words[0]&s.Mask
		}
		if s.Held && slices.Equal(req.Words, resp.Words) {
			return nil
		}
	}
	req.Op = protocol.WriteMultiple
	if s.Single {
		req.Op = protocol.WriteSingle
	}
	if _, err := x.Exchange(ctx, req); err != nil || s.Wait == 0 {
		return err
	}
	timer := time.NewTimer(s.Wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stepFailed says which step failed, and whether the value was written.
func (w *Writer) stepFailed(p *pointWrite, err error) *Error {
	step, _ := errors.AsType[*stepError](err)
	no, refused := errors.AsType[protocol.ExceptionError](err)
	if p.sent.IsZero() && !refused && !errors.Is(err, protocol.ErrTimeout) {
		return w.notSent(p.call, p.p, err)
	}
	why := "no answer"
	if refused {
		why = no.Error()
	}
	stage, what := StageException, "was not written, because what must be written before it failed"
	if !p.sent.IsZero() {
		stage, what = StageUnknown, "was written, but what must be written after it failed"
	}
	reason := fmt.Sprintf("%s %s (%s of %s: %s)", p.p.Name, what, step.at, w.cfg.Name, why)
	return failure(stage, p.p, CodeStepFailed, reason, err, "device", w.cfg.Name, "register", step.at.String())
}
