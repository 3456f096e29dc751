package write

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// freshFor is how old a reading may be that spares a write because the device holds the value already.
const freshFor = 3 * time.Second

// tellLate is how much longer than its deadline a caller waits for the writer to say why the time was not enough.
const tellLate = 20 * time.Millisecond

// Writer writes the set-values of one device. Run does the work; Write may be called from any goroutine.
type Writer struct {
	cfg    Config
	client ask.Client
	device Device
	values Values
	log    zerolog.Logger
	queue  queue

	open []*pointWrite // written and not confirmed yet; of Run alone
}

// New makes a Writer. It does nothing before Run.
func New(cfg Config, client ask.Client, device Device, values Values, log zerolog.Logger) *Writer {
	return &Writer{cfg: cfg, client: client, device: device, values: values, log: log, queue: newQueue()}
}

// Write sets a point and returns when the device has been read back, or when it is clear that it will not be. The error
// is an *Error. ctx ends a set-value that was not sent yet; one that was is finished and its outcome returned.
func (w *Writer) Write(ctx context.Context, set Set) (Outcome, error) {
	c := newCall(ctx, set)
	if c.set.Deadline.IsZero() {
		c.set.Deadline = c.called.Add(ask.ForWrite)
	}
	p, v, refused := w.check(set)
	if refused != nil {
		return Outcome{}, refused
	}
	if !set.Force && !p.Button() && !p.IsClock() && !w.queue.holds(p.Key) {
		if r, ok := w.values.Fresh(p.Key, freshFor); ok && Holds(p, v, r) {
			return Outcome{Reading: r, Unchanged: true, Took: time.Since(c.called)}, nil
		}
	}
	if !w.queue.add(w.companions(p), c) {
		return Outcome{}, w.notSent(c, p, protocol.ErrClosed)
	}
	if why := w.await(c); why != nil {
		return Outcome{}, w.notSent(c, p, why)
	}
	if c.err != nil {
		return Outcome{}, c.err
	}
	return c.outcome, nil
}

// await waits for the answer, or returns why the caller took the set-value out of the queue.
func (w *Writer) await(c *call) error {
	late := time.NewTimer(time.Until(c.set.Deadline) + tellLate)
	defer late.Stop()
	why := protocol.ErrExpired
	select {
	case <-c.done:
		return nil
	case <-c.ctx.Done():
		why = context.Cause(c.ctx)
	case <-late.C:
	}
	if w.queue.remove(c) {
		return why
	}
	<-c.done
	return nil
}

// Run writes what is queued and reads back what was written, until ctx ends and what is under way has come to its end;
// then it returns nil. It may be called once.
func (w *Writer) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, w.refuse)()
	for ctx.Err() == nil || len(w.open) > 0 {
		w.step(ctx)
	}
	w.refuse()
	return nil
}

// refuse ends what waits, and whatever comes later, because the writer stops.
func (w *Writer) refuse() {
	for _, c := range w.queue.close() {
		c.finish(Outcome{}, w.notSent(c, w.point(c), protocol.ErrClosed))
	}
}

// step carries out what is due first, the write of what waits or a read-back, or waits until something is due.
func (w *Writer) step(ctx context.Context) {
	from, deadline := w.queue.next(w.mayGo)
	look := w.nextLook()
	now := time.Now()
	switch {
	case due(from, now) && (look == nil || !look.look.Before(from)):
		w.send(ctx, deadline)
	case look != nil && due(look.look, now):
		w.lookAgain(ctx, look)
	default:
		w.wait(ctx, from, look)
	}
}

func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }

// wait waits until an entry has its turn, a read-back is due, or something else has come.
func (w *Writer) wait(ctx context.Context, from time.Time, look *pointWrite) {
	if look != nil && (from.IsZero() || look.look.Before(from)) {
		from = look.look
	}
	var timeout <-chan time.Time
	if !from.IsZero() {
		timer := time.NewTimer(time.Until(from))
		defer timer.Stop()
		timeout = timer.C
	}
	ended := ctx.Done()
	if len(w.open) > 0 { // they are read back to their end
		ended = nil
	}
	select {
	case <-timeout:
	case <-w.queue.wake:
	case <-ended:
	}
}

// mayGo reports whether nothing under way shares a register with the entry: what was written must have settled before
// the register is read, changed in part, or written again.
func (w *Writer) mayGo(e *entry) bool {
	p, ok := w.find(e.key)
	return !ok || !slices.ContainsFunc(w.open, func(o *pointWrite) bool {
		return o.p.Key == e.key || overlapsAny(p, reach(o.p))
	})
}

// send holds the line and writes the first entry, with what may go in the same request.
func (w *Writer) send(ctx context.Context, deadline time.Time) {
	req := w.client.Request(protocol.PriorityWrite, 0)
	req.Deadline = deadline
	var group []*pointWrite
	err := w.device.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
		w.gather(ctx)
		group = w.take()
		w.carryOut(ctx, x, group)
		return nil
	})
	if err != nil {
		w.fail(err, deadline)
	}
	for _, p := range group {
		if p.entry != nil {
			w.settle(p)
		}
	}
}

// fail answers those for whom the line could not be had. Where it was for lack of time, the others wait on.
func (w *Writer) fail(err error, deadline time.Time) {
	short := errors.Is(err, protocol.ErrExpired) || errors.Is(err, protocol.ErrDown)
	if errors.Is(err, context.Canceled) {
		err = protocol.ErrClosed // the writer stops
	}
	for _, c := range w.queue.takeCalls(func(c *call) bool { return !short || !c.set.Deadline.After(deadline) }) {
		c.finish(Outcome{}, w.notSent(c, w.point(c), err))
	}
}

// take takes the first entry out of the queue, and those that may be written in the same request.
func (w *Writer) take() (group []*pointWrite) {
	for {
		e := w.queue.take(func(e *entry) bool {
			return (w.inGroup(group, e) || !e.from.After(time.Now())) && w.mayGo(e) && w.mayJoin(group, e)
		})
		if e == nil {
			return group
		}
		if p := (&pointWrite{entry: e}); w.choose(p) {
			group = append(group, p)
		}
	}
}

// choose picks the newest value that somebody still wants, and checks it against what the device is known to be now:
// since the set-value was queued it may have turned out to be another variant. It answers those who gave up and those
// whose value does not pass, and reports false if nobody is left.
func (w *Writer) choose(p *pointWrite) bool {
	e := p.entry
	for len(e.calls) > 0 {
		e.calls = slices.DeleteFunc(e.calls, func(c *call) bool {
			over := c.isOver()
			if over {
				c.finish(Outcome{}, w.notSent(c, w.point(c), whyOver(c)))
			}
			return over
		})
		if len(e.calls) == 0 {
			break
		}
		newest := e.calls[len(e.calls)-1]
		point, value, refused := w.check(newest.set)
		if refused == nil {
			p.call, p.p, p.value = newest, point, value
			return true
		}
		e.calls = e.calls[:len(e.calls)-1]
		newest.finish(Outcome{}, refused)
	}
	p.entry = nil
	w.queue.release(e.key)
	return false
}

// whyOver returns why nothing is sent for a caller any more.
func whyOver(c *call) error {
	if c.ctx.Err() != nil {
		return context.Cause(c.ctx)
	}
	return protocol.ErrExpired
}

// find finds a point of the device.
func (w *Writer) find(key string) (profile.Point, bool) {
	points := w.device.Points()
	for i := range points {
		if points[i].Key == key {
			return points[i], true
		}
	}
	return profile.Point{}, false
}

// point returns the point of a call, by its key alone where there is none.
func (w *Writer) point(c *call) profile.Point {
	if p, ok := w.find(c.set.Key); ok {
		return p
	}
	return profile.Point{Key: c.set.Key, Name: c.set.Key}
}
