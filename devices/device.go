package devices

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Device is a profile at a unit id on a line. Run polls it; all other methods may be called from any goroutine, also before and
// after Run.
type Device struct {
	cfg    Config
	bus    Bus
	client ask.Client
	log    zerolog.Logger
	out    *reporter
	writer *write.Writer

	wake      chan struct{}   // tells Run that something has changed
	refreshes chan chan error // Refresh asks Run

	mu     sync.Mutex // guards what follows; never held while waiting
	points []profile.Point
	status Status

	admitted   bool   // who answers on connection is the device
	connection uint64 // of the line
	admissions uint64 // counts how often it was identified

	wanted     func(key string) bool
	learnt     Lessons              // never changed in place
	refused    map[string]time.Time // points the device does not give, with the time to ask again
	generation uint64               // counts what changes the plan
	wishes     uint64               // counts the calls of SetEnabled
	dropped    uint64
	tally      tally
}

// New makes a device that reports to sink. It does nothing before Run. With cfg.Known its points and entities are there at once.
func New(cfg Config, bus Bus, sink Sink, log zerolog.Logger) *Device {
	d := &Device{
		cfg: cfg, bus: bus, client: ask.Client{Bus: bus, Unit: cfg.Unit, Line: cfg.Line}, log: log,
		wake: make(chan struct{}, 1), refreshes: make(chan chan error),
		learnt: cfg.Learnt, refused: map[string]time.Time{},
		status: Status{Reason: "not asked yet", Since: time.Now()},
	}
	d.out = newReporter(d, sink)
	d.writer = write.New(write.Config{Name: d.Name(), ReadOnly: cfg.ReadOnly, Arm: cfg.Arm}, d.client, writing{d}, d.out, log)
	if k := cfg.Known; k != nil && k.Serial != "" {
		if points, err := cfg.Profile.Resolve(k.Variant); err == nil {
			d.points, d.status.Identity = points, *k
		}
	}
	return d
}

// Name returns what people call the device.
func (d *Device) Name() string { return cmp.Or(d.cfg.Name, d.cfg.Profile.Name) }

// Profile returns the family of the device.
func (d *Device) Profile() *profile.Profile { return d.cfg.Profile }

// ID returns the device id, empty until the device was identified for the first time.
func (d *Device) ID() string { return d.Identity().Serial }

// Identity returns what the device is, or was when it was last seen; zero if it never was.
func (d *Device) Identity() Identity { return d.Status().Identity }

// Status returns how the device is.
func (d *Device) Status() Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status
}

// Points returns the points of the device's variant; nil until it was identified for the first time.
func (d *Device) Points() []profile.Point {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.points)
}

// point finds a point by its key.
func (d *Device) point(key string) (profile.Point, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	i := slices.IndexFunc(d.points, func(p profile.Point) bool { return p.Key == key })
	if i < 0 {
		return profile.Point{}, false
	}
	return d.points[i], true
}

// SetEnabled says which points are polled; without it those the profile enables. All of them are then read anew. wanted is
// called from any goroutine and must be quick.
func (d *Device) SetEnabled(wanted func(key string) bool) {
	d.mu.Lock()
	d.wanted = wanted
	d.generation++
	d.wishes++
	d.mu.Unlock()
	d.nudge()
}

// nudge tells Run to look again.
func (d *Device) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// enabled returns the points that are polled; the caller holds mu.
func (d *Device) enabled() []profile.Point {
	return slices.DeleteFunc(readable(d.points), func(p profile.Point) bool {
		if d.wanted == nil {
			return !p.Entity.Enabled
		}
		return !d.wanted(p.Key)
	})
}

// Plan returns the reads that bring all enabled points at once, with the holes learnt so far.
func (d *Device) Plan() []plan.Read {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, _ := d.layout(d.enabled())
	return l.reads
}

// layout plans the points within what is known of the device: those that it refuses are left out and not read across. The caller
// holds mu.
func (d *Device) layout(points []profile.Point) (*layout, map[string]error) {
	given := slices.DeleteFunc(slices.Clone(points), func(p profile.Point) bool { return !d.refused[p.Key].IsZero() })
	limits := d.limits(given)
	for _, p := range d.points {
		if d.refused[p.Key].IsZero() {
			continue
		}
		for _, r := range p.Ranges {
			if !overlapsAny(given, r) {
				limits.Holes = append(limits.Holes, r)
			}
		}
	}
	return bestLayout(given, limits, TimingOf(d.cfg.Line))
}

func overlapsAny(points []profile.Point, r protocol.Range) bool {
	return slices.ContainsFunc(points, func(p profile.Point) bool { return slices.ContainsFunc(p.Ranges, r.Overlaps) })
}

// Refused returns the keys of the points that the device does not give, sorted.
func (d *Device) Refused() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Sorted(maps.Keys(d.refused))
}

// Read reads one point now, ahead of the poll, and reports it. The device is identified first if that is due.
func (d *Device) Read(ctx context.Context, key string) (Reading, error) {
	p, ok := d.point(key)
	if !ok || p.Button() {
		return Reading{}, fmt.Errorf("read %s of %s: there is no such value", key, d.Name())
	}
	var got Reading
	req := d.client.Request(protocol.PriorityRead, ask.ForTurn)
	err := d.hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) (err error) {
		got, err = ask.Point(ctx, x.Exchange, req, p)
		return err
	})
	if err != nil {
		return Reading{}, fmt.Errorf("read %s of %s: %w", p.Name, d.Name(), err)
	}
	d.out.readings(ctx, []Reading{got})
	return got, nil
}

// Write sets a point and returns when the device has been read back, or when it is clear that it will not be. The error
// is a *WriteError. ctx ends a set-value that was not sent yet; one that was is finished and its outcome returned. The
// set-value waits until Run runs.
func (d *Device) Write(ctx context.Context, set Set) (Outcome, error) {
	return d.writer.Write(ctx, set)
}

// hold has f called with the line held and the device identified on its connection; again while the device is busy.
func (d *Device) hold(ctx context.Context, req protocol.Request,
	f func(ctx context.Context, x protocol.Exchanger) error) error {
	err := d.client.Patiently(req, func(req protocol.Request) error {
		return d.bus.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
			if err := d.admit(ctx, x); err != nil {
				return err
			}
			return f(ctx, x)
		})
	})
	d.out.status(context.WithoutCancel(ctx))
	return err
}

// writing is what the writer sees of its device.
type writing struct{ *Device }

func (d writing) Point(key string) (profile.Point, bool) { return d.point(key) }

func (d writing) Hold(ctx context.Context, req protocol.Request,
	f func(ctx context.Context, x protocol.Exchanger) error) error {
	return d.hold(ctx, req, f)
}

func (d writing) Known() (id, reason string) {
	s := d.Status()
	return s.Identity.Serial, s.Reason
}

// Refresh has Run read every enabled point once, ahead of the poll, and waits for it. The error is the first that occurred.
func (d *Device) Refresh(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case d.refreshes <- done:
	case <-ctx.Done():
		return fmt.Errorf("refresh %s: %w", d.Name(), context.Cause(ctx))
	}
	select {
	case err := <-done:
		if err != nil {
			return fmt.Errorf("refresh %s: %w", d.Name(), err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("refresh %s: %w", d.Name(), context.Cause(ctx))
	}
}

// dueAgain returns a point that was refused and is to be asked for again.
func (d *Device) dueAgain(now time.Time) (profile.Point, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.points {
		if at, refused := d.refused[p.Key]; refused && !at.After(now) {
			return p, true
		}
	}
	return profile.Point{}, false
}

// refuse notes that the device does not give a point, or, with a zero time, that it does.
func (d *Device) refuse(key string, again time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.refused[key].IsZero() != again.IsZero() {
		d.generation++
	}
	if again.IsZero() {
		delete(d.refused, key)
	} else {
		d.refused[key] = again
	}
}
