package host

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// calls are the calls of one session that are not answered yet, each in its own goroutine.
type calls struct {
	plugin  Plugin
	outbox  *Outbox
	session *Session
	number  int64 // of the session, for the answers
	log     zerolog.Logger

	mu      sync.Mutex
	pending map[*arrival]struct{}
	stopped bool
	running sync.WaitGroup
}

// arrival is a call on its way, known by its id.
type arrival struct {
	id     string
	cancel context.CancelCauseFunc
}

// start carries out a call that came at a moment, in a goroutine of its own.
func (c *calls) start(ctx context.Context, call Call, at time.Time) error {
	deadline := at.Add(time.Duration(call.RemainingMS) * time.Millisecond)
	ctx, end := context.WithDeadline(ctx, deadline)
	ctx, cancel := context.WithCancelCause(ctx)
	a := &arrival{call.CallID, cancel}
	if refused := c.enter(a); refused != nil {
		cancel(nil)
		end()
		return c.answer(call, Result{Err: refused})
	}
	go func() { // enter has counted it
		defer c.running.Done()
		defer end()
		defer cancel(nil)
		c.log.Debug().Str("call", call.CallID).Str("action", call.Action).Str("id", call.ID).Str("device", call.Device).
			Interface("value", call.Value).Msg("Call")
		result := c.plugin.Call(ctx, call)
		c.leave(a)
		c.session.fail(c.answer(call, result))
	}()
	return nil
}

// enter notes a call as pending, or says why it cannot be.
func (c *calls) enter(p *arrival) *CallError {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopped:
		return NewCallError(CodeStopping, ErrStopping.Error(), nil)
	case len(c.pending) == MaxCalls:
		return NewCallError(CodeQueueFull, fmt.Sprintf("%d calls are pending already", MaxCalls), nil)
	}
	c.pending[p] = struct{}{}
	c.running.Add(1)
	return nil
}

func (c *calls) leave(p *arrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, p)
}

// abandon ends the context of one call.
func (c *calls) abandon(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for p := range c.pending {
		if p.id == id {
			p.cancel(ErrCancelled)
		}
	}
}

// stop refuses new calls, ends the contexts of the pending ones with cause and waits until each is answered or the session
// is lost.
func (c *calls) stop(cause error) {
	c.mu.Lock()
	c.stopped = true
	for p := range c.pending {
		p.cancel(cause)
	}
	c.mu.Unlock()
	c.running.Wait()
}

// answer sends the one result of a call. The confirmed values are taken when the frame is written, so that neither an older
// value can follow it nor a newer one be overwritten by it. ctx is that of nothing: a call that ran into its deadline
// is answered too.
func (c *calls) answer(call Call, r Result) error {
	f := ResultFrame{Session: c.number, CallID: call.CallID, OK: r.Err == nil, Error: r.Err}
	if r.Err == nil {
		f.Value, f.Superseded = Value(r.Value), r.Superseded
		if r.Response != nil {
			text, err := json.Marshal(r.Response)
			if err != nil {
				f.OK, f.Error = false, NewCallError(CodeFailed, "the response cannot be told: "+err.Error(), nil)
			} else {
				f.Response = json.RawMessage(text)
			}
		}
	}
	return c.session.do(context.Background(), &command{name: CommandResult, build: func() any {
		f.Values = c.outbox.confirm(r.Confirmed)
		return f
	}}, nil)
}
