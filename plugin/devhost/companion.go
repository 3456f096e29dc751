package devhost

import (
	"context"
	"fmt"
	"time"

	"solarhub/plugin/host"
)

// companionVersion is told in hello and in the attributes of no entity.
const companionVersion = "0.0.0-devhost"

// current wraps the handler of a command that belongs to a session: it holds the mutex and refuses a stale one.
func current(handle func(h *Host, s *session, c command) (any, error)) handler {
	return func(h *Host, _ context.Context, c command) (any, error) {
		var f host.SessionFrame
		if err := c.fields(&f); err != nil {
			return nil, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if err := h.loaded(); err != nil {
			return nil, err
		}
		s := c.conn.session
		if s == nil || s.number != f.Session || s.of.session != s {
			return nil, &Error{Code: host.RefusedStaleSession, Message: fmt.Sprintf("Session %d is not the current one", f.Session)}
		}
		s.silence.Reset(s.patience())
		return handle(h, s, c)
	}
}

func (h *Host) loaded() error {
	if h.options.NotLoaded {
		return &Error{Code: host.RefusedEntryNotLoaded, Message: "SolarHub is not set up"}
	}
	return nil
}

func (h *Host) hello(_ context.Context, c command) (any, error) {
	var f host.Hello
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.loaded(); err != nil {
		return nil, err
	}
	if err := h.admissible(f); err != nil {
		return nil, err
	}
	i := h.installation(f.Installation)
	s := i.open(c.conn, c.id, f)
	s.told = h.disabled(i)
	result := host.HelloResult{
		Protocol:         1,
		CompanionVersion: companionVersion,
		HAVersion:        h.options.Version,
		Session:          s.number,
		Disabled:         s.told,
		HeartbeatMS:      h.options.Heartbeat.Milliseconds(),
		GraceMS:          h.options.Grace.Milliseconds(),
	}
	if i.hash != "" {
		result.Hash = &i.hash
	}
	c.conn.answer(c.id, result, nil) // before any event
	h.notify()
	return later{}, nil
}

// admissible says why a hello cannot open a session.
func (h *Host) admissible(f host.Hello) error {
	if f.Installation == "" || len([]rune(f.Installation)) > 64 {
		return &Error{Code: host.RefusedInvalidFormat, Message: "length of value must be 1 to 64 at 'installation'"}
	}
	if f.Protocol.Min > 1 {
		return &Error{Code: host.RefusedIncompatible, Message: "The companion is too old"}
	}
	if f.Protocol.Max < 1 {
		return &Error{Code: host.RefusedIncompatible, Message: "The plugin is too old"}
	}
	if i := h.installations[f.Installation]; i != nil && i.session != nil && f.Epoch < i.session.epoch {
		return &Error{Code: host.RefusedOlderProcess, Message: "A process that started later is connected"}
	}
	return nil
}

func (h *Host) register(s *session, c command) (any, error) {
	var f host.Register
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if f.Seq == 0 {
		s.reg = registration{hash: f.Hash}
	}
	switch {
	case f.Seq != s.reg.next || f.Hash != s.reg.hash:
		return nil, &Error{Code: host.RefusedInvalidFormat, Message: fmt.Sprintf("frame %d of %q is not the next of a registration", f.Seq, f.Hash)}
	case len(f.Entities) > host.MaxRegisterEntities || len(c.text) > host.MaxRegisterBytes:
		return nil, &Error{Code: host.RefusedInvalidFormat, Message: fmt.Sprintf("%d entities and %d bytes in a frame; allowed are %d and %d",
			len(f.Entities), len(c.text), host.MaxRegisterEntities, host.MaxRegisterBytes)}
	}
	s.reg.next++
	s.reg.devices = append(s.reg.devices, f.Devices...)
	s.reg.entities = append(s.reg.entities, f.Entities...)
	if !f.Last {
		return host.RegisterResult{Rejected: []host.Rejection{}}, nil
	}
	result := h.commit(s.of, s.reg)
	s.reg = registration{next: -1}
	s.config(h)
	return result, nil
}

func (h *Host) states(s *session, c command) (any, error) {
	var f host.StatesFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if n := len(f.Values); n > host.MaxStates {
		return nil, &Error{Code: host.RefusedInvalidFormat, Message: fmt.Sprintf("%d states in a frame; allowed are %d", n, host.MaxStates)}
	}
	for device, state := range f.Devices {
		s.picture.online[device] = state
	}
	for id, available := range f.Available {
		s.picture.visible[id] = available
	}
	unknown := h.take(s, f.Values, f.Cached)
	if f.Ready {
		s.ready, s.of.picture = true, s.picture
	}
	h.showAll(s.of)
	return host.StatesResult{Unknown: unknown}, nil
}

// take notes values and returns the ids that the installation does not own.
func (h *Host) take(s *session, values map[string]any, cached map[string]time.Time) (unknown []string) {
	unknown = []string{}
	for id, v := range values {
		e := h.entities[id]
		if e == nil || e.root.owner != s.of {
			unknown = append(unknown, id)
			continue
		}
		if err := e.accepts(v); err != nil {
			v = nil
			if !e.odd {
				h.options.Log.Warn().Err(err).Str("id", id).Msg("A value is refused")
			}
			e.odd = true
		}
		s.picture.values[id] = value{v, cached[id]}
	}
	return unknown
}

func (h *Host) result(s *session, c command) (any, error) {
	var f host.ResultFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if len(f.Values) > 0 {
		h.take(s, f.Values, nil)
		h.showAll(s.of)
	}
	if p := s.calls[f.CallID]; p != nil {
		delete(s.calls, f.CallID)
		p.finish(f)
	}
	return nil, nil
}

// heartbeat has nothing to do: current has noted that the plugin lives.
func (h *Host) heartbeat(*session, command) (any, error) { return nil, nil }

func (h *Host) diagnosed(s *session, c command) (any, error) {
	var f host.DiagnosticsFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if waits := s.asked[f.RequestID]; waits != nil {
		delete(s.asked, f.RequestID)
		waits <- f.Data
	}
	return nil, nil
}

func (h *Host) removeDevices(_ *session, c command) (any, error) {
	var f host.RemoveFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	return host.RemoveResult{Removed: h.remove(f.Devices)}, nil
}

func (h *Host) bye(s *session, c command) (any, error) {
	var f host.ByeFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	s.backIn = min(max(0, time.Duration(f.BackInMS)*time.Millisecond), 300*time.Second)
	return nil, nil
}
