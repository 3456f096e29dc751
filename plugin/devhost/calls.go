package devhost

import (
	"context"
	"time"

	"solarhub/plugin/host"
)

// pending is a call that waits for its result. It is finished once, under the mutex of the host.
type pending struct {
	name     string  // of the entity, for errors
	platform string  // of the entity
	by       Context // of the caller: what the plugin reads back is shown as the caller's act
	done     chan struct{}
	result   host.ResultFrame
	err      *Error
}

func (p *pending) finish(h *Host, f host.ResultFrame, failed *host.CallError) {
	p.result = f
	if failed != nil {
		p.err = h.failure(failed, p.name, p.platform)
	}
	close(p.done)
}

func (p *pending) fail(err *Error) {
	p.err = err
	close(p.done)
}

// callFrame is a call as it travels: the companion says of a set-value whether it is forced, and sends value even if
// null.
type callFrame struct {
	Type        string `json:"type"`
	CallID      string `json:"call_id"`
	Action      string `json:"action"`
	ID          string `json:"id,omitempty"`
	Device      string `json:"device,omitempty"`
	Value       *any   `json:"value,omitempty"`
	Force       *bool  `json:"force,omitempty"`
	RemainingMS int64  `json:"remaining_ms"`
	ClockMS     int64  `json:"clock_ms"`
}

// call has the plugin carry out a call and waits for the result. find returns the installation to ask, limit is the
// time that the plugin has.
func (h *Host) call(ctx context.Context, find func() *installation, name string, c callFrame, limit time.Duration,
	by Context) (host.ResultFrame, error) {
	s, ok := h.connected(ctx, find)
	if !ok {
		return host.ResultFrame{}, h.notConnected(name)
	}
	p := &pending{name: name, by: by, done: make(chan struct{})}
	h.mu.Lock()
	if s.of.session != s {
		h.mu.Unlock()
		return host.ResultFrame{}, h.notConnected(name)
	}
	// The id never comes again, also after a restart: the plugin takes the same id for the same call.
	c.Type, c.CallID, c.RemainingMS, c.ClockMS = host.EventCall, newID(), limit.Milliseconds(), h.clockMS()
	if e := h.entities[c.ID]; e != nil {
		p.platform = e.def.Platform
	}
	s.calls[c.CallID] = p
	s.conn.event(s.id, c)
	h.mu.Unlock()

	timer := time.NewTimer(limit + h.options.Answer)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		h.giveUp(s, c.CallID, h.timedOut(name, limit))
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
