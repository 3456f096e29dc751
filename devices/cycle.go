package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/plan"
)

// errCut: the cycle was ended because the device is gone or may be another.
var errCut = errors.New("the device does not answer")

// cycle reads all enabled points of the classes once. It ends early when the device is gone or may be another.
func (p *poller) cycle(ctx context.Context, due classes, priority protocol.Priority) error {
	return p.cycleWithin(ctx, due, due, priority)
}

// cycleWithin is cycle while the running classes, of which these are some, are being read.
func (p *poller) cycleWithin(ctx context.Context, due, running classes, priority protocol.Priority) error {
	begun := time.Now()
	age := p.every.oldest(due, begun)
	l := p.layout(ctx, due)
	f := newFetch(p.d.poll, p.d.client.Request(priority, 0), max(ask.ForPoll, p.every.fastest(due)), l)
	var first error
	var given time.Duration // to faster classes
	for _, read := range l.reads {
		now := time.Now()
		faster, _ := p.every.due(now, running, p.cost(ctx))
		if priority == protocol.PriorityPoll && p.every.overtakes(faster, now, due, age, begun) {
			_ = p.cycleWithin(ctx, faster, running|faster, priority) // what failed has been dealt with
			if given += time.Since(now); ctx.Err() != nil || !p.d.isIdentified() {
				return errCut
			}
		}
		err, over := p.read(ctx, f, read)
		if first = cmp.Or(first, err); over {
			return first
		}
	}
	p.recheck(ctx)
	p.every.read(due, begun, first != nil)
	p.watch(begun, given, l, due)
	p.takeRefreshes()
	p.learn(f.learnt)
	return first
}

// cost returns how long the plan of some classes will take: by the model of the line, and by how much longer it took lately.
func (p *poller) cost(ctx context.Context) func(classes) time.Duration {
	return func(of classes) time.Duration {
		return time.Duration(p.drag * float64(plan.Cost(p.layout(ctx, of).reads, TimingOf(p.d.cfg.Line))))
	}
}

// read carries out one read of a plan and reports what it has brought; over means that the cycle ends with it.
func (p *poller) read(ctx context.Context, f *fetch, read plan.Read) (err error, over bool) {
	f.ask = p.ask(f.layout, read)
	err = f.read(ctx, read)
	p.deliver(ctx, f, read)
	if err == nil {
		p.failures, p.losses = 0, 0
		p.retry.Reset()
		p.silence.answered(read.Range, f.clean, time.Now())
		return nil, false
	}
	if ask.IsSilence(err) {
		p.silence.silent(read, f.layout, time.Now())
	}
	return err, p.failed(ctx, f, read, err)
}

// learn keeps what reading has taught and says so.
func (p *poller) learn(t taught) {
	if p.d.learn(t) {
		p.d.log.Info().Stringers("holes", stringers(t.holes)).Uint16("most", t.most).
			Msg("the device does not allow reads as planned, planning anew")
		p.silence.forget()
	}
}

// ask returns how a read is asked: patiently, unless the device has been busy with all of it for long.
func (p *poller) ask(l *layout, read plan.Read) exchange {
	for _, point := range l.touched(read) {
		if p.misses[l.points[point].Key] < failuresToLose {
			return p.d.poll
		}
	}
	return p.d.pollOnce
}

// takeRefreshes keeps a refresh from waiting where the line is polled without a pause.
func (p *poller) takeRefreshes() {
	select {
	case done := <-p.d.refreshes:
		p.asked = append(p.asked, done)
	default:
	}
}

// layout returns the plan of the enabled points of the classes.
func (p *poller) layout(ctx context.Context, due classes) *layout {
	if l, ok := p.layouts[due]; ok {
		return l
	}
	p.d.mu.Lock()
	points := slices.DeleteFunc(p.d.enabled(), func(point profile.Point) bool { return !due.has(point.Interval) })
	var present classes
	for _, point := range points {
		present |= 1 << point.Interval
	}
	if l, ok := p.layouts[present]; ok { // the same points: most devices have not all classes, and a plan takes memory
		p.d.mu.Unlock()
		p.layouts[due] = l
		return l
	}
	l, unreadable := p.d.layout(points)
	p.d.mu.Unlock()
	p.layouts[due], p.layouts[present] = l, l
	for key, err := range unreadable {
		p.none(ctx, key, fmt.Sprintf("it cannot be read: %v", err))
	}
	return l
}

// deliver reports the points that the read has completed.
func (p *poller) deliver(ctx context.Context, f *fetch, read plan.Read) {
	var readings []Reading
	for _, point := range f.layout.touched(read) {
		if p.torn(ctx, f, point) {
			continue
		}
		r, refused, complete := f.reading(point)
		if !complete {
			continue
		}
		delete(p.misses, r.Key)
		readings = append(readings, r)
		if refused != nil {
			p.d.refuse(r.Key, time.Now().Add(againAfter(refused)))
			p.d.log.Warn().Str("point", r.Key).Err(refused).Msg("the device does not give this value")
		}
	}
	p.d.out.readings(ctx, readings)
}

// failed counts a failed read and reports whether the cycle ends with it.
func (p *poller) failed(ctx context.Context, f *fetch, read plan.Read, err error) bool {
	switch {
	case ctx.Err() != nil:
		return true
	case errors.Is(err, errReconnected):
		p.d.doubt()
		p.losses++ // a peer that hangs up behind each reply would be dialled without a pause
		return true
	case errors.Is(err, protocol.ErrExpired) && !errors.Is(err, protocol.ErrDown):
		p.d.mu.Lock()
		p.d.dropped++
		p.d.mu.Unlock()
		return false
	}
	if _, refused := errors.AsType[protocol.ExceptionError](err); refused && !ask.IsSilence(err) {
		p.failures = 0 // it is there: it said no
	} else if p.isAway(err) {
		p.lose(ctx, err)
		p.losses++
		return true
	}
	for _, point := range f.layout.touched(read) {
		key := f.layout.points[point].Key
		if p.misses[key]++; p.misses[key] == failuresToLose {
			p.none(ctx, key, err.Error())
		}
	}
	return false
}

// isAway counts a failure and reports whether the device counts as away by it. A reply too late or garbled makes nothing unavailable.
func (p *poller) isAway(err error) bool {
	p.failures++
	var wrong *ask.WrongDeviceError
	return p.failures >= failuresToLose || errors.Is(err, protocol.ErrDown) || errors.Is(err, protocol.ErrClosed) || errors.As(err, &wrong)
}

// lose tells that the device is away; what it is not, if somebody else answers, has been told.
func (p *poller) lose(ctx context.Context, err error) {
	var wrong *ask.WrongDeviceError
	if ctx.Err() != nil || errors.As(err, &wrong) {
		return
	}
	if p.d.Status().Online {
		p.d.log.Warn().Err(err).Msg("the device does not answer")
	}
	p.d.lost(ctx, err)
}

// none reports that a point has no value.
func (p *poller) none(ctx context.Context, key, reason string) {
	p.d.out.readings(ctx, []Reading{{Key: key, Value: codec.None(reason), ReadAt: time.Now()}})
}

// recheck asks again for one point that the device refused long ago.
func (p *poller) recheck(ctx context.Context) {
	point, ok := p.d.dueAgain(time.Now())
	if !ok {
		return
	}
	r, err := readPoint(ctx, p.d.poll, p.d.client.Request(protocol.PriorityPoll, ask.ForPoll), point)
	if err != nil {
		p.d.refuse(point.Key, time.Now().Add(againAfter(err)))
		return
	}
	p.d.refuse(point.Key, time.Time{})
	p.d.out.readings(ctx, []Reading{r})
}

// againAfter returns when a refused point is asked for again. Silence costs the line a timeout.
func againAfter(refused error) time.Duration {
	if ask.IsSilence(refused) {
		return askSilentAgain
	}
	return askAgain
}

// watch notes a cycle and says once if the line is too slow for what it is asked, and once if it no longer is.
func (p *poller) watch(begun time.Time, given time.Duration, l *layout, read classes) {
	d, took := p.d, time.Since(begun)-given
	timing := TimingOf(d.cfg.Line)
	if predicted := plan.Cost(l.reads, timing); predicted > 0 {
		p.drag = max(1, (3*p.drag+float64(took)/float64(predicted))/4)
	}
	d.mu.Lock()
	said := d.tally.behind
	d.tally.cycle(read, begun, took, l.reads, timing)
	behind, achieved := d.tally.behind, d.tally.achieved()
	d.mu.Unlock()
	if behind == said {
		return
	}
	event, text := d.log.Info(), "the line keeps up again"
	if behind {
		event, text = d.log.Warn(), "the line cannot keep up, everything is read less often"
	}
	for class, every := range achieved {
		event = event.Dur(class.String(), every)
	}
	event.Msg(text)
}
