package protocol

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// fakeLink takes 100 ms for an exchange and needs 20 ms of silence behind it.
type fakeLink struct {
	busy       atomic.Bool
	mu         sync.Mutex
	log        []string // what was exchanged, by address and operation
	openErr    error
	answer     func(n int, req Request) error
	opened     []time.Time // when Open was asked to open the closed link
	isOpen     bool
	connection uint64
	free       time.Time
}

func (l *fakeLink) Open(context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isOpen {
		return l.connection, nil
	}
	l.opened = append(l.opened, time.Now())
	if l.openErr != nil {
		return l.connection, &LinkError{Op: "open", Link: "fake", Err: l.openErr}
	}
	l.isOpen = true
	l.connection++
	return l.connection, nil
}

func (l *fakeLink) Ready(ctx context.Context) error {
	left := time.Until(l.free)
	if left <= 0 {
		return nil
	}
	select {
	case <-time.After(left):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *fakeLink) Exchange(ctx context.Context, req Request) (Response, error) {
	if err := ctx.Err(); err != nil {
		return Response{}, err
	}
	if !l.busy.CompareAndSwap(false, true) {
		return Response{}, errors.New("the link is used by two")
	}
	defer l.busy.Store(false)
	l.mu.Lock()
	n := len(l.log)
	l.log = append(l.log, fmt.Sprintf("%c%d", "rwW"[req.Op], req.Range.Addr))
	l.mu.Unlock()
	resp := Response{Words: []uint16{req.Range.Addr}, Sent: time.Now(), Connection: l.connection}
	time.Sleep(100 * time.Millisecond)
	resp.Done = time.Now()
	l.free = resp.Done.Add(20 * time.Millisecond)
	if l.answer != nil {
		if err := l.answer(n, req); err != nil {
			return Response{Sent: resp.Sent}, err
		}
	}
	return resp, nil
}

func (l *fakeLink) Close() error {
	l.isOpen = false
	return nil
}

func (l *fakeLink) set(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.openErr = err
}

// onBus runs f in a bubble beside a running bus.
func onBus(t *testing.T, l *fakeLink, f func(t *testing.T, b *Bus)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := NewBus(l, BusOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := b.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		defer running.Wait()
		defer cancel()
		f(t, b)
	})
}

func at(p Priority, addr uint16) Request {
	if p == PriorityWrite {
		req := writeOf(addr, 1)
		req.Priority = p
		return req
	}
	req := readOf(addr, 1)
	req.Priority = p
	return req
}

// callers sends requests side by side and waits for all.
type callers struct {
	sync.WaitGroup
	mu   sync.Mutex
	errs map[uint16]error
}

func (c *callers) do(ctx context.Context, b *Bus, req Request) {
	c.Go(func() {
		_, err := b.Do(ctx, req)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.errs == nil {
			c.errs = make(map[uint16]error)
		}
		c.errs[req.Range.Addr] = err
	})
	synctest.Wait() // so that they are queued in this order
}

// queuedAt is a request that comes at a time.
type queuedAt struct {
	at, notBefore time.Duration
	priority      Priority
}

// Writes go before reads and reads before polls, each in the order in which it is due. What comes while an exchange or
// the silence behind it is going on has its chance, and what had to wait for its time does not overtake what came
// before that time.
func TestBusOrder(t *testing.T) {
	const write, read, poll = PriorityWrite, PriorityRead, PriorityPoll
	for _, tt := range []struct {
		name  string
		queue []queuedAt
		want  string
		wait  time.Duration // the longest of a write
	}{
		{"priorities", []queuedAt{{0, 0, poll}, {0, 0, poll}, {0, 0, read}, {0, 0, write}, {0, 0, read}, {0, 0, write}},
			"r0 w3 w5 r2 r4 r1", 240 * ms},
		{"during the silence", []queuedAt{{0, 0, poll}, {0, 0, poll}, {110 * ms, 0, poll}, {110 * ms, 0, write}},
			"r0 w3 r1 r2", 10 * ms},
		{"not before", []queuedAt{{0, 250 * ms, write}, {0, 0, poll}, {0, 0, poll}, {0, 0, poll}, {0, 0, poll}},
			"r1 r2 r3 w0 r4", 110 * ms},
		{"as they are due", []queuedAt{{0, 0, poll}, {10 * ms, 80 * ms, write}, {80 * ms, 0, write}}, "r0 w2 w1",
			150 * ms},
		{"alone", []queuedAt{{0, time.Minute, write}}, "w0", 0},
	} {
		l := &fakeLink{}
		onBus(t, l, func(t *testing.T, b *Bus) {
			var c callers
			begun := time.Now()
			for i, q := range tt.queue {
				time.Sleep(time.Until(begun.Add(q.at)))
				req := at(q.priority, uint16(i))
				if q.notBefore > 0 {
					req.NotBefore = time.Now().Add(q.notBefore)
				}
				c.do(t.Context(), b, req)
			}
			c.Wait()
			if got := strings.Join(l.log, " "); got != tt.want {
				t.Errorf("%s: order %s, want %s", tt.name, got, tt.want)
			}
			if wait := b.Stats().WriteWait.Max; wait != tt.wait {
				t.Errorf("%s: a write waited %v, want %v", tt.name, wait, tt.wait)
			}
		})
	}
}

func TestBusNothingStarves(t *testing.T) {
	l := &fakeLink{}
	onBus(t, l, func(t *testing.T, b *Bus) {
		var c callers
		for i := range uint16(20) {
			c.do(t.Context(), b, at(PriorityWrite, 100+i))
		}
		c.do(t.Context(), b, at(PriorityRead, 1))
		c.do(t.Context(), b, at(PriorityPoll, 2))
		c.Wait()
		first, second := slices.Index(l.log, "r1"), slices.Index(l.log, "r2")
		if first > 9 || second < first {
			t.Errorf("the read was number %d, the poll %d of %v", first, second, l.log)
		}
		if second == len(l.log)-1 && first == second-1 {
			t.Errorf("the row of writes was not broken: %v", l.log)
		}
	})
}

func TestBusDropsWhatIsLate(t *testing.T) {
	l := &fakeLink{}
	onBus(t, l, func(t *testing.T, b *Bus) {
		var c callers
		c.do(t.Context(), b, at(PriorityPoll, 0))
		old := at(PriorityPoll, 1)
		old.Deadline = time.Now().Add(50 * time.Millisecond)
		c.do(t.Context(), b, old)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		c.do(ctx, b, at(PriorityPoll, 2))
		begun := time.Now()
		time.Sleep(60 * time.Millisecond)
		synctest.Wait()
		c.mu.Lock()
		if !errors.Is(c.errs[1], ErrExpired) || !errors.Is(c.errs[2], context.DeadlineExceeded) {
			t.Errorf("after %v: %v, %v", time.Since(begun), c.errs[1], c.errs[2])
		}
		c.mu.Unlock()
		c.Wait()
		if len(l.log) != 1 {
			t.Errorf("sent %v", l.log)
		}
		if s := b.Stats(); s.Expired != 1 || s.Cancelled != 1 || s.Requests != 1 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
		if want := "read holding 1+1 unit 1: deadline passed before it could be sent"; c.errs[1].Error() != want {
			t.Errorf("%q, want %q", c.errs[1], want)
		}
	})
}

func TestBusHold(t *testing.T) {
	l := &fakeLink{}
	onBus(t, l, func(t *testing.T, b *Bus) {
		var c callers
		c.do(t.Context(), b, at(PriorityPoll, 0))
		var kept Exchanger
		c.Go(func() {
			err := b.Hold(t.Context(), Request{Unit: 1, Priority: PriorityWrite},
				func(ctx context.Context, x Exchanger) error {
					kept = x
					if x.Connection() != 1 {
						t.Errorf("connection %d", x.Connection())
					}
					resp, err := x.Exchange(ctx, at(PriorityRead, 5))
					if err != nil {
						return err
					}
					_, err = x.Exchange(ctx, at(PriorityWrite, resp.Words[0]+1))
					return err
				})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		c.do(t.Context(), b, at(PriorityWrite, 8))
		c.Wait()
		if want := []string{"r0", "r5", "w6", "w8"}; !slices.Equal(l.log, want) {
			t.Errorf("order %v, want %v", l.log, want)
		}
		if _, err := kept.Exchange(t.Context(), at(PriorityRead, 0)); !errors.Is(err, ErrClosed) {
			t.Errorf("the line could be used behind the hold: %v", err)
		}
	})
}

// All exchanges of a hold run on one connection, and its error is that of the function.
func TestBusHoldLosesTheLine(t *testing.T) {
	l := &fakeLink{answer: func(n int, _ Request) error {
		if n == 0 {
			return &LinkError{Op: "receive", Link: "fake", Err: io.EOF}
		}
		return nil
	}}
	onBus(t, l, func(t *testing.T, b *Bus) {
		mine := errors.New("mine")
		err := b.Hold(t.Context(), Request{Unit: 1}, func(ctx context.Context, x Exchanger) error {
			if _, err := x.Exchange(ctx, at(PriorityRead, 5)); !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			if _, err := x.Exchange(ctx, at(PriorityWrite, 5)); !errors.Is(err, ErrDown) || !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			return mine
		})
		if err != mine || len(l.log) != 1 {
			t.Error(err, l.log)
		}
	})
}

func TestBusHoldEndsWithTheBus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBus(&fakeLink{}, BusOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = b.Run(ctx) })
		time.AfterFunc(50*time.Millisecond, cancel)
		err := b.Hold(t.Context(), Request{Unit: 1}, func(ctx context.Context, x Exchanger) error {
			if _, err := x.Exchange(ctx, at(PriorityRead, 5)); err != nil {
				t.Errorf("the exchange in flight: %v", err)
			}
			_, err := x.Exchange(ctx, at(PriorityWrite, 5))
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		running.Wait()
	})
}

// The bus stops behind the exchange in flight, and what waits is told so. Who gives up on an exchange in flight still
// learns its outcome.
func TestBusStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &fakeLink{}
		b := NewBus(l, BusOptions{})
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = b.Run(ctx) })
		var c callers
		gone, leave := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer leave()
		inFlight := at(PriorityWrite, 0)
		inFlight.Deadline = time.Now().Add(60 * time.Millisecond)
		c.do(gone, b, inFlight)
		c.do(t.Context(), b, at(PriorityPoll, 1))
		begun := time.Now()
		cancel()
		running.Wait()
		c.Wait()
		if c.errs[0] != nil || time.Since(begun) != 100*time.Millisecond {
			t.Errorf("the exchange in flight: %v after %v", c.errs[0], time.Since(begun))
		}
		if !errors.Is(c.errs[1], ErrClosed) {
			t.Error(c.errs[1])
		}
		if _, err := b.Do(t.Context(), at(PriorityRead, 2)); !errors.Is(err, ErrClosed) {
			t.Error(err)
		}
		if l.isOpen {
			t.Error("the link was left open")
		}
	})
}

func TestBusRefusesNonsense(t *testing.T) {
	onBus(t, &fakeLink{}, func(t *testing.T, b *Bus) {
		if _, err := b.Do(t.Context(), readOf(0, 126)); err == nil ||
			!strings.Contains(err.Error(), "count 126 is not in 1..125") {
			t.Error(err)
		}
		if err := b.Hold(t.Context(), Request{Priority: 7}, nil); err == nil {
			t.Error("a hold of priority 7")
		}
	})
}

func readOf(addr, count uint16) Request {
	return Request{Unit: 1, Range: Range{Addr: addr, Count: count}}
}

func writeOf(addr, word uint16) Request {
	return Request{Unit: 1, Op: WriteSingle, Range: Range{Addr: addr, Count: 1}, Words: []uint16{word}}
}

// At level debug each exchange is a line that says what was asked, how long it took and how it ended; above it there is
// none.
func TestBusLogsExchanges(t *testing.T) {
	for level, lines := range map[zerolog.Level]int{zerolog.DebugLevel: 3, zerolog.InfoLevel: 0} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			l := &fakeLink{answer: func(n int, _ Request) error {
				if n == 2 {
					return ExceptionError{Function: 3, Code: IllegalDataAddress}
				}
				return nil
			}}
			b := NewBus(l, BusOptions{Log: zerolog.New(&log).Level(level)})
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { _ = b.Run(ctx) })
			for i := range uint16(3) {
				_, _ = b.Do(ctx, at(PriorityPoll, i))
			}
			cancel()
			running.Wait()
			if n := strings.Count(log.String(), "\n"); n != lines {
				t.Errorf("level %v: %d lines", level, n)
			}
			for _, want := range []string{
				`"request":"read holding 1+1 unit 1","function":3,"words":[],"reply":[1],"took":100,`,
				`"error":"exception 2 (illegal data address)"`,
			} {
				if lines > 0 && !strings.Contains(log.String(), want) {
					t.Errorf("%s is not in\n%s", want, log.String())
				}
			}
		})
	}
}
