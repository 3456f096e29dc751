package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Times and counts of the poll.
const (
	failuresToLose = 3                // reads that fail in a row before the device counts as away, or before a value does
	askAgain       = 10 * time.Minute // before a point that the device refused is asked for again
	askSilentAgain = time.Hour        // the same where the refusal is silence
)

// poller is what Run owns: when which class is read, and what went wrong lately.
type poller struct {
	d       *Device
	every   schedule
	retry   absence      // while the device is away
	asked   []chan error // refreshes that wait for their answer
	layouts map[classes]*layout

	admission, wishes uint64         // what the schedule was made for
	generation        uint64         // what the layouts were made for
	failures          int            // reads of the device in a row
	losses            int            // of the device in a row, though it was identified each time
	misses            map[string]int // reads of a point in a row

	drag    float64             // how many times longer the cycles take than predicted
	silence silence             // reads that get no answer though the device is there
	apart   map[string][]answer // what the last cycle has brought of points that lie apart
	ponder  time.Time           // no lesson is put to the test before
}

// Run identifies the device and polls it until ctx ends; then it returns nil. It may be called once.
func (d *Device) Run(ctx context.Context) error {
	p := &poller{
		d: d, every: newSchedule(d.cfg.Intervals), misses: map[string]int{}, layouts: map[classes]*layout{},
		drag: 1, silence: newSilence(), apart: map[string][]answer{},
	}
	p.retry = absence{least: p.every.fastest(everything), most: cmp.Or(d.cfg.Line.Quiet, profile.DefaultQuiet)}
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() { _ = d.writer.Run(ctx) })
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
		if p.losses > 1 { // it answers only what identifies it: that may not cost the line a timeout after the other
			p.losses = 1
			p.calm()
			p.pause(ctx, time.Now().Add(p.retry.NextBackOff()))
			return false
		}
		begun := time.Now()
		if err := p.d.identify(ctx); err != nil {
			p.away(ctx, err, begun)
			return false
		}
		p.silence.alive(time.Now())
	}
	p.renew()
	return true
}

// away handles a failed identification: it waits shortly while the device may be back at once, longer and longer otherwise. The wait
// counts from the beginning of the try, but a line that is up is free for at least as long as the try has taken it.
func (p *poller) away(ctx context.Context, err error, begun time.Time) {
	now := time.Now()
	next := now.Add(ask.BeforeRetry)
	if !p.d.Status().Online || p.isAway(err) {
		next = begun.Add(p.retry.NextBackOff())
		if free := now.Add(now.Sub(begun)); next.Before(free) && !errors.Is(err, protocol.ErrDown) {
			next = free
		}
		p.lose(ctx, err)
	}
	p.answer(err)
	p.pause(ctx, next)
}

// renew starts anew what depends on the identification or on what is enabled.
func (p *poller) renew() {
	d := p.d
	d.mu.Lock()
	defer d.mu.Unlock()
	if p.admission != d.admissions {
		p.admission, p.failures = d.admissions, 0
		clear(p.misses)
		clear(p.apart)
		p.every.all()
		d.tally.restart()
	}
	if p.generation != d.generation {
		p.generation = d.generation
		clear(p.layouts)
		d.tally.wanted = p.every.wanted(d.enabled())
	}
	if p.wishes != d.wishes {
		p.wishes = d.wishes
		p.every.all()
		p.silence.forget()
	}
}

// turn reads what is due, or waits until something is.
func (p *poller) turn(ctx context.Context) {
	if len(p.asked) > 0 {
		p.answer(p.cycle(ctx, everything, protocol.PriorityRead))
		return
	}
	now := time.Now()
	if s := p.silence.guilty(now); s != nil {
		p.hunt(ctx, s)
	} else if due, next := p.every.due(now, 0, p.cost(ctx)); due != 0 {
		_ = p.cycle(ctx, due, protocol.PriorityPoll) // what failed has been dealt with; only a refresh wants to know
	} else if s, at := p.silence.next(now); s != nil {
		p.askAgain(ctx, s)
	} else if !p.recheckLessons(ctx, now) {
		p.pause(ctx, earlier(next, at))
	}
}

// earlier returns the earlier of two times; zero counts as never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
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

// calm forgets that something has changed, which its identification was.
func (p *poller) calm() {
	select {
	case <-p.d.wake:
	default:
	}
}

// answer tells those who asked for a refresh how it ended; their channels have room.
func (p *poller) answer(err error) {
	for _, done := range p.asked {
		done <- err
	}
	p.asked = nil
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
