package protocol

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// holder is the Exchanger of the item that is being served.
type holder struct {
	bus        *Bus
	item       *item
	connection uint64
	exchanges  int
	giveWay    func(ctx context.Context) // lets writes go first
	over       bool
}

func (x *holder) run(ctx context.Context) error {
	held, cancel := context.WithCancel(x.item.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	defer func() { x.over = true }()
	x.giveWay = func(until context.Context) { x.bus.serveWrites(until, ctx) }
	return x.item.hold(held, x)
}

func (x *holder) Connection() uint64 { return x.connection }

func (x *holder) Exchange(ctx context.Context, req Request) (Response, error) {
	b := x.bus
	if x.over {
		return Response{}, fmt.Errorf("%v: the hold is over: %w", req, ErrClosed)
	}
	if x.giveWay != nil && x.exchanges > 0 && x.item.req.Priority > PriorityWrite && req.Priority > PriorityWrite {
		x.giveWay(ctx)
	}
	if req.Pace == (Pace{}) {
		req.Pace = x.item.req.Pace
	}
	x.exchanges++
	return b.exchange(ctx, req, x.item, x.exchanges == 1)
}

// serveWrites lets the writes that are due go first, as between any two requests, but at most inRow exchanges of them.
// Waiting for the line ends with until, the context of the caller who gives way; a write is served under ctx, that of
// the bus.
func (b *Bus) serveWrites(until, ctx context.Context) {
	for exchanges := 0; exchanges < inRow && b.link.up; {
		if b.link.Ready(until) != nil {
			return
		}
		now := time.Now()
		b.mu.Lock()
		b.dropLate(now)
		it := firstDue(b.queue.waiting[PriorityWrite], now)
		if it != nil {
			b.queue.remove(it)
		}
		b.mu.Unlock()
		if it == nil {
			return
		}
		exchanges += max(1, b.serve(ctx, it))
	}
}

// exchange carries out a request of an item, counts it and closes a line that has failed in it.
func (b *Bus) exchange(ctx context.Context, req Request, of *item, first bool) (Response, error) {
	if !b.link.up {
		return Response{}, (&item{req: req}).because(b.link.down())
	}
	begun := time.Now()
	resp, err := b.link.Exchange(ctx, req)
	now := time.Now()
	if line := b.log.Debug(); line.Enabled() {
		line.Stringer("request", req).Uint8("function", req.Function()).Uints16("words", req.Words).
			Uints16("reply", resp.Words).Dur("took", now.Sub(begun)).AnErr("error", err).Msg("Exchange")
	}
	_, refused := errors.AsType[ExceptionError](err)
	b.link.answered = b.link.answered || err == nil || refused
	failed := fatal(err)
	if failed {
		b.link.failed(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.exchanged(req, resp, err, begun, now)
	if failed {
		b.down = b.link.down()
		b.stats.lineDown()
	}
	if first && of.req.Priority == PriorityWrite && !resp.Sent.IsZero() {
		b.stats.writeWait(req.Unit, resp.Sent.Sub(of.due))
	}
	return resp, err
}
