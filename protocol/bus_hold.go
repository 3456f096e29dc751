package protocol

import (
	"context"
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
	if !b.link.up {
		return Response{}, (&item{req: req}).because(b.link.down())
	}
	if req.Pace == (Pace{}) {
		req.Pace = x.item.req.Pace
	}
	begun := time.Now()
	resp, err := b.link.Exchange(ctx, req)
	b.countExchange(req, resp, err, begun)
	if x.exchanges++; x.exchanges == 1 && x.item.req.Priority == PriorityWrite {
		b.noteWait(req, resp, x.item.due)
	}
	return resp, err
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

// countExchange counts an exchange that has ended and closes a line that has failed in it.
func (b *Bus) countExchange(req Request, resp Response, err error, begun time.Time) {
	now := time.Now()
	if line := b.log.Debug(); line.Enabled() {
		line.Stringer("request", req).Uint8("function", req.Function()).Uints16("words", req.Words).
			Uints16("reply", resp.Words).Dur("took", now.Sub(begun)).AnErr("error", err).Msg("Exchange")
	}
	if fatal(err) {
		b.link.failed(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.exchanged(req, resp, err, begun, now)
	if fatal(err) {
		b.down = b.link.down()
		b.stats.lineDown()
	}
}

// noteWait counts how long a write that was due has waited for its first byte.
func (b *Bus) noteWait(req Request, resp Response, due time.Time) {
	if resp.Sent.IsZero() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.writeWait(req.Unit, resp.Sent.Sub(due))
}
