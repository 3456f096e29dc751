package protocol

import (
	"context"
	"errors"
	"time"
)

// Run serves the queue until ctx ends. The exchange in flight is finished first, which takes two timeouts at most; what
// is queued then fails with ErrClosed, and the link is closed. It returns nil and may be called once.
func (b *Bus) Run(ctx context.Context) error {
	b.mu.Lock()
	b.stats.Since = time.Now()
	b.mu.Unlock()
	defer b.stop()
	defer context.AfterFunc(ctx, b.wakeRun)()
	for b.awaitDue(ctx) {
		b.serveNext(ctx)
	}
	return nil
}

// serveNext serves the item whose turn it is. It is chosen behind the silence that the line needs, so that a write that
// arrives meanwhile goes first.
func (b *Bus) serveNext(ctx context.Context) {
	begun := time.Now()
	if !b.prepare(ctx) {
		return
	}
	if it := b.choose(begun); it != nil {
		b.serve(ctx, it)
	}
}

// prepare waits out the silence behind the last reply and then makes sure that the link is open: a peer that has hung
// up during the silence costs a new connection and no request. A new connection may want a silence of its own.
func (b *Bus) prepare(ctx context.Context) bool {
	if b.link.up && b.link.Ready(ctx) != nil {
		return false
	}
	before := b.link.connection
	if !b.connect(ctx) {
		return false
	}
	return b.link.connection == before || b.link.Ready(ctx) == nil
}

func (b *Bus) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.link.Close()
	for _, it := range b.queue.takeIf(func(*item) bool { return true }) {
		b.drop(it, ErrClosed)
	}
}

// awaitDue waits until an item is due; false when ctx has ended.
func (b *Bus) awaitDue(ctx context.Context) bool {
	for ctx.Err() == nil {
		b.mu.Lock()
		at, waits := b.queue.wake()
		b.mu.Unlock()
		if waits && !at.After(time.Now()) {
			return true
		}
		if waits {
			b.pauseUntil(at)
		} else {
			<-b.wake
		}
	}
	return false
}

// pauseUntil waits for a new item, for t, or for the end of Run.
func (b *Bus) pauseUntil(t time.Time) {
	defer time.AfterFunc(time.Until(t), b.wakeRun).Stop()
	<-b.wake
}

// connect makes sure that the link is open. While it may not be tried yet, polls fail at once, and so does every item
// that cannot wait until it may; connect then waits for a change and returns false.
func (b *Bus) connect(ctx context.Context) bool {
	if b.link.up || b.mayTry(ctx) {
		before := b.link.connection
		err := b.link.open(ctx)
		if err != nil || b.link.connection != before {
			b.noteLine(err)
		}
		return err == nil
	}
	return false
}

// mayTry decides whether the closed line is tried now.
func (b *Bus) mayTry(ctx context.Context) bool {
	now := time.Now()
	b.mu.Lock()
	urgent := firstDue(b.queue.waiting[PriorityWrite], now) != nil ||
		firstDue(b.queue.waiting[PriorityRead], now) != nil
	next := b.link.next(urgent)
	if !next.After(now) {
		b.mu.Unlock()
		return true
	}
	for _, it := range b.queue.takeIf(func(it *item) bool { return it.cannotWait(now, next, b.link) }) {
		b.drop(it, b.link.down())
	}
	wake, waits := b.queue.wake()
	b.mu.Unlock()
	if waits {
		b.pauseUntil(later(wake, next, now))
	}
	return false
}

// cannotWait reports whether the item is to fail now because the line is not tried before next. Once the line has been
// down for longer than Patience, an item waits only for one try.
func (it *item) cannotWait(now, next time.Time, line reopener) bool {
	if it.due.After(now) {
		return false
	}
	return it.req.Priority == PriorityPoll || !it.last.IsZero() && it.last.Before(next) ||
		now.Sub(line.since) >= line.opts.Patience && !line.tried.Before(it.due)
}

// later returns when there is something to decide: when the next item becomes due, or, if one is due already, at next.
func later(wake, next, now time.Time) time.Time {
	if wake.After(now) && wake.Before(next) {
		return wake
	}
	return next
}

// noteLine counts an opening of the line, or a failure to open it.
func (b *Bus) noteLine(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.down = b.link.down()
		b.stats.failed(err)
		b.stats.lineDown()
		return
	}
	b.down = nil
	b.stats.opened(b.link.connection)
}

// choose takes the item whose turn it is and drops those whose time has passed. The line has been waited for since
// begun.
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

// serve carries out one item, tells its caller and returns how many exchanges it took. A request that found the line
// broken before its first byte was out goes back into the queue, once: the line is opened anew for it.
func (b *Bus) serve(ctx context.Context, it *item) int {
	exchanges := 1
	if it.hold == nil {
		it.resp, it.err = b.exchange(it.ctx, it.req, it, true)
	} else {
		x := &holder{bus: b, item: it, connection: b.link.connection}
		it.err = x.run(ctx)
		exchanges = x.exchanges
	}
	now := time.Now()
	b.mu.Lock()
	again := it.hold == nil && !it.requeued && errors.Is(it.err, ErrDown) && it.resp.Sent.IsZero()
	if again {
		it.requeued = true
		b.queue.push(it)
	} else {
		b.queue.served(it.req.Priority, exchanges, now)
	}
	b.mu.Unlock()
	if !again {
		close(it.done)
	}
	return exchanges
}
