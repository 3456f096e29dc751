package host

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// calls are the calls of one session that are not answered yet. Each runs in a goroutine of its own.
type calls struct {
	plugin  Plugin
	outbox  *Outbox
	session *Session
	number  int64 // of the session, for the results
	log     zerolog.Logger

	mu      sync.Mutex
	pending map[string]context.CancelCauseFunc // by call id
	stopped bool
	joined  sync.WaitGroup
}

func newCalls(o Options, s *Session, number int64) *calls {
	return &calls{plugin: o.Plugin, outbox: o.Outbox, session: s, number: number, log: o.Log,
		pending: map[string]context.CancelCauseFunc{}}
}

// start carries out a call that came at a moment. It does not wait for the call. If the call is refused, it waits for
// the host's answer to the refusal.
func (c *calls) start(ctx context.Context, call Call, at time.Time) error {
	deadline := at.Add(time.Duration(call.RemainingMS) * time.Millisecond)
	ctx, end := context.WithDeadline(ctx, deadline)
	ctx, cancel := context.WithCancelCause(ctx)
	admitted, refused := c.admit(call.CallID, cancel)
	if !admitted {
		cancel(nil)
		end()
		if refused == nil { // the call that is pending answers for both
			c.log.Warn().Str("call", call.CallID).Msg("The companion sends a call that is pending already")
			return nil
		}
		return c.answer(call, Result{Err: refused})
	}
	go func() { // admit has counted it
		defer c.joined.Done()
		defer end()
		defer cancel(nil)
		c.log.Debug().Str("call", call.CallID).Str("action", call.Action).Str("id", call.ID).Str("device", call.Device).
			Interface("value", call.Value).Msg("Call")
		result := c.plugin.Call(ctx, call)
		c.remove(call.CallID)
		c.session.fail(c.answer(call, result))
	}()
	return nil
}

// admit adds a call to the pending ones, or says why it is refused. A call that is pending already is neither.
func (c *calls) admit(id string, cancel context.CancelCauseFunc) (admitted bool, refused *CallError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopped:
		return false, NewCallError(CodeStopping, ErrStopping.Error(), nil)
	case c.pending[id] != nil:
		return false, nil
	case len(c.pending) == MaxCalls:
		return false, NewCallError(CodeQueueFull, fmt.Sprintf("%d calls are pending already", MaxCalls), nil)
	}
	c.pending[id] = cancel
	c.joined.Add(1)
	return true, nil
}

func (c *calls) remove(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// cancel ends the context of a call whose caller gave up.
func (c *calls) cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.pending[id]; cancel != nil {
		cancel(ErrCancelled)
	}
}

// stop refuses new calls, ends the contexts of the pending ones with cause, and waits until each is answered or the
// session is lost.
func (c *calls) stop(cause error) {
	c.mu.Lock()
	c.stopped = true
	for _, cancel := range c.pending {
		cancel(cause)
	}
	c.mu.Unlock()
	c.joined.Wait()
}

// answer sends the one result of a call. The confirmed values are taken when the frame is written: no older value can
// follow it, and it overwrites no newer one. It does not use the call's context, because a call that has passed its
// deadline is answered too.
func (c *calls) answer(call Call, r Result) error {
	f := ResultFrame{Session: c.number, CallID: call.CallID, OK: r.Err == nil, Error: r.Err}
	if r.Err == nil {
		f.Value, f.Superseded = Value(r.Value), r.Superseded
		if r.Response != nil {
			text, err := json.Marshal(r.Response)
			if err != nil {
				f.OK, f.Error = false, NewCallError(CodeFailed, "the response cannot be encoded: "+err.Error(), nil)
			} else {
				f.Response = json.RawMessage(text)
			}
		}
	}
	return c.session.do(context.Background(), &command{name: CommandResult, body: func() any {
		f.Values = c.outbox.confirm(r.Confirmed)
		return f
	}}, nil)
}
