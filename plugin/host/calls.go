package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// maxWaiting is how many calls may wait for one of the MaxCalls that are being carried out.
const maxWaiting = 4096

// calls are the calls of one session that are not answered yet. MaxCalls are carried out at a time; the others wait,
// and of those that set the same entity only the newest is carried out.
type calls struct {
	plugin  Plugin
	outbox  *Outbox
	session *Session
	number  int64            // of the session, for the results
	certain func() time.Time // see Call.Certain
	log     zerolog.Logger

	mu      sync.Mutex
	pending map[string]*call // by call id, until answered
	waiting []*call          // in the order in which they are carried out
	running int
	stopped bool
	joined  sync.WaitGroup
}

// call is a Call on its way.
type call struct {
	Call
	ctx    context.Context // ends at the deadline, or with a cause
	cancel context.CancelCauseFunc
	older  []*call // that set the same entity and get the outcome of this one
}

func newCalls(o Options, s *Session, number int64, certain func() time.Time) *calls {
	return &calls{plugin: o.Plugin, outbox: o.Outbox, session: s, number: number, certain: certain, log: o.Log,
		pending: map[string]*call{}}
}

// start carries out a call that has so much time left, or refuses it. It does not wait for either.
func (c *calls) start(ctx context.Context, asked Call, left time.Duration) {
	if err := checkCall(asked); err != nil {
		c.refuse(asked.CallID, err)
		return
	}
	ctx, cancelCause := context.WithCancelCause(ctx)
	limited, end := context.WithTimeout(ctx, left)
	cancel := func(cause error) {
		cancelCause(cause) // first: who ends a context first gives the cause
		end()
	}
	added := &call{Call: asked, ctx: limited, cancel: cancel}
	added.Certain = c.certain
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.pending[added.CallID] != nil: // one answer serves both
		cancel(nil)
		c.log.Warn().Str("call", added.CallID).Msg("The companion sends a call that is pending already")
	case c.stopped:
		cancel(nil)
		c.refuse(added.CallID, NewCallError(CodeStopping, ErrStopping.Error(), nil))
	case c.running < MaxCalls:
		c.pending[added.CallID] = added
		c.running++
		c.joined.Go(func() { c.work(added) })
	default:
		c.wait(added)
	}
}

// wait lets a call wait. A call that waits and sets the same entity gives its place to the newer one. The mutex is
// held.
func (c *calls) wait(added *call) {
	full := len(c.pending)-c.running >= maxWaiting
	for i, w := range c.waiting {
		if added.Action != ActionSet || w.Action != ActionSet || w.ID != added.ID {
			continue
		}
		c.pending[added.CallID] = added
		c.waiting[i] = added
		if full { // the newest value counts: an older one is refused
			c.drop(w, queueFull())
			added.older = w.older
			return
		}
		added.older = append(w.older, w)
		return
	}
	if full {
		added.cancel(nil)
		c.refuse(added.CallID, queueFull())
		return
	}
	c.pending[added.CallID] = added
	c.waiting = append(c.waiting, added)
}

func queueFull() *CallError {
	return NewCallError(CodeQueueFull, fmt.Sprintf("%d calls are pending already", MaxCalls+maxWaiting), nil)
}

// work carries out calls, the first one and then those that wait, until none is left.
func (c *calls) work(one *call) {
	for one != nil {
		c.log.Debug().Str("call", one.CallID).Str("action", one.Action).Str("id", one.ID).Str("device", one.Device).
			Interface("value", one.Value).Msg("Call")
		result := c.plugin.Call(one.ctx, one.Call)
		next := c.finish(one)
		c.session.fail(c.answer(one.CallID, result))
		for _, old := range one.older {
			c.session.fail(c.answer(old.CallID, Result{Err: result.Err, Value: result.Value, Superseded: true}))
		}
		one = next
	}
}

// finish removes a call that was carried out, with the older ones, and returns the next that is to be.
func (c *calls) finish(done *call) *call {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, each := range append(done.older, done) {
		each.cancel(nil)
		delete(c.pending, each.CallID)
	}
	for len(c.waiting) > 0 {
		next := c.waiting[0]
		c.waiting = c.waiting[1:]
		for next != nil && next.over() { // its caller gave up, or its time is over: the one before counts
			c.drop(next, endedCall(next.ctx))
			older := next.older
			if next = nil; len(older) > 0 {
				next = older[len(older)-1]
				next.older = older[:len(older)-1]
			}
		}
		if next != nil {
			return next
		}
	}
	c.running--
	return nil
}

// over reports whether the call may not begin any more. The context may learn of the deadline a moment late.
func (c *call) over() bool {
	deadline, _ := c.ctx.Deadline()
	return c.ctx.Err() != nil || !time.Now().Before(deadline)
}

// endedCall says why a call ended before it was begun.
func endedCall(ctx context.Context) *CallError {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, ErrStopping):
		return NewCallError(CodeStopping, cause.Error(), nil)
	case errors.Is(cause, ErrCancelled), errors.Is(cause, ErrSessionLost):
		return NewCallError(CodeCancelled, cause.Error(), nil)
	}
	return NewCallError(CodeExpired, "its time was over before its turn came", nil)
}

// drop refuses a call that was pending. The mutex is held.
func (c *calls) drop(p *call, why *CallError) {
	p.cancel(nil)
	delete(c.pending, p.CallID)
	c.refuse(p.CallID, why)
}

// cancel ends the context of a call whose caller gave up.
func (c *calls) cancel(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pending[id]; p != nil {
		p.cancel(ErrCancelled)
	}
}

// stop refuses new calls, ends the contexts of the pending ones with cause, and waits until each is answered or the
// session is lost.
func (c *calls) stop(cause error) {
	c.mu.Lock()
	c.stopped = true
	for _, p := range c.pending {
		p.cancel(cause)
	}
	c.mu.Unlock()
	c.joined.Wait()
}

// refuse answers a call with an error. It does not wait.
func (c *calls) refuse(id string, why *CallError) {
	c.joined.Go(func() {
		frame := ResultFrame{Session: c.number, CallID: id, Error: why}
		c.session.post(&command{name: CommandResult, body: func() any { return frame }})
	})
}

// answer sends the one result of a call. The confirmed values are taken when the frame is written: no older value can
// follow it, and it overwrites no newer one. It does not use the call's context, because a call that has passed its
// deadline is answered too.
func (c *calls) answer(id string, r Result) error {
	f := ResultFrame{Session: c.number, CallID: id, OK: r.Err == nil, Error: r.Err}
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
	err := c.session.do(context.Background(), &command{name: CommandResult, body: func() any {
		f.Values = c.outbox.confirm(r.Confirmed)
		return f
	}}, nil)
	return c.session.dropRefused(err)
}
