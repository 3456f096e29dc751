package scan

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Do sends one request and returns its reply: protocol.Bus.Do, or the Exchange of an open link.
type Do = ask.Exchange

// How long a unit is waited for of which nobody knows what it is.
const (
	// DefaultPatience is that on a line of its own. Inverters answer in 20 to 400 ms (Solis, Deye, Huawei: see the
	// timeouts of their profiles).
	DefaultPatience = 500 * time.Millisecond
	// shortGap suits most devices on a serial line, and a device that loses a request is given longer ones: 50 to 150
	// ms (sunsynk), 850 ms (biemond/solaredge.modbus #131), and a BMS of Voltronic the most.
	shortGap = 10 * time.Millisecond
	someGap  = 150 * time.Millisecond
	longGap  = 1400 * time.Millisecond
)

// ErrGone: the unit has answered, and does not any more.
var ErrGone = errors.New("it answered at first, and then no more")

// asker asks one unit and keeps what it answers. What is known is not asked again. It is an ask.Bus.
type asker struct {
	do    Do
	unit  protocol.UnitID
	seen  evidence
	never func() []protocol.Range

	patience time.Duration // with a unit of which nothing is known
	requests int
	proof    protocol.Range // the first read that was answered, refused ones included; Count 0: none was
	slowest  time.Duration
	gap      time.Duration // that the unit was found to need
	mute     bool          // it does not answer at all where others refuse
}

func newAsker(do Do, at Place) *asker {
	return &asker{do: do, unit: at.Unit, patience: cmp.Or(at.Patience, DefaultPatience), gap: shortGap,
		seen: newEvidence(), never: func() []protocol.Range { return nil }}
}

// read asks for registers that may be read. The error is that of the line, of ctx, or ErrGone: a refusal is evidence.
func (a *asker) read(ctx context.Context, r protocol.Range) error {
	_, err := a.exchange(ctx, protocol.Request{Unit: a.unit, Op: protocol.Read, Range: r,
		Priority: protocol.PriorityRead, Pace: protocol.Pace{Gap: a.gap, Timeout: a.timeout()}})
	if err == nil || a.seen.refused[r] != nil {
		return nil
	}
	return err
}

// isAnybody asks a unit for registers, once, and reports whether it answers. The error says what came instead.
func (a *asker) isAnybody(ctx context.Context, r protocol.Range, wait time.Duration) (bool, error) {
	resp, err := a.send(ctx, protocol.Request{Unit: a.unit, Op: protocol.Read, Range: r,
		Priority: protocol.PriorityRead, Pace: protocol.Pace{Timeout: wait}})
	switch {
	case err == nil:
		a.seen.add(r, resp.Words)
	case ask.IsRefusal(err):
		a.seen.refused[r] = err
	}
	return err == nil || ask.IsRefusal(err) || ask.IsBusy(err), err
}

// timeout is shorter with a unit that has answered quickly each time.
func (a *asker) timeout() time.Duration {
	if a.proof.Count == 0 {
		return a.patience
	}
	return min(max(a.patience/2, 4*a.slowest), 2*a.patience)
}

// exchange answers from what is known, else asks. Nothing but reads goes out.
func (a *asker) exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	if req.Op != protocol.Read {
		return protocol.Response{}, errors.New("a scan writes nothing")
	}
	if words, known := a.seen.read(req.Range); known {
		return protocol.Response{Words: words, Sent: time.Now(), Done: time.Now(), Connection: 1}, nil
	}
	if err := a.seen.refused[req.Range]; err != nil {
		return protocol.Response{}, err
	}
	if err := req.Forbidden(a.never()); err != nil {
		return protocol.Response{}, err
	}
	req.Unit, req.Deadline, req.Pace.Gap = a.unit, time.Time{}, max(req.Pace.Gap, a.gap)
	resp, err := a.patiently(ctx, req)
	switch {
	case err == nil:
		a.seen.add(req.Range, resp.Words)
	case ask.IsRefusal(err), ask.IsSilence(err) && a.proof.Count > 0, isForbidden(err):
		a.seen.refused[req.Range] = err
	}
	resp.Connection = 1
	return resp, err
}

// isForbidden reports whether the line lets a read not out: the owner has said what the device is.
func isForbidden(err error) bool {
	_, is := errors.AsType[protocol.ForbiddenError](err)
	return is
}

// patiently asks again where the unit is busy, where its reply was garbled, and where it may have wanted more time.
func (a *asker) patiently(ctx context.Context, req protocol.Request) (resp protocol.Response, err error) {
	client := ask.Client{Line: profile.LineSettings{Pace: req.Pace}}
	err = client.Patiently(req, func(req protocol.Request) error {
		if err := sleepUntil(ctx, req.NotBefore); err != nil {
			return err
		}
		resp, err = ask.Again(a.send)(ctx, req)
		return err
	})
	if !ask.IsSilence(err) || a.proof.Count == 0 || a.mute {
		return resp, err
	}
	return a.askInPeace(ctx, req, err)
}

// askInPeace finds out what the silence of a unit means that has answered before: it was in a hurry, it does not answer
// what others refuse, or it is gone.
func (a *asker) askInPeace(ctx context.Context, req protocol.Request,
	silence error) (resp protocol.Response, err error) {
	if err := sleepUntil(ctx, time.Now().Add(longGap)); err != nil {
		return resp, err
	}
	req.Pace.Gap = longGap // the link may ask for something else first, to be sure of what it gets
	if resp, err = a.send(ctx, req); err == nil || ask.IsRefusal(err) {
		if a.gap < someGap {
			a.gap = someGap
		} else {
			a.gap = longGap
		}
		return resp, err
	}
	again := req
	again.Range = a.proof
	if _, err := a.send(ctx, again); err != nil && !ask.IsRefusal(err) {
		return resp, errors.Join(ErrGone, err)
	}
	a.mute = true
	return resp, silence
}

// isThere reports whether the unit still answers.
func (a *asker) isThere(ctx context.Context) bool {
	_, err := a.send(ctx, protocol.Request{Unit: a.unit, Op: protocol.Read, Range: a.proof,
		Priority: protocol.PriorityRead, Pace: protocol.Pace{Gap: a.gap, Timeout: 2 * a.patience}})
	return err == nil || ask.IsRefusal(err)
}

func (a *asker) send(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	a.requests++
	begun := time.Now()
	resp, err := a.do(ctx, req)
	if err == nil || ask.IsRefusal(err) {
		a.slowest = max(a.slowest, time.Since(begun))
		if a.proof.Count == 0 {
			a.proof = req.Range
		}
	}
	return resp, err
}

// Do is ask.Bus.Do.
func (a *asker) Do(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	return a.exchange(ctx, req)
}

// Hold is ask.Bus.Hold. Nobody else is on the line.
func (a *asker) Hold(ctx context.Context, _ protocol.Request,
	hold func(ctx context.Context, x protocol.Exchanger) error) error {
	return hold(ctx, holding{a})
}

type holding struct{ *asker }

func (h holding) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	return h.exchange(ctx, req)
}

func (holding) Connection() uint64 { return 1 }

// sleepUntil waits, but not behind the end of ctx.
func sleepUntil(ctx context.Context, t time.Time) error {
	wait := time.Until(t)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// among returns the families whose registers are never read, see suspects.never.
func among(s suspects, p *profile.Profile) func() []protocol.Range {
	never := slices.Clone(s.never(p))
	return func() []protocol.Range { return never }
}
