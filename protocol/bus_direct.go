package protocol

import (
	"context"
	"errors"
	"time"
)

// atOnce is a context for Link.Ready by which a link that is not ready says so without waiting.
var atOnce = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// direct carries the request out on its caller's goroutine if the line is up, silent for long enough and wanted by nobody else;
// done is false if it is not, and nothing has happened.
func (b *Bus) direct(ctx context.Context, req Request) (resp Response, err error, done bool) {
	due := time.Now()
	if !b.takeIdle(due, req.NotBefore) {
		return Response{}, nil, false
	}
	defer b.hand()
	if b.line.link.Ready(atOnce) != nil {
		return Response{}, nil, false
	}
	resp, err = b.line.link.Exchange(ctx, req)
	if errors.Is(err, ErrDown) && resp.Sent.IsZero() {
		return Response{}, nil, false // the peer hung up meanwhile: Run opens the line again
	}
	b.account(req, resp, err, due)
	if req.Priority == PriorityWrite {
		b.noteWait(req, resp, due)
	}
	return resp, err, true
}

// takeIdle takes the line if it is up and nothing is due, neither the request nor what is queued.
func (b *Bus) takeIdle(now, notBefore time.Time) bool {
	if notBefore.After(now) {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken || b.closed || b.stats.Since.IsZero() {
		return false
	}
	if at, waits := b.queue.wake(); waits && !at.After(now) {
		return false
	}
	b.taken = b.line.up
	return b.taken
}

// hand gives the line back to Run if there is something to do for it.
func (b *Bus) hand() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.taken = false
	if b.closed || b.queue.len() > 0 {
		b.nudge()
	}
}
