package devices

import (
	"context"
	"sync"
	"time"

	"solarhub/devices/profile"
)

// reporter tells the sink in order, and lets nothing older pass what a write has brought.
type reporter struct {
	sink  Sink
	order sync.Mutex // held while the sink is told; taken before mu
	said  Status     // guarded by order

	mu      sync.Mutex // guards what follows
	last    map[string]Reading
	write   map[string]epoch
	watches map[string]watched // by point
}

// epoch is what a write to a point means for readings of it.
type epoch struct {
	busy  bool      // a write is between its first byte and its end: no other reading counts
	after time.Time // readings that began before it are of the time before the write
}

func newReporter(sink Sink) *reporter {
	return &reporter{sink: sink, last: map[string]Reading{}, write: map[string]epoch{}, watches: map[string]watched{}}
}

// readings passes on what is not overtaken by a write.
func (r *reporter) readings(ctx context.Context, d *Device, readings []Reading) {
	r.order.Lock()
	defer r.order.Unlock()
	current, reverted := r.keep(readings)
	if len(current) > 0 {
		r.sink.Readings(ctx, d, current)
	}
	r.tellReverted(ctx, d, reverted)
}

func (r *reporter) keep(readings []Reading) ([]Reading, []Reverted) {
	r.mu.Lock()
	defer r.mu.Unlock()
	current := make([]Reading, 0, len(readings))
	for _, reading := range readings {
		if e := r.write[reading.Key]; e.busy || reading.ReadAt.Before(e.after) {
			continue
		}
		if last, ok := r.last[reading.Key]; ok && reading.ReadAt.Before(last.ReadAt) {
			continue
		}
		r.last[reading.Key] = reading
		current = append(current, reading)
	}
	return current, r.reverted(current)
}

// begin marks a write to the point as going out.
func (r *reporter) begin(p profile.Point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write[p.Key] = epoch{busy: true}
	r.forget(p)
}

// end marks it as over and reports what was read back, nil if nothing was; what was confirmed is watched. From then on a reading
// counts only if it began after the read-back, or after now.
func (r *reporter) end(ctx context.Context, d *Device, p profile.Point, found *Reading, confirmed bool) {
	e := epoch{after: time.Now()}
	if found != nil {
		e.after = found.ReadAt
	}
	r.order.Lock()
	defer r.order.Unlock()
	r.mu.Lock()
	r.write[p.Key] = e
	delete(r.last, p.Key)
	if found != nil {
		r.last[p.Key] = *found
	}
	delete(r.watches, p.Key)
	if confirmed {
		r.watch(p, *found)
	}
	r.mu.Unlock()
	if found != nil {
		r.sink.Readings(ctx, d, []Reading{*found})
	}
}

// fresh returns the last reading of the point if it is not older than age and no write is under way.
func (r *reporter) fresh(key string, age time.Duration) (Reading, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.last[key]
	return last, ok && !r.write[key].busy && last.Raw != nil && time.Since(last.ReadAt) <= age
}

// status tells the device's status if it is another than was told last.
func (r *reporter) status(ctx context.Context, d *Device) {
	r.order.Lock()
	defer r.order.Unlock()
	if s := d.Status(); s != r.said {
		r.said = s
		r.sink.Status(ctx, d, s)
	}
}

// release ends a write of which nothing was carried out: readings count as before, and what was confirmed before is still watched.
func (r *reporter) release(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.write[key].busy {
		delete(r.write, key)
	}
}
