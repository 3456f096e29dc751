package devhost

import (
	"context"
	"crypto/rand"
	"time"

	"solarhub/plugin/host"
)

// pending is a call that waits for its result. It is finished once, under the mutex of the host.
type pending struct {
	name   string // of the entity, for errors
	done   chan struct{}
	result host.ResultFrame
	err    *Error
}

func (p *pending) finish(f host.ResultFrame) {
	p.result = f
	if !f.OK {
		if f.Error == nil {
			f.Error = host.NewCallError(host.CodeFailed, "failed without a reason", nil)
		}
		p.err = failure(f.Error, p.name)
	}
	close(p.done)
}

func (p *pending) fail(err *Error) {
	p.err = err
	close(p.done)
}

// call has the plugin carry out a call and waits for the result. find returns the installation to ask, limit is the time that
// the plugin has.
func (h *Host) call(ctx context.Context, find func() *installation, name string, c host.Call, limit time.Duration) (host.ResultFrame, error) {
	s, ok := h.connected(ctx, find)
	if !ok {
		return host.ResultFrame{}, notConnected(name)
	}
	p := &pending{name: name, done: make(chan struct{})}
	h.mu.Lock()
	if s.of.session != s {
		h.mu.Unlock()
		return host.ResultFrame{}, notConnected(name)
	}
	c.CallID = rand.Text() // never again, also after a restart: the plugin takes the same id for the same call
	c.RemainingMS = limit.Milliseconds()
	s.calls[c.CallID] = p
	s.send(host.Event{Type: host.EventCall, Call: c})
	h.mu.Unlock()

	timer := time.NewTimer(limit + h.options.Answer)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		h.giveUp(s, c.CallID, timedOut(name))
	case <-ctx.Done():
		h.giveUp(s, c.CallID, &Error{Code: host.RefusedUnknownError, Message: ctx.Err().Error()})
	}
	<-p.done
	if p.err != nil {
		return p.result, p.err
	}
	return p.result, nil
}

// giveUp ends a call that nobody waits for any more, unless it has just ended by itself.
func (h *Host) giveUp(s *session, id string, why *Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := s.calls[id]
	if p == nil {
		return
	}
	delete(s.calls, id)
	s.send(host.Event{Type: host.EventCancel, Call: host.Call{CallID: id}})
	p.fail(why)
}
