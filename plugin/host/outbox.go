package host

import (
	"reflect"
	"sync"
	"time"
)

// How long a change waits for others. Quiet keeps the readings of one poll together. Longest bounds the delay on a line
// that never rests: at most 4 frames a second, because the host disconnects a browser with 1024 pending messages.
const (
	Quiet   = 50 * time.Millisecond
	Longest = 250 * time.Millisecond
)

// States is a set of changes, each the newest there is.
type States struct {
	Values    map[string]any         // by entity id; nil is unknown. A value that JSON cannot hold becomes unknown
	Cached    map[string]time.Time   // when those of Values were read that come from the cache
	Available map[string]bool        // by entity id: false is unavailable though the device answers
	Devices   map[string]DeviceState // by device id
}

// Outbox holds the newest value and availability of every entity, and which of them the host does not know yet. Its
// size is bounded by the number of entities, however long the host is away. Only the newest value is ever sent. Its
// methods never wait and may be called from any goroutine.
type Outbox struct {
	mu        sync.Mutex
	values    map[string]entityValue
	available map[string]bool
	devices   map[string]DeviceState

	unsentValues    idSet
	unsentAvailable idSet
	unsentDevices   idSet
	first, last     time.Time // when the oldest and the newest of the unsent changes came

	wake chan struct{}
}

// entityValue is the newest value of an entity.
type entityValue struct {
	value  any
	readAt time.Time // set if the value comes from the cache
}

// NewOutbox returns an empty outbox.
func NewOutbox() *Outbox {
	return &Outbox{
		values:    map[string]entityValue{},
		available: map[string]bool{},
		devices:   map[string]DeviceState{},
		wake:      make(chan struct{}, 1),
	}
}

// Put takes changes. A value that the outbox holds already is not sent again.
func (o *Outbox) Put(changes States) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.unsent()
	o.note(changes)
	if o.unsent() > before {
		o.changed()
	}
}

// note takes over what differs. The caller holds mu.
func (o *Outbox) note(changes States) {
	for id, d := range changes.Devices {
		if old, ok := o.devices[id]; !ok || !reflect.DeepEqual(old, d) {
			o.devices[id] = d
			o.unsentDevices.add(id)
		}
	}
	for id, a := range changes.Available {
		if old, ok := o.available[id]; !ok || old != a {
			o.available[id] = a
			o.unsentAvailable.add(id)
		}
	}
	for id, v := range changes.Values {
		now := entityValue{value: Value(v)}
		if at, ok := changes.Cached[id]; ok {
			now.readAt = at.Truncate(time.Second)
		}
		if old, ok := o.values[id]; !ok || old.value != now.value || !old.readAt.Equal(now.readAt) {
			o.values[id] = now
			o.unsentValues.add(id)
		}
	}
}

// Forget drops entities and devices that are no longer there.
func (o *Outbox) Forget(entities, devices []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range entities {
		delete(o.values, id)
		delete(o.available, id)
		o.unsentValues.remove(id)
		o.unsentAvailable.remove(id)
	}
	for _, id := range devices {
		delete(o.devices, id)
		o.unsentDevices.remove(id)
	}
	if o.unsent() == 0 {
		o.first, o.last = time.Time{}, time.Time{}
	}
}

// changed restarts the wait for further changes and wakes the sender.
func (o *Outbox) changed() {
	o.last = time.Now()
	if o.first.IsZero() {
		o.first = o.last
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *Outbox) unsent() int {
	return o.unsentValues.len() + o.unsentAvailable.len() + o.unsentDevices.len()
}

// due returns how long the changes still wait for others; ok is false if there are none.
func (o *Outbox) due() (wait time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.unsent() == 0 {
		return 0, false
	}
	at := o.last.Add(Quiet)
	if latest := o.first.Add(Longest); latest.Before(at) {
		at = latest
	}
	return max(0, time.Until(at)), true
}

// markAll marks everything as unsent: the host knows nothing.
func (o *Outbox) markAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.devices {
		o.unsentDevices.add(id)
	}
	for id := range o.available {
		o.unsentAvailable.add(id)
	}
	for id := range o.values {
		o.unsentValues.add(id)
	}
}

// take returns the next frame of unsent changes, and whether it is the last for now. Availability comes first, so that
// no value reaches an entity that still seems unavailable for a reason that has passed.
func (o *Outbox) take() (f StatesFrame, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.Values = map[string]any{}
	room := MaxStates
	if ids := o.unsentDevices.take(room); len(ids) > 0 {
		room -= len(ids)
		f.Devices = make(map[string]DeviceState, len(ids))
		for _, id := range ids {
			f.Devices[id] = o.devices[id]
		}
	}
	if ids := o.unsentAvailable.take(room); len(ids) > 0 {
		room -= len(ids)
		f.Available = make(map[string]bool, len(ids))
		for _, id := range ids {
			f.Available[id] = o.available[id]
		}
	}
	for _, id := range o.unsentValues.take(room) {
		s := o.values[id]
		f.Values[id] = s.value
		if !s.readAt.IsZero() {
			if f.Cached == nil {
				f.Cached = map[string]time.Time{}
			}
			f.Cached[id] = s.readAt
		}
	}
	last = o.unsent() == 0
	if last {
		o.first, o.last = time.Time{}, time.Time{}
	}
	return f, last
}

// confirm returns the newest values of ids, which travel with a result, and marks them as sent. It leaves out ids that
// have no value or one from the cache.
func (o *Outbox) confirm(ids []string) map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	values := make(map[string]any, len(ids))
	for _, id := range ids {
		if s, ok := o.values[id]; ok && s.readAt.IsZero() {
			values[id] = s.value
			o.unsentValues.remove(id)
		}
	}
	if o.unsent() == 0 {
		o.first, o.last = time.Time{}, time.Time{}
	}
	return values
}
