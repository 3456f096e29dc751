package devices

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/poll"
	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Device is a profile at a unit id on a line. Run polls it and writes to it; all other methods may be called from any
// goroutine, also before and after Run.
type Device struct {
	cfg      Config
	client   ask.Client
	log      zerolog.Logger
	out      *reporter
	writer   *write.Writer
	held     *write.Held
	poller   *poll.Poller
	askedWho time.Time                     // because of something odd; of Run alone
	clock    atomic.Pointer[profile.Point] // the point that is the clock; nil: none
	away     away

	mu     sync.Mutex // guards what follows; never held while waiting
	points []profile.Point
	status Status

	chosen     profile.Traits // what the owner has chosen; replaced as a whole
	choices    int            // that he has made in this run
	admitted   bool           // who answers on connection is the device
	connection uint64         // of the line
	apart      bool           // identification asks for what need not be there by itself
	firstBase  int            // of SunSpec, at which identification looks first; of whoever holds the line
	ofFamily   bool           // it was found to be, or is being identified and was: see profile.Identify.Never

	unproven unproven // of who answers on connection
	heir     string   // the serial number of a device that may take the place of this one

	wanted  func(key string) bool
	version uint64 // counts what changes the selection of points

	glitches uint64 // absences that ended within the grace
	starting bool   // known from the cache, not heard of in this run, and still in its grace: nothing is told of it
}

// New makes a device that reports to sink. It does nothing before Run. With cfg.Known its points and entities are there
// at once.
func New(cfg Config, bus Bus, sink Sink, log zerolog.Logger) *Device {
	d := &Device{
		cfg: cfg, client: ask.Client{Bus: bus, Unit: cfg.Unit, Line: cfg.Line}, log: log,
		status: Status{Reason: "not asked yet", Since: time.Now()}, version: 1, held: write.NewHeld(cfg.Learned.Held),
		chosen: valid(cfg.Learned.Chosen, cfg.Profile),
	}
	d.client.Bus = ask.Guard{Bus: bus, Never: d.never}
	d.out = newReporter(d, sink)
	d.writer = write.New(write.Config{Name: d.Name(), ReadOnly: cfg.ReadOnly, Arm: cfg.Arm, Held: d.held,
		Zone: cfg.Zone}, d.client, writing{d}, d.out, log)
	holes, longest := cfg.Learned.young()
	d.poller = poll.New(poll.Config{Intervals: cfg.Intervals, Zone: cfg.Zone, Holes: holes, Longest: longest},
		d.client, polling{d}, log)
	d.away = newAway(d.poller.Fastest(), cfg.Grace, cfg.Line)
	if k := cfg.Known; k != nil && k.Serial != "" {
		if points, err := cfg.Profile.ResolveNamed(k.Traits); err == nil {
			d.points, d.status.Identity, d.starting = points, *k, cfg.Grace > 0
			d.held.Watch(points, false)
			d.out.watchPoints(points, traitsOf(cfg.Profile, *k), cfg.Zone)
			d.out.recall(cfg.Kept)
		}
	}
	return d
}

// Run identifies the device, polls it and writes to it until ctx ends; then it returns nil. It may be called once.
func (d *Device) Run(ctx context.Context) error {
	var writing sync.WaitGroup
	defer writing.Wait()
	writing.Go(func() { _ = d.writer.Run(ctx) })
	defer d.poller.Close()
	for ctx.Err() == nil {
		if d.isUnprovenFor(serialEvery) {
			d.doubt()
		}
		if d.isIdentified() || d.comeBack(ctx) {
			d.poller.Step(ctx)
		}
	}
	return nil
}

// Identify makes sure that the device has been identified on its connection. The error says why it is not.
func (d *Device) Identify(ctx context.Context) error { return d.identify(ctx) }

// ReadRegisters reads registers now, ahead of the poll, whoever answers. Those that nothing may read are refused.
func (d *Device) ReadRegisters(ctx context.Context, r protocol.Range) (protocol.Response, error) {
	req := d.client.Request(protocol.PriorityRead, ask.ForTurn)
	req.Range = r
	var resp protocol.Response
	err := d.client.Patiently(req, func(req protocol.Request) (err error) {
		resp, err = d.client.Bus.Do(ctx, req)
		return err
	})
	return resp, err
}

// Forget drops who the device was: the next identification takes whoever answers, as at the very first start. Nothing
// is written until then.
func (d *Device) Forget() {
	d.mu.Lock()
	d.points, d.admitted, d.starting = nil, false, false
	d.version++
	d.held.Watch(nil, true)
	d.become(Status{Reason: "forgotten, and not asked since"})
	d.mu.Unlock()
	d.poller.Wake()
}

// Name returns what people call the device.
func (d *Device) Name() string { return cmp.Or(d.cfg.Name, d.cfg.Profile.Name) }

// Profile returns the family of the device.
func (d *Device) Profile() *profile.Profile { return d.cfg.Profile }

// ID returns the device id, empty until the device was identified for the first time.
func (d *Device) ID() string { return d.Identity().ID() }

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

// SetEnabled says which points are polled; without it those the profile enables. All of them are then read anew. wanted
// is called from any goroutine and must be quick.
func (d *Device) SetEnabled(wanted func(key string) bool) {
	d.mu.Lock()
	d.wanted = wanted
	d.version++
	d.mu.Unlock()
	d.poller.Wake()
}

// Plan returns the reads that bring all enabled points at once, as they are planned now.
func (d *Device) Plan() []plan.Read {
	d.mu.Lock()
	enabled := d.enabled()
	d.mu.Unlock()
	return d.poller.Plan(enabled)
}

// Poll returns how the polls went lately.
func (d *Device) Poll() PollReport { return d.poller.Report() }

// Glitches returns how often the device was away and back before its grace was over.
func (d *Device) Glitches() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.glitches
}

// Refused returns the keys of the points that the device does not give, sorted.
func (d *Device) Refused() []string { return d.poller.Refused() }

// Unread returns those of the polled points that have no value, and how many are polled; none before the device was
// identified.
func (d *Device) Unread() (all []Unread, polled int) {
	d.mu.Lock()
	enabled := d.enabled()
	d.mu.Unlock()
	return d.poller.Unread(enabled), len(enabled)
}

// Read reads one point now, ahead of the poll, and reports it. The device is identified first if that is due.
func (d *Device) Read(ctx context.Context, key string) (Reading, error) {
	p, ok := d.point(key)
	if !ok || !p.HasValue() {
		return Reading{}, fmt.Errorf("read %s of %s: there is no such value", key, d.Name())
	}
	if p.Formula != nil {
		return d.readDerived(ctx, p)
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
	d.poller.Given(key)
	d.out.readings(ctx, []Reading{got})
	return d.out.believed(got), nil
}

// readDerived reads what a derived point follows from.
func (d *Device) readDerived(ctx context.Context, p profile.Point) (Reading, error) {
	operands := map[string]Reading{}
	for _, key := range p.Formula.Keys() {
		var err error
		if _, known := operands[key]; known {
			continue
		}
		if operands[key], err = d.Read(ctx, key); err != nil {
			return Reading{}, err
		}
	}
	got, _ := derivedOf(p, operands, d.operand)
	return got, nil
}

// Write sets a point and returns when the device has been read back, or when it is clear that it will not be. The error
// is a *WriteError. ctx ends a set-value that was not sent yet; one that was is finished and its outcome returned. The
// set-value waits until Run runs.
func (d *Device) Write(ctx context.Context, set Set) (Outcome, error) {
	return d.writer.Write(ctx, set)
}

// WriteGroups returns the keys of the groups of points that are written together, in the order of the profile.
func (d *Device) WriteGroups() []string { return profile.WriteGroups(d.Points()) }

// WriteGroup sets points of one group in one request, see write.Writer.WriteGroup.
func (d *Device) WriteGroup(ctx context.Context, set SetGroup) (map[string]Outcome, error) {
	return d.writer.WriteGroup(ctx, set)
}

// hold has f called with the line held and the device identified on its connection; again while the device is busy.
func (d *Device) hold(ctx context.Context, req protocol.Request,
	f func(ctx context.Context, x protocol.Exchanger) error) error {
	err := d.client.Patiently(req, func(req protocol.Request) error {
		return d.client.Bus.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
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

func (d writing) Points() []profile.Point {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.points
}

func (d writing) Hold(ctx context.Context, req protocol.Request,
	f func(ctx context.Context, x protocol.Exchanger) error) error {
	return d.hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
		if err := d.prove(ctx, x); err != nil {
			return err
		}
		return f(ctx, x)
	})
}

func (d writing) Known() (id, reason string) {
	s := d.Status()
	return s.Identity.ID(), s.Reason
}

// polling is what the poller sees of its device.
type polling struct{ *Device }

func (d polling) Selection(version uint64) (s poll.Selection, changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.version == version {
		return s, false
	}
	return poll.Selection{Version: d.version, Traits: d.status.Identity.Traits, Points: d.enabled()}, true
}

func (d polling) Do(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	return d.do(ctx, req)
}

func (d polling) Report(ctx context.Context, readings []Reading) {
	if again := d.out.polled(ctx, readings); len(again) > 0 {
		d.readAgain(ctx, again)
		d.askWhoItIs()
	}
}

// Refresh has every enabled point read once, also those that the device has refused, ahead of the poll, and waits for
// it. The error is the first that occurred.
func (d *Device) Refresh(ctx context.Context) error {
	if err := d.poller.Refresh(ctx); err != nil {
		return fmt.Errorf("refresh %s: %w", d.Name(), err)
	}
	return nil
}
