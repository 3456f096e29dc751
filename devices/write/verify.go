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
	"solarhub/protocol/codec"
)

// A write is confirmed when the registers, read back, hold what was wanted in the bits of the point. Until then they
// are read again and again, and never written again.
const (
	// verifyFor is how long a device may take, beyond the settle time, to hold what it acknowledged.
	verifyFor     = 3 * time.Second
	unansweredFor = 1500 * time.Millisecond // to hold what it did not acknowledge
	firstPause    = 100 * time.Millisecond  // before the second read-back; doubles each time
	longPause     = time.Second
)

// readsBack reports whether what was written can be read.
func (p *pointWrite) readsBack() bool { return p.p.Write.ReadBack }

// verified reports whether the last read-back found what was wanted.
func (p *pointWrite) verified() bool { return p.found != nil && p.holds(*p.found) }

// patience returns until when a device that holds something else may still come to hold what was written: until the
// caller's end if it said that it takes its time, no longer than it settles if it refused, and not for long if it did
// not answer, because then it may not know of the write.
func (p *pointWrite) patience() time.Time {
	no, refused := errors.AsType[protocol.ExceptionError](p.doubt)
	switch {
	case refused && no.Code == protocol.Acknowledge:
		return p.last()
	case p.doubt != nil && (!refused || ask.IsSilence(p.doubt)):
		return p.settled.Add(unansweredFor)
	case refused:
		return p.settled
	}
	return p.settled.Add(verifyFor)
}

// last returns until when it is tried to find out what the device holds: for a while, or as long as the caller waits.
func (p *pointWrite) last() time.Time {
	if patient := p.settled.Add(verifyFor); patient.After(p.call.set.Deadline) {
		return patient
	}
	return p.call.set.Deadline
}

// last returns the same for a group: the latest.
func last(group []*pointWrite) (until time.Time) {
	for _, p := range group {
		if at := p.last(); at.After(until) {
			until = at
		}
	}
	return until
}

// isDecided reports whether another read-back, at its time, would tell nothing more.
func (p *pointWrite) isDecided() bool {
	return p.failed != nil || p.equal || !p.readsBack() || p.verified() ||
		p.found != nil && p.look.After(p.patience()) || p.look.After(p.last())
}

// settle answers the callers of what is decided, and has the rest read back later.
func (w *Writer) settle(p *pointWrite) {
	switch {
	case p.found != nil || p.unread != nil:
		p.pause = max(firstPause, min(2*p.pause, longPause))
		p.look = time.Now().Add(p.pause)
	default:
		p.look = p.settled
	}
	if hopeless(p.unread) {
		p.look = p.last().Add(1)
	}
	i := slices.Index(w.open, p)
	switch decided := p.isDecided(); {
	case decided:
		if i >= 0 {
			w.open = slices.Delete(w.open, i, i+1)
		}
		if p.wasLost() {
			w.sendOnceMore(p)
		} else {
			w.end(p)
		}
	case i < 0:
		w.open = append(w.open, p)
	}
}

// wasLost reports whether the request may be sent once more: nobody acknowledged it, reading back shows that it was not
// carried out, it does no harm twice, and somebody still waits for it.
func (p *pointWrite) wasLost() bool {
	_, refused := errors.AsType[protocol.ExceptionError](p.doubt)
	unanswered := p.doubt != nil && (!refused || ask.IsSilence(p.doubt))
	return unanswered && p.found != nil && !p.verified() && p.unread == nil &&
		!p.p.Write.Once && !p.entry.resent && !p.call.isOver()
}

// sendOnceMore queues a request that was lost again, before all others.
func (w *Writer) sendOnceMore(p *pointWrite) {
	w.log.Debug().Str("point", p.p.Key).AnErr("lost", p.doubt).Msg("set-value was lost and is sent once more")
	w.values.End(context.Background(), p.p, End{Written: true, Found: p.found})
	p.entry.resent, p.entry.from = true, time.Now()
	w.putBack(p)
}

// hopeless reports whether reading back again cannot help: somebody else answers, or the line is closed for good.
func hopeless(err error) bool {
	_, wrong := errors.AsType[*ask.WrongDeviceError](err)
	return wrong || errors.Is(err, protocol.ErrClosed)
}

// nextLook returns what is to be read back next, nil if nothing is.
func (w *Writer) nextLook() (next *pointWrite) {
	for _, p := range w.open {
		if next == nil || p.look.Before(next.look) {
			next = p
		}
	}
	return next
}

// lookAgain reads back a point, with its neighbours that are due too, ahead of all reads. Whether the callers are
// still there does not matter: what was sent is brought to its end.
func (w *Writer) lookAgain(ctx context.Context, first *pointWrite) {
	now := time.Now()
	run := []*pointWrite{first}
	for _, r := range runs(where(w.open, func(p *pointWrite) bool { return due(p.look, now) })) {
		if slices.Contains(r, first) && coverOf(r).Count <= w.mostAtOnce() {
			run = r
		}
	}
	until := last(run)
	if _, deadline := w.queue.next(w.mayGo); !deadline.IsZero() && deadline.Before(until) && deadline.After(now) {
		until = deadline // whoever waits for the line behind this is told in time why it could not be had
	}
	own, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	defer cancel()
	req := w.client.Request(protocol.PriorityWrite, 0)
	req.Deadline = until
	err := w.device.Hold(own, req, func(ctx context.Context, x protocol.Exchanger) error {
		w.readBack(ctx, x, run, until)
		return nil
	})
	for _, p := range run {
		if err != nil {
			p.unread = err
		}
		w.settle(p)
	}
}

// readBack reads what neighbouring points hold: in one request or, if the device refuses that, one by one.
func (w *Writer) readBack(ctx context.Context, x protocol.Exchanger, run []*pointWrite, deadline time.Time) {
	run = w.readElsewhere(ctx, x, run, deadline)
	if len(run) == 0 {
		return
	}
	if half := len(run) / 2; half > 0 && coverOf(run).Count > w.mostAtOnce() {
		w.readBack(ctx, x, run[:half], deadline)
		w.readBack(ctx, x, run[half:], deadline)
		return
	}
	req := w.client.Request(protocol.PriorityWrite, 0)
	req.Op, req.Range, req.Deadline = protocol.Read, coverOf(run), deadline
	resp, err := x.Exchange(ctx, req)
	if ask.IsRefusal(err) && len(run) > 1 {
		for i := range run {
			w.readBack(ctx, x, run[i:i+1], deadline)
		}
		return
	}
	for _, p := range run {
		if p.unread = err; err != nil {
			continue
		}
		from := p.at().Addr - req.Range.Addr
		raw := resp.Words[from : from+p.at().Count]
		p.found = &ask.Reading{Key: p.p.Key, Value: p.p.Spec.Decode(raw), Raw: raw, ReadAt: resp.Sent}
	}
}

// end tells everybody how it ended.
func (w *Writer) end(p *pointWrite) {
	end := End{Ended: true, Wanted: p.value, Written: p.failed == nil && (!p.sent.IsZero() || p.doubt != nil)}
	if end.Written {
		end.Found, end.Confirmed = p.found, p.verified()
	} else if p.equal {
		end.Found = p.before
	}
	if p.p.Button() {
		end.Found, end.Confirmed = nil, false // what a command register holds is nobody's value
	}
	w.values.End(context.Background(), p.p, end)
	w.queue.release(p.entry.key)
	w.tell(p, end.Found, w.verdict(p))
	p.entry = nil
}

// tell answers the caller whose value was written, and the older ones with its outcome.
func (w *Writer) tell(p *pointWrite, found *ask.Reading, failed *Error) {
	calls := p.entry.calls
	event := w.log.Debug() // who asked for it says it to people
	if failed != nil {
		event = event.Str("code", failed.Code).Str("reason", failed.Error())
	}
	event.Str("point", p.p.Key).Stringer("value", p.value).Bool("unchanged", p.equal).
		Int("superseded", len(calls)-1).Msg("set-value ended")
	now := time.Now()
	for _, c := range calls {
		if failed != nil {
			c.finish(Outcome{}, failed)
			continue
		}
		o := Outcome{Superseded: c != p.call, Unchanged: p.equal, Took: now.Sub(c.called)}
		if found != nil {
			o.Reading = *found
		}
		if !p.sent.IsZero() {
			o.Wire = p.sent.Sub(c.called)
		}
		c.finish(o, nil)
	}
}

// verdict says why a write failed, nil if it did not.
func (w *Writer) verdict(p *pointWrite) *Error {
	device, where := w.cfg.Name, registers(p.p)
	switch {
	case p.failed != nil:
		return p.failed
	case p.unfinished != nil:
		e := w.stepFailed(p, p.unfinished)
		e.Found = p.found
		return e
	case p.equal, p.verified(), !p.readsBack() && p.doubt == nil:
		return nil
	case p.found != nil && !p.patience().After(p.settled): // it said that it failed, and so it did
		no, _ := errors.AsType[protocol.ExceptionError](p.doubt)
		e := exception(p.p, device, p.doubt, no)
		e.Found = p.found
		return e
	case p.found != nil:
		return w.notVerified(p)
	}
	cause := p.doubt
	reason := fmt.Sprintf("%s was sent to %s (%s), but it is not known whether it was carried out: ", p.p.Name, device,
		where)
	if cause == nil {
		cause = p.unread
		reason = fmt.Sprintf("%s acknowledged %s (%s), but it could not be read back: ", device, p.p.Name, where)
	}
	return failure(StageUnknown, p.p, CodeOutcomeUnknown, reason+cause.Error(), cause, "device", device, "register",
		where)
}

// notVerified says what the device holds instead, and whether it acknowledged the write.
func (w *Writer) notVerified(p *pointWrite) *Error {
	device, where := w.cfg.Name, registers(p.p)
	wanted, found := withUnit(p.value.String(), p.p.Unit), holds(p.p, *p.found)
	code := CodeNotVerified
	reason := fmt.Sprintf("%s acknowledged %s for %s (%s) and holds %s so far. Some devices take a setting over only "+
		"minutes later; if this one does, you will be told", device, wanted, p.p.Name, where, found)
	if p.doubt != nil {
		code = CodeNotAcknowledged
		reason = fmt.Sprintf("%s did not acknowledge %s for %s (%s: %v) and holds %s",
			device, wanted, p.p.Name, where, p.doubt, found)
	}
	e := failure(StageNotVerified, p.p, code, reason, p.doubt,
		"device", device, "register", where, "wanted", wanted, "found", found)
	e.Found = p.found
	return e
}

// holds says what the device holds, in words or, where that is no value, as it was read.
func holds(p profile.Point, found ask.Reading) string {
	switch {
	case p.Button():
		return fmt.Sprintf("%d", found.Raw)
	case found.Value.Kind == codec.KindNone:
		return fmt.Sprintf("the raw words %d", found.Raw)
	}
	return withUnit(found.Value.String(), p.Unit)
}
