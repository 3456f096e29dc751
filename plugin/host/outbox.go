package host

import (
	"sync"
	"time"
)

// How long a change waits for others. Quiet keeps a poll's readings together; Longest bounds the delay on a line that never
// rests. 4 frames a second at most is what browsers behind the host bear (they are cut off at 1024 pending messages in 10 s).
const (
	Quiet   = 50 * time.Millisecond
	Longest = 250 * time.Millisecond
)

// States is a set of changes, each the newest there is.
type States struct {
	Values    map[string]any         // by entity id; nil is unknown. What JSON cannot hold becomes unknown
	Cached    map[string]time.Time   // those of Values that come from the cache, with the moment they were read
	Available map[string]bool        // by entity id: false is unavailable though the device answers
	Devices   map[string]DeviceState // by device id
}

// Outbox holds the newest value and availability of every entity, and which of them the host does not know yet. Its size
// is bounded by the number of entities, however long the host is away, and a value that was overtaken is never sent. Its
// methods never wait and may be called from any goroutine.
type Outbox struct {
	mu        sync.Mutex
	values    map[string]stated
	available map[string]bool
	devices   map[string]DeviceState

	dirtyValues    dirty
	dirtyAvailable dirty
	dirtyDevices   dirty
	first, last    time.Time // of the changes that are not sent

	wake chan struct{}
}

type stated struct {
	value  any
	readAt time.Time // zero: fresh
}

// NewOutbox returns an empty outbox.
func NewOutbox() *Outbox {
	return &Outbox{
		values:    map[string]stated{},
		available: map[string]bool{},
		devices:   map[string]DeviceState{},
		wake:      make(chan struct{}, 1),
	}
}

// Put notes changes. What is equal to what the outbox holds already is not sent again.
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
		if old, ok := o.devices[id]; !ok || old != d {
			o.devices[id] = d
			o.dirtyDevices.add(id)
		}
	}
	for id, a := range changes.Available {
		if old, ok := o.available[id]; !ok || old != a {
			o.available[id] = a
			o.dirtyAvailable.add(id)
		}
	}
	for id, v := range changes.Values {
		now := stated{value: Value(v)}
		if at, ok := changes.Cached[id]; ok {
			now.readAt = at.Truncate(time.Second)
		}
		if old, ok := o.values[id]; !ok || old.value != now.value || !old.readAt.Equal(now.readAt) {
			o.values[id] = now
			o.dirtyValues.add(id)
		}
	}
}

// changed restarts the time of quiet and wakes the sender.
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
	return o.dirtyValues.len() + o.dirtyAvailable.len() + o.dirtyDevices.len()
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

// all marks everything as unsent: the host knows nothing.
func (o *Outbox) all() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.devices {
		o.dirtyDevices.add(id)
	}
	for id := range o.available {
		o.dirtyAvailable.add(id)
	}
	for id := range o.values {
		o.dirtyValues.add(id)
	}
}

// take returns the next frame of unsent changes and whether it is the last for now. Availability goes first, so that a
// value never reaches an entity that is shown as unavailable for a reason that has gone.
func (o *Outbox) take() (f StatesFrame, last bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f.Values = map[string]any{}
	room := MaxStates
	if ids := o.dirtyDevices.take(room); len(ids) > 0 {
		room -= len(ids)
		f.Devices = make(map[string]DeviceState, len(ids))
		for _, id := range ids {
			f.Devices[id] = o.devices[id]
		}
	}
	if ids := o.dirtyAvailable.take(room); len(ids) > 0 {
		room -= len(ids)
		f.Available = make(map[string]bool, len(ids))
		for _, id := range ids {
			f.Available[id] = o.available[id]
		}
	}
	for _, id := range o.dirtyValues.take(room) {
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

// confirm returns the newest values of ids, to travel with a result, and marks them as sent. An id without a value, or with
// one from the cache, is left out.
func (o *Outbox) confirm(ids []string) map[string]any {
	o.mu.Lock()
	defer o.mu.Unlock()
	values := make(map[string]any, len(ids))
	for _, id := range ids {
		if s, ok := o.values[id]; ok && s.readAt.IsZero() {
			values[id] = s.value
			o.dirtyValues.remove(id)
		}
	}
	if o.unsent() == 0 {
		o.first, o.last = time.Time{}, time.Time{}
	}
	return values
}

// dirty is a set of ids in the order in which they were added. The zero value is empty.
type dirty struct {
	in    map[string]struct{}
	order []string
}

func (d *dirty) len() int { return len(d.in) }

func (d *dirty) add(id string) {
	if _, ok := d.in[id]; ok {
		return
	}
	if d.in == nil {
		d.in = map[string]struct{}{}
	}
	d.in[id] = struct{}{}
	d.order = append(d.order, id)
}

// remove takes id out. Its place in the order goes too, so that the order stays as short as the set.
func (d *dirty) remove(id string) {
	if _, ok := d.in[id]; !ok {
		return
	}
	delete(d.in, id)
	for i, o := range d.order {
		if o == id {
			d.order = append(d.order[:i], d.order[i+1:]...)
			return
		}
	}
}

func (d *dirty) take(n int) []string {
	n = min(n, len(d.order))
	ids := d.order[:n:n]
	d.order = d.order[n:]
	for _, id := range ids {
		delete(d.in, id)
	}
	if len(d.order) == 0 {
		d.order = nil
	}
	return ids
}
