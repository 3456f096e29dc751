package write

import (
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// pointWrite is one point from the moment at which its entry leaves the queue until its callers are answered. It is
// written once, whatever happens, and then read until it is known what the device holds.
type pointWrite struct {
	entry *entry        // nil once its callers are answered or it is back in the queue
	call  *call         // whose value is written: the newest of the entry that is still wanted
	p     profile.Point // as the device was identified when it was taken
	value codec.Value

	before *ask.Reading // what was read before writing; nil if nothing was
	target []uint16     // what the registers held that are written, where that is not where the point is read
	group  []uint16     // of a group of the profile: what all of it held, with its constants
	words  []uint16     // wanted

	isRight func(p profile.Point, found ask.Reading) bool // of a clock, which runs on

	sent       time.Time // just before the first byte of the write
	settled    time.Time // when it may be read back
	doubt      error     // why it is open whether the device has carried it out; nil if it acknowledged it
	failed     *Error    // ends it
	unfinished error     // why what goes behind the write failed; nil if it was done
	equal      bool      // nothing had to be written

	found  *ask.Reading  // the last read-back
	unread error         // why the last read-back failed
	look   time.Time     // of the next read-back
	pause  time.Duration // between that and the one behind it
}

// at returns the registers that are written, which lie in one range.
func (p *pointWrite) at() protocol.Range { return writtenAt(p.p) }

// isWaiting reports whether it is still to be written.
func (p *pointWrite) isWaiting() bool {
	return p.entry != nil && p.failed == nil && !p.equal && p.sent.IsZero() && p.doubt == nil
}

// where returns the pointWrites for which is reports true.
func where(group []*pointWrite, is func(*pointWrite) bool) []*pointWrite {
	return slices.DeleteFunc(slices.Clone(group), func(p *pointWrite) bool { return !is(p) })
}

// carryOut writes a group over the held line. It first reads what stays as it is, and reads back at once what needs no
// time to settle, so that nobody else gets the line in between.
func (w *Writer) carryOut(ctx context.Context, x protocol.Exchanger, group []*pointWrite) {
	if groupOf(group) != nil {
		w.readGroup(ctx, x, group)
	} else {
		for _, run := range runs(where(group, w.readsFirst)) {
			w.readFirst(ctx, x, run)
		}
	}
	for _, p := range where(group, (*pointWrite).isWaiting) {
		w.encode(p)
	}
	w.keepWhole(group)
	waiting := where(group, (*pointWrite).isWaiting)
	if len(waiting) == 0 || !w.before(ctx, x, waiting) {
		return
	}
	for _, run := range requests(waiting) {
		w.write(ctx, x, run)
	}
	w.after(ctx, x, waiting)
	acknowledged := where(group, func(p *pointWrite) bool {
		return p.entry != nil && !p.sent.IsZero() && p.failed == nil && p.doubt == nil && p.readsBack() &&
			w.settleTime(p.p) == 0
	})
	for _, run := range runs(acknowledged) {
		until := last(run)
		own, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
		w.readBack(own, x, run, until)
		cancel()
	}
}

// readsFirst reports whether the registers are read before they are written: where a point is only a part of them, and
// where the register wears out and may hold the value already. What is fresh is known without reading.
func (w *Writer) readsFirst(p *pointWrite) bool {
	switch {
	case isElsewhere(p.p) && writeSpec(p.p).Partial(), !isElsewhere(p.p) && p.p.Spec.ReadFirst(), p.p.Spec.ScaleWord:
		return true
	case p.p.Button() || !p.p.Write.Flash || p.call.set.Force:
		return false
	}
	r, fresh := w.values.Fresh(p.p.Key, freshFor)
	if fresh {
		p.before = &r
	}
	return !fresh
}

// readFirst reads what a run holds before it is written.
func (w *Writer) readFirst(ctx context.Context, x protocol.Exchanger, run []*pointWrite) {
	deadline := run[0].call.set.Deadline
	for _, p := range run {
		if p.call.set.Deadline.After(deadline) {
			deadline = p.call.set.Deadline
		}
	}
	w.readBack(ctx, x, run, deadline)
	w.readTargets(ctx, x, run, deadline)
	for _, p := range run {
		err := p.unread
		p.before, p.found, p.unread = p.found, nil, nil
		if ask.IsBusy(err) && w.retry([]*pointWrite{p}, p.call) {
			continue
		}
		if err != nil {
			p.failed = w.notSent(p.call, p.p, err)
		}
	}
}

// encode decides what is written, if anything.
func (w *Writer) encode(p *pointWrite) {
	var held []uint16
	if p.before != nil {
		held = p.before.Raw
	}
	spec := writeSpec(p.p)
	if isElsewhere(p.p) && !spec.ScaleWord {
		held = p.target
	}
	if p.p.IsClock() {
		p.value, p.isRight = w.present(p.p), w.isRight
	}
	words, err := spec.Encode(p.value, held)
	if err != nil {
		p.failed = wrongValue(p.p, p.call.set.Value, err)
		return
	}
	p.words = words
	p.equal = p.before != nil && p.holds(*p.before) && !p.call.set.Force
}

// keepWhole has all that is set of a group written if any of it must be. Where one value cannot be written the others
// are queued again, because its place was not read.
func (w *Writer) keepWhole(group []*pointWrite) {
	waiting := where(group, (*pointWrite).isWaiting)
	if groupOf(group) == nil || len(waiting) == 0 {
		return
	}
	broken := slices.ContainsFunc(group, func(p *pointWrite) bool { return p.entry != nil && p.failed != nil })
	for _, p := range group {
		if p.entry != nil && p.failed == nil {
			if p.equal = false; broken {
				w.putBack(p)
			}
		}
	}
}

// write sends the words of neighbouring points in one request. Up to its first byte each caller may give up, and then
// the value before his counts; from then on it is carried out.
func (w *Writer) write(ctx context.Context, x protocol.Exchanger, run []*pointWrite) {
	own, done := whileWanted(ctx, run)
	defer done()
	for _, p := range run {
		w.values.Begin(p.p)
	}
	resp, err := x.Exchange(own, w.request(run))
	done()
	no, refused := errors.AsType[protocol.ExceptionError](err)
	switch {
	case isUnsent(resp, err) && slices.ContainsFunc(run, func(p *pointWrite) bool { return p.call.isOver() }):
		w.writeTheRest(ctx, x, run)
	case refused && no.AboutRequest() && len(run) > 1 && groupOf(run) == nil:
		// Nothing was carried out: they go one by one, each with the answer to its own value.
		for _, p := range slices.Backward(run) {
			p.entry.alone = true
			w.values.End(ctx, p.p, End{})
			w.putBack(p)
		}
	case refused && no.Code == protocol.ServerDeviceBusy:
		for _, p := range run {
			w.values.End(ctx, p.p, End{})
		}
		if w.retry(run, run[0].call) {
			return
		}
		for _, p := range run {
			p.wrote(w.settleTime(p.p), resp)
			w.judge(p, err)
		}
	default:
		for _, p := range run {
			if p.wrote(w.settleTime(p.p), resp); err != nil {
				w.judge(p, err)
			}
		}
	}
}

// isUnsent reports whether not a byte of a request went out.
func isUnsent(resp protocol.Response, err error) bool {
	_, refused := errors.AsType[protocol.ExceptionError](err)
	return err != nil && !refused && resp.Sent.IsZero() && !errors.Is(err, protocol.ErrOutcomeUnknown)
}

// writeTheRest writes what is still wanted when a caller gave up before the first byte.
func (w *Writer) writeTheRest(ctx context.Context, x protocol.Exchanger, run []*pointWrite) {
	for _, p := range run {
		w.values.End(ctx, p.p, End{})
		whole := groupOf(run) != nil
		if w.choose(p) && whole {
			w.putBack(p) // what the others would have changed is to be read first
		} else if !whole && p.entry != nil {
			w.encode(p)
		}
	}
	for _, rest := range requests(where(run, (*pointWrite).isWaiting)) {
		w.write(ctx, x, rest)
	}
}

// retry puts points back into the queue because the device is busy, and so has carried out nothing; false after the
// last try. c is the call that decides how long.
func (w *Writer) retry(run []*pointWrite, c *call) bool {
	at, again := w.client.RetryAt(c.set.Deadline, run[0].entry.tries)
	if !again {
		return false
	}
	for _, p := range slices.Backward(run) {
		p.entry.tries++
		p.entry.from = at
		w.putBack(p)
	}
	return true
}

// putBack ends the pointWrite; its entry begins anew.
func (w *Writer) putBack(p *pointWrite) {
	e := p.entry
	p.entry = nil
	w.queue.putBack(e)
}

// request returns the request that writes neighbouring points. What they do not cover of a register stays as it was
// read.
func (w *Writer) request(run []*pointWrite) protocol.Request {
	req := w.client.Request(protocol.PriorityWrite, 0)
	req.Op, req.Range = protocol.WriteMultiple, coverOf(run)
	if run[0].p.Write.Single && req.Range.Count == 1 {
		req.Op = protocol.WriteSingle
	}
	req.Words, req.Deadline = make([]uint16, req.Range.Count), run[0].call.until()
	if groupOf(run) != nil {
		fillGroup(&req, run)
	}
	for _, p := range run {
		held := p.target
		if p.before != nil && !isElsewhere(p.p) {
			held = p.before.Raw
		}
		copy(req.Words[p.at().Addr-req.Range.Addr:], held)
		if t := p.call.until(); t.Before(req.Deadline) {
			req.Deadline = t
		}
	}
	for _, p := range run {
		for i, mask := range writeSpec(p.p).CompareMask()[:p.at().Count] {
			word := &req.Words[int(p.at().Addr-req.Range.Addr)+i]
			*word = *word&^mask | p.words[i]&mask
		}
	}
	return req
}

// wrote notes that the request was sent, if it was.
func (p *pointWrite) wrote(settle time.Duration, resp protocol.Response) {
	p.sent, p.settled = resp.Sent, time.Now().Add(settle)
}

// judge decides what a failed write means: it was refused, it never went out, or nobody knows.
func (w *Writer) judge(p *pointWrite, err error) {
	no, refused := errors.AsType[protocol.ExceptionError](err)
	switch {
	case refused && !no.MayBeDone():
		p.failed = exception(p.p, w.cfg.Name, err, no)
	case refused || errors.Is(err, protocol.ErrOutcomeUnknown) || !p.sent.IsZero():
		p.doubt = err
	default:
		p.failed = w.notSent(p.call, p.p, err)
	}
}

// whileWanted returns a context that ends when one of the callers whose values are written gives up.
func whileWanted(ctx context.Context, run []*pointWrite) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stops := make([]func() bool, len(run))
	for i, p := range run {
		stops[i] = context.AfterFunc(p.call.ctx, cancel)
	}
	return ctx, func() {
		for _, stop := range stops {
			stop()
		}
		cancel()
	}
}
