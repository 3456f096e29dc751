package protocol

import (
	"context"
	"time"
)

// Run serves the queue until ctx ends. The exchange in flight is finished first, at most for its timeout; what is queued
// then fails with ErrClosed, and the link is closed. It returns nil and may be called once.
func (b *Bus) Run(ctx context.Context) error {
	b.mu.Lock()
	b.stats.Since = time.Now()
	b.mu.Unlock()
	defer b.stop()
	for b.awaitItem(ctx) {
		b.turn(ctx)
		b.give()
	}
	return nil
}

// give gives the line back.
func (b *Bus) give() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = false
}

// turn serves the item whose turn it is; the line is taken.
func (b *Bus) turn(ctx context.Context) {
	if !b.connect(ctx) {
		return
	}
	// The silence behind the last reply is waited out before choosing, so that a write that comes meanwhile goes first.
	begun := time.Now()
	if b.line.link.Ready(ctx) != nil {
		return
	}
	if it := b.choose(begun); it != nil {
		b.serve(ctx, it)
	}
}

func (b *Bus) stop() {
	b.mu.Lock()
	b.closed = true
	for b.taken { // by a caller, who gives it back at the latest after a timeout
		b.mu.Unlock()
		<-b.wake
		b.mu.Lock()
	}
	defer b.mu.Unlock()
	b.line.link.Close()
	for _, it := range b.queue.takeIf(func(*item) bool { return true }) {
		b.drop(it, ErrClosed)
	}
}

// awaitItem waits until an item is due and takes the line for it; false when ctx has ended.
func (b *Bus) awaitItem(ctx context.Context) bool {
	for ctx.Err() == nil {
		b.mu.Lock()
		at, ok := b.queue.wake()
		due := ok && !at.After(time.Now())
		if due && !b.taken {
			b.taken = true
			b.mu.Unlock()
			return true
		}
		b.mu.Unlock()
		b.pause(ctx, at, ok && !due)
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

// choose takes the item whose turn it is and drops those whose time has passed. The line has been waited for since begun.
func (b *Bus) choose(begun time.Time) *item {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.load.add(begun, now)
	b.dropLate(now)
	return b.queue.next(now)
}

// dropLate drops what may no longer be sent. The caller holds mu.
func (b *Bus) dropLate(now time.Time) {
	for _, it := range b.queue.takeIf(func(it *item) bool { return it.isLate(now) != nil }) {
		b.drop(it, it.isLate(now))
	}
}

// serve carries out one item, tells its caller and returns how many exchanges it took.
func (b *Bus) serve(ctx context.Context, it *item) int {
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
	return x.exchanges
}
