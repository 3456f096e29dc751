package devices

import (
	"context"
	"errors"
	"fmt"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Times of a confirmation.
const (
	verifyFor  = 3 * time.Second        // how long a device may take, beyond the settle time, to hold what it acknowledged
	firstPause = 100 * time.Millisecond // before the second read-back; doubles each time
	longPause  = time.Second
)

// attempt carries out the newest of several set-values of one point: it is written once, whatever happens, and then read until it
// is known what the device holds.
type attempt struct {
	d     *Device
	jobs  []*job // oldest first
	j     *job   // the newest
	p     profile.Point
	req   protocol.Request
	words []uint16 // wanted

	sent    time.Time   // just before the first byte of the write
	settled time.Time   // when it may be read back
	doubt   error       // why it is open whether the device carried it out; nil if it said so
	failed  *WriteError // ends the attempt
	equal   bool        // nothing had to be written
	found   *Reading    // the last read-back
	unread  error       // why the last read-back failed
}

func newAttempt(d *Device, jobs []*job, req protocol.Request) *attempt {
	j := jobs[len(jobs)-1]
	req.Deadline = j.set.Deadline
	return &attempt{d: d, jobs: jobs, j: j, p: j.point, req: req}
}

// send writes over the held line and, if there is no settle time, reads back before anybody else gets the line.
func (a *attempt) send(x protocol.Exchanger) {
	current, err := a.current(x)
	if err != nil {
		a.failed = a.d.notSent(a.j, err)
		return
	}
	if a.words, err = a.p.Spec.Encode(a.j.value, current); err != nil {
		a.failed = wrongValue(a.p, a.j.set.Value, err)
		return
	}
	if a.found != nil && same(a.p, a.words, current) && !a.j.set.Force {
		a.equal = true
		return
	}
	a.found = nil
	a.write(x)
	if a.failed == nil && a.doubt == nil && a.settle() == 0 && a.readsBack() {
		ctx, cancel := a.undisturbed(a.last())
		defer cancel()
		a.unread = a.readBack(ctx, x)
	}
}

// current reads the words of which the point is only a part; nil where it is all of them.
func (a *attempt) current(x protocol.Exchanger) ([]uint16, error) {
	if !a.p.Spec.Partial() {
		return nil, nil
	}
	r, err := readPoint(a.j.ctx, x.Exchange, a.req, a.p)
	if err != nil {
		return nil, err
	}
	a.found = &r
	return r.Raw, nil
}

// write sends the words, range by range. Up to the first byte the caller may give up; from then on it is carried out.
func (a *attempt) write(x protocol.Exchanger) {
	a.d.out.begin(a.p)
	ctx := a.j.ctx
	for _, req := range writeRequests(a.p, a.words, a.req) {
		resp, err := x.Exchange(ctx, req)
		if a.sent.IsZero() && !resp.Sent.IsZero() {
			a.sent = resp.Sent
		}
		if err != nil {
			a.judge(resp, err)
			break
		}
		ctx = context.WithoutCancel(ctx)
	}
	a.settled = time.Now().Add(a.settle())
}

// judge decides what a failed write means: it was refused, it never went out, or nobody knows.
func (a *attempt) judge(resp protocol.Response, err error) {
	no, refused := errors.AsType[protocol.ExceptionError](err)
	switch {
	case refused && !mayHaveBeenCarriedOut(no):
		a.failed = exception(StageException, a.p, a.d.name(), err, no)
	case refused || errors.Is(err, protocol.ErrOutcomeUnknown) || !a.sent.IsZero():
		a.doubt = err
	default:
		if a.j.ctx.Err() != nil {
			err = ended(a.j.ctx)
		}
		a.failed = a.d.notSent(a.j, err)
	}
}

// mayHaveBeenCarriedOut: the device takes its time (5), or a gateway lost track of it (10, 11).
// Source: MODBUS Application Protocol V1.1b3, 7.
func mayHaveBeenCarriedOut(no protocol.ExceptionError) bool {
	return no.Code == 5 || no.Code == 10 || no.Code == 11
}

// settle returns the time between the write and its read-back.
func (a *attempt) settle() time.Duration {
	if a.p.Write.Settle != 0 {
		return a.p.Write.Settle
	}
	return a.d.cfg.Line.Settle
}

// last returns until when it is tried to find out what the device holds: for a while, or as long as the caller waits.
func (a *attempt) last() time.Time {
	if patient := a.settled.Add(verifyFor); patient.After(a.j.set.Deadline) {
		return patient
	}
	return a.j.set.Deadline
}

// undisturbed returns a context that does not end with the caller: what was sent is brought to its end.
func (a *attempt) undisturbed(until time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithoutCancel(a.j.ctx), until)
}

func (a *attempt) readBack(ctx context.Context, x protocol.Exchanger) error {
	req := a.req
	req.Deadline = a.last()
	r, err := readPoint(ctx, x.Exchange, req, a.p)
	if err == nil {
		a.found = &r
	}
	return err
}

// complete reads back until it is clear what the device holds, and tells everybody.
func (a *attempt) complete() {
	if a.failed == nil && !a.equal && a.readsBack() {
		a.verify()
	}
	found := a.found
	if a.p.Button() {
		found = nil // what a command register holds is nobody's value
	}
	ctx := context.WithoutCancel(a.j.ctx)
	switch {
	case !a.sent.IsZero():
		a.d.out.end(ctx, a.d, a.p, found, found != nil && a.verified())
	case a.equal && found != nil:
		a.d.out.readings(ctx, a.d, []Reading{*found})
	default:
		a.d.out.release(a.p.Key)
	}
	a.d.out.status(ctx, a.d)
	a.tell(a.verdict())
}

// readsBack: only a button may have a register that does not hold what was written.
func (a *attempt) readsBack() bool { return !a.p.Button() || a.p.Write.ReadBack }

// verify reads back, again and again, and never writes again.
func (a *attempt) verify() {
	at, pause := a.settled, firstPause
	if a.found != nil || a.unread != nil { // read back at once, and not in vain
		at = time.Now().Add(pause)
	}
	for !a.verified() {
		if a.found != nil && at.After(a.settled.Add(verifyFor)) || at.After(a.last()) {
			return
		}
		a.unread = a.tryAgain(at)
		if wrong := (*identityError)(nil); errors.As(a.unread, &wrong) || errors.Is(a.unread, protocol.ErrClosed) {
			return
		}
		at, pause = time.Now().Add(pause), min(2*pause, longPause)
	}
}

// tryAgain queues one read-back, ahead of all reads. Others have the line meanwhile.
func (a *attempt) tryAgain(at time.Time) error {
	ctx, cancel := a.undisturbed(a.last())
	defer cancel()
	req := a.req
	req.NotBefore, req.Deadline = at, a.last()
	return a.d.line.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
		if err := a.d.admit(ctx, x); err != nil {
			return err
		}
		return a.readBack(ctx, x)
	})
}

func (a *attempt) verified() bool { return a.found != nil && same(a.p, a.words, a.found.Raw) }

// verdict says how it ended.
func (a *attempt) verdict() *WriteError {
	p, device, where := a.p, a.d.name(), registers(a.p)
	switch {
	case a.failed != nil:
		return a.failed
	case a.equal, a.verified(), !a.readsBack() && a.doubt == nil:
		return nil
	case a.found != nil:
		wanted, found := withUnit(a.j.value.String(), p.Unit), a.holds()
		reason := fmt.Sprintf("%s acknowledged %s for %s (%s) and holds %s", device, wanted, p.Name, where, found)
		if a.doubt != nil {
			reason = fmt.Sprintf("%s did not confirm %s for %s (%s: %v) and holds %s", device, wanted, p.Name, where, a.doubt, found)
		}
		e := failure(StageNotVerified, p, CodeNotVerified, reason, a.doubt, "device", device, "register", where, "wanted", wanted, "found", found)
		e.Found = a.found
		return e
	}
	cause := a.doubt
	reason := fmt.Sprintf("%s was sent to %s (%s), but it is not known whether it was carried out: ", p.Name, device, where)
	if cause == nil {
		cause = a.unread
		reason = fmt.Sprintf("%s acknowledged %s (%s), but it could not be read back: ", device, p.Name, where)
	}
	return failure(StageUnknown, p, CodeOutcomeUnknown, reason+cause.Error(), cause, "device", device, "register", where)
}

// holds says what the device holds, in words or, where that is no value, as it was read.
func (a *attempt) holds() string {
	if a.p.Button() {
		return fmt.Sprintf("%d", a.found.Raw)
	}
	if text := textOf(a.found.Value); text != "" {
		return withUnit(text, a.p.Unit)
	}
	return fmt.Sprintf("the raw words %d", a.found.Raw)
}

// tell ends the newest job, and the older ones with its outcome.
func (a *attempt) tell(err *WriteError) {
	now := time.Now()
	for _, j := range a.jobs {
		o := Outcome{Superseded: j != a.j, Unchanged: a.equal, Took: now.Sub(j.called)}
		if a.found != nil && !a.p.Button() {
			o.Reading = *a.found
		}
		if !a.sent.IsZero() {
			o.Wire = a.sent.Sub(j.called)
		}
		if err != nil {
			o = Outcome{}
		}
		j.finish(o, err)
	}
	a.log(err)
}

func (a *attempt) log(err *WriteError) {
	event := a.d.log.Debug() // who asked for it says it to people
	if err != nil {
		event = event.Str("code", err.Code).Str("reason", err.Error())
	}
	event.Str("point", a.p.Key).Stringer("value", a.j.value).Bool("unchanged", a.equal).
		Int("superseded", len(a.jobs)-1).Msg("set-value ended")
}
