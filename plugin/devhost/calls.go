package devhost

import (
	"context"
	"crypto/rand"
	"time"

	"solarhub/plugin/host"
)

// pending is a call that waits for its result. It is finished once, under the mutex of the host.
type pending struct {
	name     string // of the entity, or of the device of a group, for errors
	group    bool
	platform string // of the entity
	done     chan struct{}
	result   host.ResultFrame
	err      *Error
}

// nameOf is what an error is about: of a group, the member that failed.
func (p *pending) nameOf(e *host.CallError) string {
	if member := e.Placeholders["name"]; p.group && member != "" && member != p.name {
		return p.name + " " + member
	}
	return p.name
}

// finish ends the call with a result, or with an error. The mutex of the host is held.
func (p *pending) finish(f host.ResultFrame, err *Error) {
	p.result, p.err = f, err
	close(p.done)
}

// callFrame is a call as it travels: the companion says of a set-value whether it is forced, and sends value even if
// null.
type callFrame struct {
	Type        string       `json:"type"`
	CallID      string       `json:"call_id"`
	Action      string       `json:"action"`
	ID          string       `json:"id,omitempty"`
	Device      string       `json:"device,omitempty"`
	Group       string       `json:"group,omitempty"`
	Values      host.Members `json:"values,omitempty"`
	Value       *any         `json:"value,omitempty"`
	Force       *bool        `json:"force,omitempty"`
	RemainingMS int64        `json:"remaining_ms"`
	ClockMS     int64        `json:"clock_ms"`
}

// call has the plugin carry out a call and waits for the result; limit is the time that the plugin has. The call goes
// to whoever serves the device when the plugin is connected.
func (h *Host) call(ctx context.Context, t target, c callFrame, limit time.Duration) (host.ResultFrame, error) {
	s, ok := h.connected(ctx, t.root)
	if !ok {
		return host.ResultFrame{}, h.notConnected(t.name)
	}
	p := &pending{name: t.name, group: c.Action == host.ActionGroup, platform: t.def.Platform,
		done: make(chan struct{})}
	h.mu.Lock()
	if s.of.session != s {
		h.mu.Unlock()
		return host.ResultFrame{}, h.notConnected(t.name)
	}
	// The id never comes again, also after a restart: the plugin takes the same id for the same call.
	c.Type, c.CallID, c.RemainingMS, c.ClockMS = host.EventCall, rand.Text(), limit.Milliseconds(), h.clockMS()
	s.calls[c.CallID] = p
	s.conn.event(s.id, c)
	h.mu.Unlock()

	timer := time.NewTimer(limit + answerTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
		h.giveUp(s, c.CallID, h.timedOut(t.name, limit))
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
	if p := s.calls[id]; p != nil {
		delete(s.calls, id)
		s.send(host.Event{Type: host.EventCancel, Call: host.Call{CallID: id}})
		p.finish(host.ResultFrame{}, why)
	}
}
