package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/plan"
)

// Times and counts of the poll.
const (
	patienceWithPoll = 5 * time.Second        // how long a planned read may wait for its turn, at least
	failuresToLose   = 3                      // reads that fail in a row before the device counts as away, or before a value does
	pauseOnFailure   = 200 * time.Millisecond // before the next try while the device does not yet count as away
	askAgain         = 10 * time.Minute       // before a point that the device refused is asked for again
)

// poller is what Run owns: when which class is read, and what went wrong lately.
type poller struct {
	d       *Device
	every   schedule
	retry   backoff.ExponentialBackOff // while the device is away
	asked   []chan error               // refreshes that wait for their answer
	layouts map[classes]*layout

	admission, wishes uint64         // what the schedule was made for
	generation        uint64         // what the layouts were made for
	failures          int            // reads of the device in a row
	misses            map[string]int // reads of a point in a row
}

// Run identifies the device and polls it until ctx ends; then it returns nil. It may be called once.
func (d *Device) Run(ctx context.Context) error {
	p := &poller{
		d: d, every: newSchedule(d.cfg.Intervals), misses: map[string]int{}, layouts: map[classes]*layout{},
		retry: backoff.ExponentialBackOff{InitialInterval: time.Second, MaxInterval: time.Minute, Multiplier: 2, RandomizationFactor: 0.2},
	}
	p.retry.Reset()
	defer p.answer(errors.New("the device is no longer polled"))
	for ctx.Err() == nil {
		if p.connected(ctx) {
			p.turn(ctx)
		}
	}
	return nil
}

// connected makes sure that the device is identified; if that fails it waits before the next try.
func (p *poller) connected(ctx context.Context) bool {
	if !p.d.isIdentified() {
		if err := p.d.identify(ctx); err != nil {
			p.away(ctx, err)
			return false
		}
	}
	p.renew()
	return true
}

// away handles a failed identification: it waits shortly while the device may be back at once, longer and longer otherwise.
func (p *poller) away(ctx context.Context, err error) {
	pause := pauseOnFailure
	if !p.d.Status().Online || p.isAway(err) {
		pause = p.retry.NextBackOff()
		p.lose(ctx, err)
	}
	p.answer(err)
	p.pause(ctx, time.Now().Add(pause))
}

// renew starts anew what depends on the identification or on what is enabled.
func (p *poller) renew() {
	d := p.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.admission != d.admissions {
		p.admission, p.failures = d.admissions, 0
		clear(p.misses)
		p.retry.Reset()
		p.every.all(time.Now())
		d.tally.restart()
	}
	if p.generation != d.generation {
		p.generation = d.generation
		clear(p.layouts)
		d.tally.wanted = p.every.wanted(d.enabled())
	}
	if p.wishes != d.wishes {
		p.wishes = d.wishes
		p.every.all(time.Now())
	}
}

// turn reads what is due, or waits until something is.
func (p *poller) turn(ctx context.Context) {
	if len(p.asked) > 0 {
		p.answer(p.cycle(ctx, everything, protocol.PriorityRead))
		return
	}
	due, next := p.every.due(time.Now())
	if due == 0 {
		p.pause(ctx, next)
		return
	}
	_ = p.cycle(ctx, due, protocol.PriorityPoll) // what failed has been dealt with; only a refresh wants to know
}

// pause waits until a time, a change, or a refresh that somebody asks for.
func (p *poller) pause(ctx context.Context, until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.d.wake:
	case done := <-p.d.refreshes:
		p.asked = append(p.asked, done)
	case <-ctx.Done():
	}
}

// answer tells those who asked for a refresh how it ended; their channels have room.
func (p *poller) answer(err error) {
	for _, done := range p.asked {
		done <- err
	}
	p.asked = nil
}

// cycle reads all enabled points of the classes once. It ends early when the device is gone or may be another.
func (p *poller) cycle(ctx context.Context, due classes, priority protocol.Priority) error {
	begun := time.Now()
	l := p.layout(ctx, due)
	f := newFetch(p.d.poll, p.d.request(priority, 0), max(patienceWithPoll, p.every.fastest(due)), l)
	var first error
	for _, read := range l.reads {
		f.ask = p.ask(l, read)
		err := f.read(ctx, read)
		p.deliver(ctx, f, read)
		if err == nil {
			p.failures = 0
			continue
		}
		first = cmp.Or(first, err)
		if p.failed(ctx, f, read, err) {
			return first
		}
	}
	p.recheck(ctx)
	p.every.done(due, begun, first != nil)
	p.watch(begun, l, due)
	p.takeRefreshes()
	if p.d.learn(f.learnt) {
		p.d.log.Info().Stringers("holes", stringers(f.learnt.holes)).Uint16("most", f.learnt.most).
			Msg("the device does not allow reads as planned, planning anew")
	}
	return first
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
	var points []profile.Point
	for _, point := range p.d.enabled() {
		if due.has(point.Interval) {
			points = append(points, point)
		}
	}
	l, unreadable := p.d.layout(points)
	p.d.mu.Unlock()
	p.layouts[due] = l
	for key, err := range unreadable {
		p.none(ctx, key, fmt.Sprintf("it cannot be read: %v", err))
	}
	return l
}

// deliver reports the points that the read has completed.
func (p *poller) deliver(ctx context.Context, f *fetch, read plan.Read) {
	var readings []Reading
	for _, point := range f.layout.touched(read) {
		r, refused, complete := f.reading(point)
		if !complete {
			continue
		}
		delete(p.misses, r.Key)
		readings = append(readings, r)
		if refused != nil {
			p.d.refuse(r.Key, time.Now().Add(askAgain))
			p.d.log.Warn().Str("point", r.Key).Err(refused).Msg("the device does not give this value")
		}
	}
	p.d.out.readings(ctx, p.d, readings)
}

// failed counts a failed read and reports whether the cycle ends with it.
func (p *poller) failed(ctx context.Context, f *fetch, read plan.Read, err error) bool {
	switch {
	case ctx.Err() != nil:
		return true
	case errors.Is(err, errReconnected):
		p.d.doubt()
		return true
	case errors.Is(err, protocol.ErrExpired) && !errors.Is(err, protocol.ErrDown):
		p.d.mu.Lock()
		p.d.dropped++
		p.d.mu.Unlock()
		return false
	}
	if _, refused := errors.AsType[protocol.ExceptionError](err); refused && !notReached(err) {
		p.failures = 0 // it is there: it said no
	} else if p.isAway(err) {
		p.lose(ctx, err)
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
	var wrong *identityError
	return p.failures >= failuresToLose || errors.Is(err, protocol.ErrDown) || errors.Is(err, protocol.ErrClosed) || errors.As(err, &wrong)
}

// lose tells that the device is away; what it is not, if somebody else answers, has been told.
func (p *poller) lose(ctx context.Context, err error) {
	var wrong *identityError
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
	p.d.out.readings(ctx, p.d, []Reading{{Key: key, Value: codec.None(reason), ReadAt: time.Now()}})
}

// recheck asks again, one by one, for points that the device refused long ago.
func (p *poller) recheck(ctx context.Context) {
	for _, key := range p.d.Refused() {
		p.d.mu.Lock()
		due := !p.d.refused[key].After(time.Now())
		p.d.mu.Unlock()
		point, ok := p.d.point(key)
		if !due || !ok {
			continue
		}
		r, err := readPoint(ctx, p.d.poll, p.d.request(protocol.PriorityPoll, patienceWithPoll), point)
		if err != nil {
			p.d.refuse(key, time.Now().Add(askAgain))
			continue
		}
		p.d.refuse(key, time.Time{})
		p.d.out.readings(ctx, p.d, []Reading{r})
	}
}

// watch says once if the line is too slow for what it is asked.
func (p *poller) watch(begun time.Time, l *layout, due classes) {
	took := time.Since(begun)
	p.d.mu.Lock()
	p.d.tally.cycle(due, begun, took, l.reads, TimingOf(p.d.cfg.Line))
	interval := p.every.fastest(due)
	said := p.d.tally.behind
	p.d.tally.behind = said || took > interval
	p.d.mu.Unlock()
	if !said && took > interval {
		p.d.log.Warn().Dur("took", took).Dur("interval", interval).
			Msg("the line cannot keep up, polling without a pause")
	}
}

// isIdentified reports whether the device has been identified and not been lost since.
func (d *Device) isIdentified() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.admitted
}

func stringers(ranges []protocol.Range) []fmt.Stringer {
	texts := make([]fmt.Stringer, len(ranges))
	for i, r := range ranges {
		texts[i] = r
	}
	return texts
}
