package devhost

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"solarhub/plugin/host"
)

// companionCommands are those of PROTOCOL.md, section 3.
var companionCommands = map[string]handler{
	host.CommandHello:       (*Host).hello,
	host.CommandRegister:    current((*Host).register),
	host.CommandStates:      current((*Host).statesFrame),
	host.CommandResult:      current((*Host).result),
	host.CommandHeartbeat:   current((*Host).heartbeat),
	host.CommandDiagnostics: current((*Host).diagnosed),
	host.CommandNotice:      current((*Host).notice),
	host.CommandRemove:      current((*Host).removeDevices),
	host.CommandBye:         current((*Host).bye),
}

// current wraps the handler of a command that belongs to a session: it holds the mutex and refuses a stale one.
func current(handle func(h *Host, s *session, c command) (any, error)) handler {
	return func(h *Host, c command) (any, error) {
		var f host.SessionFrame
		if err := c.fields(&f); err != nil {
			return nil, err
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		s := h.session(f.Session)
		if s == nil || s.conn != c.conn {
			return nil, &Error{Code: host.RefusedStaleSession,
				Message: "This session is not the current one; say hello again."}
		}
		s.heard = time.Now()
		s.silence.Reset(s.patience())
		return handle(h, s, c)
	}
}

// session returns the session with a number if it is the current one of its installation. The mutex is held.
func (h *Host) session(number int64) *session {
	for _, i := range h.installations {
		if i.session != nil && i.session.number == number {
			return i.session
		}
	}
	return nil
}

func (h *Host) hello(c command) (any, error) {
	var f host.Hello
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.admissible(f); err != nil {
		return nil, err
	}
	i := h.installation(f.Installation)
	s := i.open(c.conn, c.id, f)
	s.told = h.disabled(i)
	c.conn.subs[c.id] = subscription{end: func() { i.lose(s, h.options.Grace) }}
	result := host.HelloResult{
		Protocol:         1,
		CompanionVersion: h.options.Companion,
		HAVersion:        version,
		Session:          s.number,
		Disabled:         s.told,
		Deleted:          h.deletedOf(i),
		HeartbeatMS:      h.options.Heartbeat.Milliseconds(),
		GraceMS:          h.options.Grace.Milliseconds(),
		ClockMS:          h.clockMS(),
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
	if f.Protocol.Min > 1 || f.Protocol.Max < 1 {
		old := "companion"
		if f.Protocol.Max < 1 {
			old = "plugin"
		}
		return &Error{Code: host.RefusedIncompatible, Message: fmt.Sprintf(
			"The %s is too old: the plugin speaks protocol %d to %d, the companion 1 to 1.", old, f.Protocol.Min,
			f.Protocol.Max)}
	}
	if i := h.installations[f.Installation]; i != nil && i.session != nil && f.Epoch != i.session.epoch {
		return &Error{Code: host.RefusedInUse,
			Message: fmt.Sprintf("Another SolarHub is connected as %s. Give each its own name.",
				i.name)}
	}
	return nil
}

// registerFrame is a frame of a registration, whose items are looked at one by one: a bad one rejects itself only.
type registerFrame struct {
	Seq      int               `json:"seq"`
	Last     bool              `json:"last"`
	Hash     string            `json:"hash"`
	Devices  []json.RawMessage `json:"devices"`
	Entities []json.RawMessage `json:"entities"`
}

func (h *Host) register(s *session, c command) (any, error) {
	var f registerFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if len(f.Entities) > host.MaxRegisterEntities {
		return nil, invalid("at most %d entities fit into a frame", host.MaxRegisterEntities)
	}
	if f.Seq == 0 {
		s.reg = newRegistration(f.Hash)
	}
	if s.reg == nil || f.Seq != s.reg.frames || f.Hash != s.reg.hash {
		s.reg = nil
		return nil, &Error{Code: host.RefusedBadSequence,
			Message: "This frame does not follow the last one; begin with seq 0."}
	}
	rejected := s.reg.add(f.Devices, f.Entities)
	if !f.Last {
		return host.RegisterResult{Rejected: rejected}, nil
	}
	result := h.commit(s.of, s.reg)
	result.Rejected = append(rejected, result.Rejected...)
	s.reg = nil
	s.config(h)
	return result, nil
}

// statesFrame is solarhub/states with read_at as the plugin wrote it.
type statesFrame struct {
	Values    map[string]any              `json:"s"`
	Cached    map[string]string           `json:"c"`
	Available map[string]bool             `json:"u"`
	Devices   map[string]host.DeviceState `json:"d"`
	Ready     bool                        `json:"ready"`
}

func (h *Host) statesFrame(s *session, c command) (any, error) {
	var f statesFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	if len(f.Values) > host.MaxStates {
		return nil, invalid("at most %d values fit into a frame", host.MaxStates)
	}
	touched, unknown := h.take(s, f.Values, f.Cached)
	for id, usable := range f.Available {
		if e := h.entities[id]; e != nil && e.root.owner == s.of {
			s.snapshot.usable[id] = usable
			touched = append(touched, e)
		} else {
			unknown = append(unknown, id)
		}
	}
	for device, state := range f.Devices {
		root, part := h.roots[rootOf(device)], device != rootOf(device)
		if s.snapshot.served[rootOf(device)] && (!part || root != nil && root.devices[device].ID != "") {
			s.snapshot.online[device] = state
		} else {
			unknown = append(unknown, device)
		}
	}
	if len(f.Devices) > 0 {
		for _, e := range h.entitiesOf(s.of) {
			_, root := f.Devices[e.root.id]
			if _, part := f.Devices[e.def.Device]; root || part {
				touched = append(touched, e)
			}
		}
	}
	if s.ready {
		h.show(touched)
	} else if f.Ready {
		s.complete()
	}
	h.notify()
	slices.Sort(unknown)
	return host.StatesResult{Unknown: slices.Compact(unknown)}, nil
}

// take notes values and returns the entities that they belong to, and the ids that the installation does not own.
func (h *Host) take(s *session, values map[string]any, cached map[string]string) (touched []*entity, unknown []string) {
	unknown = []string{}
	for id, v := range values {
		e := h.entities[id]
		if e == nil || e.root.owner != s.of {
			unknown = append(unknown, id)
			continue
		}
		s.snapshot.values[id] = value{v, cached[id]}
		touched = append(touched, e)
	}
	return touched, unknown
}

func (h *Host) result(s *session, c command) (any, error) {
	var f host.ResultFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	p := s.calls[f.CallID]
	delete(s.calls, f.CallID)
	touched, _ := h.take(s, f.Values, nil)
	if s.ready {
		h.show(touched)
	}
	switch {
	case p == nil: // nobody waits for it any more
	case f.OK:
		p.finish(f, nil)
	case f.Error == nil:
		p.finish(f, h.failure(&host.CallError{Code: host.CodeFailed}, p.name, p.platform))
	default:
		p.finish(f, h.failure(f.Error, p.nameOf(f.Error), p.platform))
	}
	h.notify()
	return nil, nil
}

// heartbeat answers with the time: current has noted that the plugin lives.
func (h *Host) heartbeat(*session, command) (any, error) {
	return host.HeartbeatResult{ClockMS: h.clockMS()}, nil
}

// clockMS is the time on the clock that the plugin compares with its own, to know how old a call is.
func (h *Host) clockMS() int64 { return time.Since(h.started).Milliseconds() + 1 }

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

func (h *Host) removeDevices(s *session, c command) (any, error) {
	var f host.RemoveFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	result := host.RemoveResult{Unknown: []string{}}
	var own []string
	for _, id := range f.Devices {
		if r := h.roots[rootOf(id)]; r != nil && r.owner == s.of {
			own = append(own, id)
		} else {
			result.Unknown = append(result.Unknown, id)
		}
	}
	result.Removed = h.remove(own)
	return result, nil
}

func (h *Host) bye(s *session, c command) (any, error) {
	var f host.ByeFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	s.failCalls() // the plugin has ended them
	s.of.lose(s, time.Duration(f.BackInMS)*time.Millisecond)
	return nil, nil
}

// notice tells whoever listens that a device no longer holds what was set, or holds it after all. The companion shows a
// repairs issue besides, of which this host has none. Kinds and entities that are not known are left alone.
func (h *Host) notice(s *session, c command) (any, error) {
	var f host.NoticeFrame
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	e := h.entities[f.ID]
	if e == nil || e.root.owner != s.of || f.Kind != host.NoticeReverted && f.Kind != host.NoticeTakenOver {
		return nil, nil
	}
	h.fire(domain+"_"+f.Kind, map[string]any{"entity_id": e.entityID, "wanted": f.Wanted, "found": f.Found,
		"seconds": f.Seconds})
	return nil, nil
}
