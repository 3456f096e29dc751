package hub

import (
	"maps"
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol/codec"
)

// state is what the Hub knows. It belongs to the Hub's goroutine.
type state struct {
	hub       *Hub
	members   []*member // in the order of the configuration
	memory    Memory
	ledger    *ledger.Ledger
	disabled  map[string]bool // ids; meaningless before listKnown
	measured  time.Time       // when the lines were measured last
	listKnown bool            // the host has said what is disabled, in this run or before

	disabledRecords int // of the cache, for the list
	pending         map[string][]byte

	deleted      map[string]string // ids that the owner has deleted -> the entry of the configuration at that time
	askedToLeave bool              // devices that have left the configuration were looked for
	leaving      bool              // there were some

	// underWay counts the set-values under way for each entity id. What is read back reaches the outbox only when the
	// call ends, so that it travels with the result and the host knows who did it.
	underWay map[string]int

	watchers map[*watcher]bool
}

// member is one device with its newest readings.
type member struct {
	device *devices.Device
	place  string // line and unit, for the cache
	entry  string // what the configuration says of it
	gauge  Gauge

	pendingID string    // under which the host shows it until it is identified for the first time
	pending   bool      // it does
	silent    time.Time // when it was asked for the first time and not identified

	id         string // device id; empty: not known yet, or taken by another unit
	last       string // the id before, while id is empty
	serial     string // of the device; another one once it has been replaced
	clash      string // the id that another unit has already, so that it is told once
	traits     string
	asked      bool // a status has come: it was online or not
	status     devices.Status
	points     map[string]profile.Point
	ids        map[string][]string // point key -> ids of its entities
	widened    uint64              // of devices.Device.Widened, as the host was told
	families   []string            // the device's id and those of its parts
	clockRight bool                // the host was told that its clock is
	values     map[string]*latest  // by point key
	refused    map[string]bool     // points that the device does not give

	known   []byte          // as the cache has it
	polled  map[string]bool // keys that were last enabled; nil: as the profile says
	listed  bool            // a list of the host has named one of its ids
	offered time.Time       // when the first list came that might have
}

// latest is the newest reading of a point.
type latest struct {
	keptValue
	raw    []uint16  // nil where it was not read in this run
	cached bool      // read before this run
	saved  keptValue // as the cache has it
}

func newState(h *Hub, places []Place, m Memory) *state {
	s := &state{hub: h, memory: m, ledger: ledger.New(m.ledger), disabled: set(m.disabled), listKnown: m.listKnown,
		disabledRecords: m.disabledRecords,
		pending:         map[string][]byte{}, deleted: maps.Clone(m.deleted), underWay: map[string]int{},
		watchers: map[*watcher]bool{}}
	if s.deleted == nil {
		s.deleted = map[string]string{}
	}
	s.memory.own()
	for _, p := range places {
		s.members = append(s.members, s.newMember(p))
	}
	return s
}

func (s *state) newMember(p Place) *member {
	u := &member{device: p.Device, place: p.Key, entry: p.Entry, gauge: p.Gauge, values: map[string]*latest{},
		refused: map[string]bool{}, pendingID: p.Pending}
	if k, ok := s.memory.known[p.Key]; ok {
		u.known, u.pending = encode(k), k.Pending && p.Pending != ""
	}
	return u
}

// memberOf returns nil for a device that has left the configuration, or is followed by another: what it still tells is
// of no use.
func (s *state) memberOf(d *devices.Device) *member {
	i := slices.IndexFunc(s.members, func(u *member) bool { return u.device == d })
	if i < 0 {
		return nil
	}
	return s.members[i]
}

// readings takes new values of a device.
func (s *state) readings(d *devices.Device, readings []devices.Reading) {
	u := s.memberOf(d)
	if u == nil {
		return
	}
	changes := host.States{Values: map[string]any{}, Available: map[string]bool{}}
	for _, r := range readings {
		v := u.values[r.Key]
		if v == nil {
			v = &latest{}
			u.values[r.Key] = v
		}
		s.tellFall(u, v, r)
		s.tellWatchers(u, v, r)
		v.keptValue, v.raw, v.cached = keptValue{Value: r.Value, ReadAt: r.ReadAt}, r.Raw, false
		s.finish(u, r)
		refused := r.Value.Kind == codec.KindNone && r.Raw == nil
		for _, id := range u.ids[r.Key] {
			if s.underWay[id] == 0 {
				changes.Values[id] = r.Value.Any()
			}
			if refused || u.refused[r.Key] {
				changes.Available[id] = !refused
			}
		}
		u.refused[r.Key] = refused
	}
	s.tellClock(u, readings)
	if n := d.Widened(); n != u.widened && u.id != "" { // before the values that the definitions do not allow yet
		u.widened = n
		s.describe(time.Now())
	}
	s.hub.outbox.Put(changes)
}

// hold keeps the values of entities back until release.
func (s *state) hold(ids []string) {
	for _, id := range ids {
		s.underWay[id]++
	}
}

// release puts the newest values of a point into the outbox, though other set-values for it may be under way.
func (s *state) release(t entityPoint, ids []string) {
	changes := host.States{Values: map[string]any{}}
	var v *latest
	if u := s.memberOf(t.device); u != nil {
		v = u.values[t.point.Key]
	}
	for _, id := range ids {
		if s.underWay[id]--; s.underWay[id] == 0 {
			delete(s.underWay, id)
		}
		if v != nil && !v.cached {
			changes.Values[id] = v.Value.Any()
		}
	}
	s.hub.outbox.Put(changes)
}

// status takes the state of a device. A device that becomes known, or turns out to have other traits, changes the
// definitions.
func (s *state) status(d *devices.Device, status devices.Status, now time.Time) {
	u := s.memberOf(d)
	if u == nil {
		return
	}
	before := u.status
	back := u.asked && !u.status.Online && status.Online
	u.status, u.asked = status, true
	s.tellStatus(u, before, status)
	s.tellAway(u, before, status)
	if u.silent.IsZero() {
		u.silent = now
	}
	if status.Identity != before.Identity {
		s.describe(now)
		s.enable(now)
	}
	if back {
		s.age(u, now)
	}
	s.hub.outbox.Put(host.States{Devices: u.online()})
	s.showPending(u, now)
	if status.Online != before.Online || status.Reason != before.Reason {
		s.measure(now, true) // while its entities keep their values, the advice is all that shows that it is away
	}
}

func (s *state) tellStatus(u *member, before, status devices.Status) {
	if before.Online == status.Online && before.Identified == status.Identified && before.Reason == status.Reason {
		return
	}
	if status.Unproven {
		s.hub.log.Warn().Str("device", u.device.Name()).Str("reason", status.Reason).Msg("The device is read only")
		return
	}
	if status.Online && status.Reason != "" {
		s.hub.log.Warn().Str("device", u.device.Name()).Str("reason", status.Reason).
			Msg("The device does not answer. It keeps its values for the grace")
		return
	}
	if status.Online {
		s.hub.log.Info().Str("device", u.device.Name()).Str("serial_number", status.Identity.Serial).Str("model",
			status.Identity.Model).
			Msg("The device answers")
		return
	}
	s.hub.log.Warn().Str("device", u.device.Name()).Str("reason", status.Reason).Msg("The device is not available")
}

// online returns the availability of the device and its parts. Before it was asked for the first time it counts as
// online: what is shown then comes from the cache and says so.
func (u *member) online() map[string]host.DeviceState {
	state := host.DeviceState{Online: !u.asked || u.status.Online}
	if !state.Online {
		state.Reason = u.status.Reason
	}
	all := make(map[string]host.DeviceState, len(u.families))
	for _, id := range u.families {
		all[id] = state
	}
	if u.id == "" {
		return all
	}
	if one, ok := all[u.id]; ok {
		one.Problems = u.problems()
		all[u.id] = one
	}
	// What is wrong with the line is shown above all while the device is away.
	all[partID(u.id, linePart)] = host.DeviceState{Online: true}
	return all
}

// describe builds the definitions from what is known now, and has the host ask for them. It shows the cached values of
// a device that has just become known.
func (s *state) describe(now time.Time) {
	c := newCatalog()
	taken := map[string]*member{}
	for _, u := range s.members {
		id := u.device.ID()
		if other := taken[id]; id != "" && other != nil {
			s.tellClash(u, other, id)
			id = ""
		}
		if u.device.ID() == "" && u.pending && !s.isDeleted(u, u.pendingID) {
			c.addPending(u.device, u.pendingID)
		}
		if id == "" || s.isDeleted(u, id) {
			u.id, u.ids, u.families = "", nil, nil
			continue
		}
		taken[id] = u
		traits := u.device.Identity().Traits
		changed := u.id != id || u.traits != traits
		if u.last != id {
			clear(u.values) // they are another device's
		}
		if who := u.device.Identity().Serial; u.serial != "" && u.serial != who {
			s.beginCounts(u)
		}
		u.serial = u.device.Identity().Serial
		u.id, u.last, u.traits, u.clash, u.pending = id, id, traits, "", false
		u.points = byKey(u.device.Points())
		u.ids, u.families = c.add(u.device, func(id string) bool { return s.isDeleted(u, id) })
		if changed {
			s.recall(u, now)
			s.finishPresses(u)
		}
		s.showChoices(u, id)
		s.hub.outbox.Put(host.States{Devices: u.online()})
	}
	s.hub.described.Store(c)
	s.hub.asks.Redescribe()
	s.measure(now, true) // it shows those that are pending, too
}

func (s *state) tellClash(u, other *member, id string) {
	if u.clash != id {
		u.clash = id
		s.hub.log.Error().Str("device", u.place).Str("same_as", other.place).Str("id", id).
			Msg("Two devices have the same id: the second is left out; take one of them out of the configuration, " +
				"or give them an id:")
	}
}

func byKey(points []profile.Point) map[string]profile.Point {
	all := make(map[string]profile.Point, len(points))
	for _, p := range points {
		all[p.Key] = p
	}
	return all
}

// recall takes the last values of a device from the cache, unless newer ones are known, and shows those that are fresh
// or lasting.
func (s *state) recall(u *member, now time.Time) {
	for key, k := range s.memory.values[u.id] {
		if _, ok := u.points[key]; ok && u.values[key] == nil {
			u.values[key] = &latest{keptValue: k, cached: true, saved: k}
		}
	}
	s.show(u, func(p profile.Point, v *latest) (any, bool) {
		return v.Value.Any(), !v.cached || isLasting(p) || isFresh(v.ReadAt, now)
	})
}

// age marks the old values of a device that comes back as cached until they are read again.
func (s *state) age(u *member, now time.Time) {
	s.show(u, func(p profile.Point, v *latest) (any, bool) {
		if isFresh(v.ReadAt, now) {
			return nil, false
		}
		v.cached = true
		if !isLasting(p) {
			return nil, true
		}
		return v.Value.Any(), true
	})
}

// show puts values into the outbox: for each point the one that value returns, if ok. A cached value carries the time
// when it was read.
func (s *state) show(u *member, value func(p profile.Point, v *latest) (any, bool)) {
	changes := host.States{Values: map[string]any{}, Cached: map[string]time.Time{}}
	for key, v := range u.values {
		what, ok := value(u.points[key], v)
		if !ok {
			continue
		}
		for _, id := range u.ids[key] {
			changes.Values[id] = what
			if v.cached && what != nil {
				changes.Cached[id] = v.ReadAt
			}
		}
	}
	s.hub.outbox.Put(changes)
}

// collect adds to pending what the cache lacks: changed values, and from time to time the read time of unchanged ones.
// With all it adds every value.
func (s *state) collect(now time.Time, all bool) {
	for _, u := range s.members {
		s.collectKnown(u)
		if u.id == "" {
			continue
		}
		for key, v := range u.values {
			same := v.Value == v.saved.Value &&
				(v.ReadAt.Equal(v.saved.ReadAt) || !all && v.ReadAt.Sub(v.saved.ReadAt) < resaveAfter)
			if v.cached || same || v.Value.Kind == codec.KindNone {
				continue
			}
			v.saved = v.keptValue
			s.pending[valueKey(u.id, key)] = encode(v.keptValue)
		}
	}
	s.ledger.Flush(s.pending)
}

// toKeep returns what a restart is to know of the device; not ok if that is nothing.
func (u *member) toKeep() (k knownDevice, ok bool) {
	k = knownDevice{Profile: u.device.Profile().ID, Identity: u.device.Identity(), Learned: u.device.Learned(),
		Pending: u.pending}
	return k, k.Identity.Serial != "" || k.Pending || len(k.Learned.Chosen) > 0
}

func (s *state) collectKnown(u *member) {
	k, ok := u.toKeep()
	if !ok {
		if u.known != nil { // it was forgotten
			u.known = nil
			s.pending[knownPrefix+u.place] = nil
		}
		return
	}
	if text := encode(k); string(text) != string(u.known) {
		u.known = text
		s.pending[knownPrefix+u.place] = text
		if u.id != "" {
			s.keepReplaced(k.Identity)
		}
	}
}

func set(keys []string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}
