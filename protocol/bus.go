package protocol

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// BusOptions are the times of a Bus. The zero value is what a solar installation needs.
type BusOptions struct {
	// RetryMin is the first pause before a line that failed is opened again, and the shortest for a request that cannot
	// wait. Defaults to 1 s.
	RetryMin time.Duration
	// RetryMax is the longest such pause. Defaults to 60 s: at night an inverter's gateway is off for hours.
	RetryMax time.Duration
	// StayUp is how long a line must stay open before the pauses begin at RetryMin again. Defaults to 30 s.
	StayUp time.Duration
	// Patience is how long a write or read waits for a line that is down, counted from when it went down: long enough
	// for an adapter that is plugged in again, short enough for a person who waits. Defaults to 5 s.
	Patience time.Duration
	// Log gets a line for each exchange at level debug. Defaults to none.
	Log zerolog.Logger
}

func (o BusOptions) withDefaults() BusOptions {
	o.RetryMin = cmp.Or(o.RetryMin, time.Second)
	o.RetryMax = cmp.Or(o.RetryMax, time.Minute)
	o.StayUp = cmp.Or(o.StayUp, 30*time.Second)
	o.Patience = cmp.Or(o.Patience, 5*time.Second)
	return o
}

// Link carries one exchange at a time to the units of one line or connection. A Link belongs to one goroutine, usually
// that of a Bus.
type Link interface {
	// Open opens the link if it is closed or if its peer has hung up since, and returns how often it has been opened so
	// far. Its failure is a LinkError.
	Open(ctx context.Context) (connection uint64, err error)

	// Ready waits until the line may carry the next request: the silence behind the last reply is over. Whoever chooses
	// between requests calls it before choosing. Its only failure is that of ctx, and none if it need not wait.
	Ready(ctx context.Context) error

	// Exchange sends the request on the open link and returns the reply that answers it. Before the first byte it gives
	// up with the error of ctx, with ErrExpired behind req.Deadline, or with ErrDown when the link is closed; nothing
	// was sent then. Once the first byte is out ctx no longer counts: the exchange ends with a reply, an ExceptionError
	// (the line is healthy), or a LinkError. A LinkError without ErrTimeout and ErrMisfit leaves the link closed. A
	// LinkError of a write that went out wraps ErrOutcomeUnknown. Response.Sent is set with an error, too, if anything
	// was sent.
	Exchange(ctx context.Context, req Request) (Response, error)

	// Close closes the link; Open opens it again.
	Close() error
}

// Bus owns a Link: everyone who wants something of its units asks the Bus, which serves one after another. Writes go
// before reads and reads before polls; see queue for how nothing starves and WriteBound for how long a write waits at
// most.
//
// Run serves the queue. It is the only goroutine that touches the link.
type Bus struct {
	link reopener // of Run
	log  zerolog.Logger
	wake chan struct{} // has Run look again: the queue has grown, a time has come, or Run is to end

	mu     sync.Mutex // guards what follows, for microseconds; never held while waiting
	queue  queue
	down   error // why the line is down; nil while it is up
	closed bool
	stats  recorder
}

// NewBus returns a bus that owns link from now on. It does nothing before Run.
func NewBus(link Link, opts BusOptions) *Bus {
	return &Bus{
		link: newReopener(link, opts.withDefaults()), log: opts.Log, stats: newRecorder(link),
		wake: make(chan struct{}, 1),
	}
}

// Exchanger is a line that is held for a while.
type Exchanger interface {
	// Exchange sends one request and returns its reply; the request's NotBefore does not count. A Pace of zero is that
	// of the hold. After an error of the line every further exchange of the hold fails with ErrDown: all exchanges of a
	// hold run on one connection.
	Exchange(ctx context.Context, req Request) (Response, error)

	// Connection counts the openings of the link so far: a change means that something else may answer now.
	Connection() uint64
}

// Do queues the request, waits for its turn and returns the reply. Errors: ExceptionError when the device refuses,
// LinkError when the line fails or does not answer, ErrExpired or the error of ctx when the request was dropped from
// the queue, ErrDown when the line cannot be opened, ErrClosed when the bus has stopped. A request that has begun is
// not given up: Do then waits for its outcome, at most for two timeouts, even if ctx ends.
func (b *Bus) Do(ctx context.Context, req Request) (Response, error) {
	if err := req.Check(); err != nil {
		return Response{}, err
	}
	it := newItem(ctx, req, nil)
	b.wait(it)
	return it.resp, it.err
}

// Hold queues for the line like Do, with the Priority, NotBefore, Deadline, Unit and Pace of req, and then runs f with
// the line held: nothing else is exchanged before f returns, except that a hold with less than PriorityWrite lets due
// writes go first between two of its exchanges, unless the second has PriorityWrite. The link is open when f begins.
// The context of f ends with ctx and with the bus. The error is that of f, or why f was not run, as with Do. f may not
// use the bus itself.
func (b *Bus) Hold(ctx context.Context, req Request, f func(ctx context.Context, x Exchanger) error) error {
	if req.Priority > PriorityPoll {
		return fmt.Errorf("use the line for unit %d: priority %d is not in 0..%d", req.Unit, req.Priority, PriorityPoll)
	}
	it := newItem(ctx, req, f)
	b.wait(it)
	return it.err
}

// wait queues the item and waits until it is done or dropped.
func (b *Bus) wait(it *item) {
	if !b.push(it) {
		return
	}
	var expired <-chan time.Time
	if d := it.req.Deadline; !d.IsZero() {
		timer := time.NewTimer(time.Until(d))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-it.done:
	case <-it.ctx.Done():
		b.withdraw(it, it.ctx.Err())
	case <-expired:
		b.withdraw(it, ErrExpired)
	}
}

func (b *Bus) push(it *item) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		it.finish(Response{}, it.because(ErrClosed))
		return false
	}
	b.queue.push(it)
	b.wakeRun()
	return true
}

// wakeRun has Run look at the queue again.
func (b *Bus) wakeRun() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// withdraw takes the item out of the queue; if its turn has come already, it waits for its end.
func (b *Bus) withdraw(it *item, reason error) {
	b.mu.Lock()
	queued := b.queue.remove(it)
	if queued {
		b.drop(it, reason)
	}
	b.mu.Unlock()
	if !queued {
		<-it.done
	}
}

// drop ends an item that is no longer queued and was not sent. The caller holds mu.
func (b *Bus) drop(it *item, reason error) {
	b.stats.dropped(reason)
	if b.down != nil && !errors.Is(reason, ErrDown) && !errors.Is(reason, ErrClosed) {
		reason = fmt.Errorf("%w (%w)", reason, b.down)
	}
	it.finish(Response{}, it.because(reason))
}

// because names the item in an error.
func (it *item) because(reason error) error {
	if it.hold != nil {
		return fmt.Errorf("unit id %d: %w", it.req.Unit, reason)
	}
	return fmt.Errorf("%v: %w", it.req, reason)
}

// isLate reports whether the item may no longer be sent, and why.
func (it *item) isLate(now time.Time) error {
	if err := it.ctx.Err(); err != nil {
		return err
	}
	if d := it.req.Deadline; !d.IsZero() && now.After(d) {
		return ErrExpired
	}
	return nil
}
