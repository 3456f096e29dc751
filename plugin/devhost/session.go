package devhost

import (
	"context"
	"slices"
	"time"

	"solarhub/plugin/host"
)

// graceMax is the longest grace period, also for a planned stop. Source: PROTOCOL.md, section 3.
const graceMax = 300 * time.Second

// installation is one plugin, connected or not. The mutex of the host guards it.
type installation struct {
	host     *Host
	name     string
	hash     string     // of what is kept; empty: nothing, or not what was registered
	session  *session   // the current one; nil: not connected
	lost     []*session // have ended, though the plugin may not know it yet
	snapshot *snapshot  // of the last complete session
	visible  bool       // entities are available, as far as the snapshot says
	graceEnd *time.Timer
}

// session is one hello.
type session struct {
	number   int64
	of       *installation
	conn     *conn
	id       int64 // of the hello: events go there
	epoch    int64
	snapshot *snapshot
	ready    bool
	told     []string // the list of disabled ids that the plugin knows
	reg      *registration
	calls    map[string]*pending
	asked    map[string]chan any // requests for diagnostics
	heard    time.Time           // of the last message
	silence  *time.Timer         // ends the session, and its calls, when the heartbeats cease
}

func (h *Host) installation(name string) *installation {
	i := h.installations[name]
	if i == nil {
		i = &installation{host: h, name: name, snapshot: newSnapshot(nil)}
		h.installations[name] = i
	}
	return i
}

func (i *installation) stopTimers() {
	if i.graceEnd != nil {
		i.graceEnd.Stop()
	}
	if i.session != nil {
		i.session.silence.Stop()
	}
}

// open makes a session the current one. An older one of the same process is told that it is replaced; what its socket
// does later changes nothing. The mutex is held.
func (i *installation) open(c *conn, id int64, hello host.Hello) *session {
	if old := i.session; old != nil {
		old.send(host.Event{Type: host.EventReplaced})
		old.end()
	}
	i.endCalls(hello.Epoch)
	i.stopTimers()
	h := i.host
	h.lastSession++
	s := &session{number: h.lastSession, of: i, conn: c, id: id, epoch: hello.Epoch,
		snapshot: newSnapshot(hello.Devices),
		calls:    map[string]*pending{}, asked: map[string]chan any{}, heard: time.Now()}
	s.silence = time.AfterFunc(s.patience(), func() { h.silent(s) })
	i.session = s
	return s
}

// complete shows what a session sent: its first snapshot is there. The mutex is held.
func (s *session) complete() {
	s.ready = true
	s.of.snapshot, s.of.visible = s.snapshot, true
	s.of.host.showAll(s.of)
}

// patience is how long a session may be without a heartbeat.
func (s *session) patience() time.Duration { return s.of.host.options.Heartbeat * 5 / 2 }

// silent ends a session whose heartbeats have ceased. Its socket is left alone: a half-open one closes when it does. Of
// a session that has ended before it ends the calls: its plugin may not have known.
func (h *Host) silent(s *session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.of.session == s {
		h.options.Log.Warn().Str("installation", s.of.name).Msg("No heartbeat")
		s.of.lose(s, h.options.Grace)
	}
	s.failCalls()
	s.of.lost = slices.DeleteFunc(s.of.lost, func(other *session) bool { return other == s })
}

// gone notes that a connection has ended.
func (h *Host) gone(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	for _, s := range c.subs {
		if s.end != nil {
			s.end()
		}
	}
	clear(c.subs)
	h.notify()
}

// end ends a session. Its callers are told when the plugin can carry out nothing any more: at its next hello, or when
// it has been silent for so long that it has ended the session too.
func (s *session) end() {
	s.ready = false
	if len(s.calls) == 0 || s.of.host.closed {
		s.failCalls()
		s.silence.Stop()
		return
	}
	s.silence.Reset(max(0, time.Until(s.heard.Add(s.patience()))))
	s.of.lost = append(s.of.lost, s)
}

// endCalls tells the callers of lost sessions that they are: a plugin dials again when it has ended all calls of the
// session before, and an earlier process is gone. The mutex is held.
func (i *installation) endCalls(epoch int64) {
	i.lost = slices.DeleteFunc(i.lost, func(s *session) bool {
		if s.epoch > epoch {
			return false
		}
		s.silence.Stop()
		s.failCalls()
		return true
	})
}

// failCalls tells the callers that the session is lost.
func (s *session) failCalls() {
	for id, p := range s.calls {
		delete(s.calls, id)
		p.finish(host.ResultFrame{}, s.of.host.lost(p.name))
	}
}

// lose ends a session; its entities stay available for the grace period. A stale session changes nothing. The mutex is
// held.
func (i *installation) lose(s *session, grace time.Duration) {
	if i.session != s {
		return
	}
	i.session = nil
	s.end()
	if grace = min(grace, graceMax); grace <= 0 || !i.visible {
		i.hide()
	} else if !i.host.closed {
		i.graceEnd = time.AfterFunc(grace, i.graceOver)
	}
	i.host.notify()
}

func (i *installation) graceOver() {
	i.host.mu.Lock()
	defer i.host.mu.Unlock()
	if i.session == nil { // else it came too late to be stopped
		i.hide()
	}
}

func (i *installation) hide() {
	i.visible = false
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

// connected waits until the plugin that serves a device is ready, for at most connectTimeout, if it is connected or may
// be back soon.
func (h *Host) connected(ctx context.Context, device string) (*session, bool) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	for first := true; ; first = false {
		h.mu.Lock()
		change := h.change
		var i *installation
		var s *session
		if r := h.roots[device]; r != nil {
			i = r.owner
			s = i.session
		}
		ready := s != nil && s.ready
		hope := i != nil && !h.closed && (s != nil || i.visible || !first)
		h.mu.Unlock()
		switch {
		case ready:
			return s, true
		case !hope:
			return nil, false
		}
		select {
		case <-change:
		case <-ctx.Done():
			return nil, false
		}
	}
}
