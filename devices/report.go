package devices

import (
	"context"
	"slices"
	"sync"
	"time"

	"solarhub/devices/plausible"
	"solarhub/devices/profile"
	"solarhub/devices/write"
)

// reporter tells the sink in order, and lets nothing older pass what a write has brought.
type reporter struct {
	device *Device
	sink   Sink
	order  sync.Mutex // held while the sink is told; taken before mu
	said   Status     // guarded by order

	mu      sync.Mutex // guards what follows
	last    map[string]Reading
	derived []profile.Point // see derive.go
	quiet   map[string]bool
	writes  map[string]lastWrite // by point
	watches map[string]watched   // by point
	marks   plausible.Marks      // see believe.go
	rated   string               // key of the point that tells what the device is made for; empty: none
}

// lastWrite is what a write to a point means for readings of it.
type lastWrite struct {
	underWay bool      // it is between its first byte and its end: no other reading counts
	over     time.Time // readings that began before it are of the time before the write
}

func newReporter(d *Device, sink Sink) *reporter {
	return &reporter{
		device: d, sink: sink,
		last: map[string]Reading{}, writes: map[string]lastWrite{}, watches: map[string]watched{},
	}
}

// forget leaves the last readings behind: another device gave them, or one with other scales, and no value may be
// derived from them. Its caller may hold the device.
func (r *reporter) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.last)
	r.marks.Forget()
}

// readings passes on what is not overtaken by a write.
func (r *reporter) readings(ctx context.Context, readings []Reading) {
	r.order.Lock()
	defer r.order.Unlock()
	r.pass(ctx, readings, false)
}

// polled is the same for readings of the poll, of which some were read only for what follows from them. It returns the
// keys of those that cannot be true, and are to be read again.
func (r *reporter) polled(ctx context.Context, readings []Reading) (again []string) {
	r.order.Lock()
	defer r.order.Unlock()
	return r.pass(ctx, readings, true)
}

// pass tells the sink; the caller holds order.
func (r *reporter) pass(ctx context.Context, readings []Reading, polled bool) (again []string) {
	current, changed, again := r.keep(readings, polled)
	if len(current) > 0 {
		r.tell(ctx, current)
	}
	for _, one := range changed {
		r.sink.Changed(ctx, r.device, one)
	}
	return again
}

// tell passes readings on; the caller holds order.
func (r *reporter) tell(ctx context.Context, readings []Reading) {
	r.device.held.See(readings)
	r.sink.Readings(ctx, r.device, readings)
}

func (r *reporter) keep(readings []Reading, polled bool) (current []Reading, changed []Changed, again []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	current = make([]Reading, 0, len(readings))
	for _, reading := range readings {
		if w := r.writes[reading.Key]; w.underWay || reading.ReadAt.Before(w.over) {
			continue
		}
		if last, ok := r.last[reading.Key]; ok && reading.ReadAt.Before(last.ReadAt) {
			continue
		}
		current = append(current, reading)
	}
	current, again = r.believe(current)
	for _, reading := range current {
		r.last[reading.Key] = reading
	}
	changed, follow := r.changed(current), r.follow(current)
	if polled && len(r.quiet) > 0 {
		current = slices.DeleteFunc(current, func(one Reading) bool { return r.quiet[one.Key] })
	}
	return append(current, follow...), changed, again
}

// Begin marks a write to the point as going out.
func (r *reporter) Begin(p profile.Point) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.writes[p.Key] = lastWrite{underWay: true, over: r.writes[p.Key].over}
	r.unwatch(p)
}

// End marks it as over and reports what was read back. A reading counts from then on only if it began after the
// read-back or, if there is none, after now. Where nothing was carried out, readings count as before.
func (r *reporter) End(ctx context.Context, p profile.Point, end write.End) {
	if !end.Written {
		r.mu.Lock()
		r.writes[p.Key] = lastWrite{over: r.writes[p.Key].over}
		r.mu.Unlock()
		if end.Found != nil {
			r.readings(ctx, []Reading{*end.Found})
		}
		return
	}
	w := lastWrite{over: time.Now()}
	if end.Found != nil {
		w.over = end.Found.ReadAt
	}
	r.order.Lock()
	defer r.order.Unlock()
	r.mu.Lock()
	r.writes[p.Key] = w
	delete(r.last, p.Key)
	if end.Found != nil {
		r.last[p.Key] = *end.Found
	}
	delete(r.watches, p.Key)
	if end.Ended {
		r.watch(p, end)
	}
	var told []Reading
	if end.Found != nil {
		told = append([]Reading{*end.Found}, r.follow([]Reading{*end.Found})...)
	}
	r.mu.Unlock()
	if told != nil {
		r.tell(ctx, told)
	}
}

// Fresh returns the last reading of the point if it is not older than age, nothing is being written to it, and the
// device has been identified.
func (r *reporter) Fresh(key string, age time.Duration) (Reading, bool) {
	if !r.device.isIdentified() {
		return Reading{}, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last, ok := r.last[key]
	return last, ok && !r.writes[key].underWay && last.Raw != nil && time.Since(last.ReadAt) <= age
}

// status tells the device's status if it is another than was told last. Of a device that is starting it tells nothing.
func (r *reporter) status(ctx context.Context) {
	r.order.Lock()
	defer r.order.Unlock()
	if r.device.isStarting() {
		return
	}
	if s := r.device.Status(); s != r.said {
		r.said = s
		r.sink.Status(ctx, r.device, s)
	}
}
