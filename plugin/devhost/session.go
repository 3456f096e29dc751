package devhost

import (
	"context"
	"slices"
	"time"

	"solarhub/plugin/host"
)

// installation is one plugin, connected or not. The mutex of the host guards it.
type installation struct {
	host       *Host
	name       string
	hash       string   // of what is kept; empty: nothing, or not what was registered
	session    *session // the current one; nil: not connected
	picture    *picture // of the last complete session
	graceUntil time.Time
	graceEnd   *time.Timer
}

// session is one hello.
type session struct {
	number  int64
	of      *installation
	conn    *conn
	id      int64 // of the hello: events go there
	epoch   int64
	picture *picture
	ready   bool
	told    []string // the list of disabled ids that the plugin knows
	reg     registration
	calls   map[string]*pending
	asked   map[string]chan any // requests for diagnostics
	backIn  time.Duration       // as announced with bye; negative: not announced
	silence *time.Timer         // ends the session when the heartbeats cease
}

func (h *Host) installation(name string) *installation {
	i := h.installations[name]
	if i == nil {
		i = &installation{host: h, name: name, picture: newPicture(nil)}
		h.installations[name] = i
	}
	return i
}

// available reports whether the plugin is there, or may be back soon.
func (i *installation) available(now time.Time) bool {
	return i.session != nil && i.session.ready || now.Before(i.graceUntil)
}

func (i *installation) stopTimers() {
	if i.graceEnd != nil {
		i.graceEnd.Stop()
	}
	if i.session != nil {
		i.session.silence.Stop()
	}
}

// open makes a session the current one. An older one is told that it is replaced; what its socket does later changes
// nothing. The mutex is held.
func (i *installation) open(c *conn, id int64, hello host.Hello) *session {
	if i.session != nil {
		old := i.session
		i.end(lost)
		old.send(host.Event{Type: host.EventReplaced})
	}
	h := i.host
	h.lastSession++
	s := &session{number: h.lastSession, of: i, conn: c, id: id, epoch: hello.Epoch, picture: newPicture(hello.Devices), backIn: -1,
		calls: map[string]*pending{}, asked: map[string]chan any{}}
	s.silence = time.AfterFunc(s.patience(), func() { h.silent(s) })
	i.session, c.session = s, s
	return s
}

// patience is how long a session may be without a heartbeat.
func (s *session) patience() time.Duration { return s.of.host.options.Heartbeat * 5 / 2 }

// silent ends a session whose heartbeats have ceased.
func (h *Host) silent(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.of.session == s {
		h.options.Log.Warn().Str("installation", s.of.name).Msg("No heartbeat")
		s.conn.end()
		s.of.end(lost)
	}
}

// gone notes that a connection has ended.
func (h *Host) gone(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	if s := c.session; s != nil && s.of.session == s {
		s.of.end(lost)
	}
	h.notify()
}

// end closes the current session: pending calls fail, and the grace period begins if the entities were available.
func (i *installation) end(cause func(name string) *Error) {
	s := i.session
	i.session = nil
	s.silence.Stop()
	for id, p := range s.calls {
		delete(s.calls, id)
		p.fail(cause(p.name))
	}
	if s.ready {
		grace := i.host.options.Grace
		if s.backIn >= 0 {
			grace = s.backIn
		}
		i.graceUntil = time.Now().Add(grace)
		if i.graceEnd != nil {
			i.graceEnd.Stop()
		}
		if !i.host.closed {
			i.graceEnd = time.AfterFunc(grace, i.graceOver)
		}
	}
	i.host.showAll(i)
}

func (i *installation) graceOver() {
	i.host.mu.Lock()
	defer i.host.mu.Unlock()
	i.host.showAll(i)
}

// send sends an event of the companion. The mutex is held.
func (s *session) send(e host.Event) { s.conn.event(s.id, e) }

// config tells the plugin the list of disabled ids if it is not the one last told. The mutex is held.
func (s *session) config(h *Host) {
	now := h.disabled(s.of)
	if slices.Equal(now, s.told) {
		return
	}
	s.told = now
	s.conn.event(s.id, map[string]any{"type": host.EventConfig, "disabled": now})
}

// connected waits within the grace period until the plugin of e is ready, for at most Options.Connect.
func (h *Host) connected(ctx context.Context, find func() *installation) (*session, bool) {
	ctx, cancel := context.WithTimeout(ctx, h.options.Connect)
	defer cancel()
	for {
		h.mu.Lock()
		i, change := find(), h.change
		var s *session
		if i != nil {
			s = i.session
		}
		ready := s != nil && s.ready
		there := i != nil && i.available(time.Now()) && !h.closed
		h.mu.Unlock()
		switch {
		case ready:
			return s, true
		case !there:
			return nil, false
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, false
		}
	}
}
