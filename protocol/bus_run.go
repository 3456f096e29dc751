package protocol

import (
	"context"
	"fmt"
	"time"
)

// Run serves the queue until ctx ends. The exchange in flight is finished first, at most for its timeout; what is queued
// then fails with ErrClosed, and the link is closed. It returns nil and may be called once.
func (b *Bus) Run(ctx context.Context) error {
	defer b.stop()
	for b.awaitItem(ctx) {
		if !b.connect(ctx) {
			continue
		}
		// The silence behind the last reply is waited out before choosing, so that a write that comes meanwhile goes first.
		if b.line.link.Ready(ctx) != nil {
			continue
		}
		if it := b.choose(); it != nil {
			b.serve(ctx, it)
		}
	}
	return nil
}

func (b *Bus) stop() {
	b.line.link.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, it := range b.queue.takeIf(func(*item) bool { return true }) {
		b.drop(it, ErrClosed)
	}
}

// awaitItem waits until an item is due; false when ctx has ended.
func (b *Bus) awaitItem(ctx context.Context) bool {
	for ctx.Err() == nil {
		b.mu.Lock()
		at, ok := b.queue.wake()
		b.mu.Unlock()
		if ok && !at.After(time.Now()) {
			return true
		}
		b.pause(ctx, at, ok)
	}
	return false
}

// pause waits for a new item, for at if it counts, or for ctx.
func (b *Bus) pause(ctx context.Context, at time.Time, counts bool) {
	var timeout <-chan time.Time
	if counts {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-b.wake:
	case <-timeout:
	case <-ctx.Done():
	}
}

// connect makes sure that the link is open. While it may not be tried yet, polls fail at once, and so does every item
// that cannot wait until it may; connect then waits for a change and returns false.
func (b *Bus) connect(ctx context.Context) bool {
	if b.line.up || b.mayTry(ctx) {
		reopened := b.line.connection
		err := b.line.open(ctx)
		b.noteLine(err, b.line.connection != reopened)
		return err == nil
	}
	return false
}

// mayTry decides whether the closed line is tried now.
func (b *Bus) mayTry(ctx context.Context) bool {
	now := time.Now()
	b.mu.Lock()
	urgent := firstDue(b.queue.waiting[PriorityWrite], now) != nil || firstDue(b.queue.waiting[PriorityRead], now) != nil
	next := b.line.next(urgent)
	if !next.After(now) {
		b.mu.Unlock()
		return true
	}
	for _, it := range b.queue.takeIf(func(it *item) bool { return it.cannotWait(now, next) }) {
		b.drop(it, b.line.down())
	}
	wake, waits := b.queue.wake()
	b.mu.Unlock()
	if waits {
		b.pause(ctx, later(wake, next, now), true)
	}
	return false
}

// cannotWait reports whether the item is to fail now because the line is not tried before next.
func (it *item) cannotWait(now, next time.Time) bool {
	if it.due.After(now) {
		return false
	}
	return it.req.Priority == PriorityPoll || !it.last.IsZero() && it.last.Before(next)
}

// later returns when there is something to decide: when the next item becomes due, or, if one is due already, at next.
func later(wake, next, now time.Time) time.Time {
	if wake.After(now) && wake.Before(next) {
		return wake
	}
	return next
}

func (b *Bus) noteLine(err error, reopened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.down = b.line.down()
		b.stats.failed(err)
		b.stats.lineDown()
		return
	}
	b.down = nil
	if reopened {
		b.stats.opened(b.line.connection)
	}
}

// choose takes the item whose turn it is and drops those whose time has passed.
func (b *Bus) choose() *item {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, it := range b.queue.takeIf(func(it *item) bool { return it.isLate(now) != nil }) {
		b.drop(it, it.isLate(now))
	}
	return b.queue.next(now)
}

// serve carries out one item and tells its caller.
func (b *Bus) serve(ctx context.Context, it *item) {
	x := &holder{bus: b, item: it, connection: b.line.connection}
	if it.hold == nil {
		it.resp, it.err = x.Exchange(it.ctx, it.req)
	} else {
		it.err = x.run(ctx)
	}
	now := time.Now()
	b.mu.Lock()
	b.queue.served(it.req.Priority, x.exchanges, now)
	b.mu.Unlock()
	close(it.done)
}

// holder is the Exchanger of the item that is being served.
type holder struct {
	bus        *Bus
	item       *item
	connection uint64
	exchanges  int
	over       bool
}

func (x *holder) run(ctx context.Context) error {
	held, cancel := context.WithCancel(x.item.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	defer func() { x.over = true }()
	return x.item.hold(held, x)
}

func (x *holder) Connection() uint64 { return x.connection }

func (x *holder) Exchange(ctx context.Context, req Request) (Response, error) {
	b := x.bus
	if x.over {
		return Response{}, fmt.Errorf("%v: the hold is over: %w", req, ErrClosed)
	}
	if !b.line.up {
		return Response{}, (&item{req: req}).because(b.line.down())
	}
	if req.Pace == (Pace{}) {
		req.Pace = x.item.req.Pace
	}
	begun := time.Now()
	resp, err := b.line.link.Exchange(ctx, req)
	x.exchanges++
	if fatal(err) {
		b.line.failed(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.exchanged(resp, err, time.Since(begun))
	if x.exchanges == 1 && x.item.req.Priority == PriorityWrite && !resp.Sent.IsZero() {
		b.stats.writeWait(resp.Sent.Sub(x.item.due))
	}
	if fatal(err) {
		b.down = b.line.down()
		b.stats.lineDown()
	}
	return resp, err
}
