package poll

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/plan"
)

// failuresToLose is how many reads of a point fail in a row before its value is unknown.
const failuresToLose = 3

// Poller polls one device. Step, Wait and the methods that tell it of the device belong to one goroutine; Refresh and
// what returns figures may be called from any.
type Poller struct {
	client ask.Client
	device Device
	log    zerolog.Logger
	timing protocol.Timing

	selection  Selection
	schedule   schedule
	jobs       []*job
	layouts    map[classes]*layout
	planned    uint64         // the generation of the layouts
	misses     map[string]int // reads of a point that failed in a row
	silence    silence
	doubts     doubts
	turnaround turnaround
	asked      []chan error // refreshes
	waiting    []chan error // refreshes whose reads have begun
	first      error        // that occurred in them

	wake      chan struct{}
	refreshes chan chan error
	over      chan struct{} // closed when nobody polls any more

	mu         sync.Mutex // guards what follows, for microseconds
	tally      tally
	outcomes   outcomes
	refused    map[string]refusal // points that the device does not give
	doubted    map[string]bool    // points of a read that has failed, which is being looked into
	holes      []Hole             // never changed in place
	longest    Longest            // the most registers of one read
	trials     []Hole             // between halves of such reads
	generation uint64             // counts what changes the layouts
}

// New makes a Poller. It does nothing before Step.
func New(cfg Config, client ask.Client, device Device, log zerolog.Logger) *Poller {
	return &Poller{
		client: client, device: device, log: log, timing: TimingOf(client.Line),
		schedule: newSchedule(cfg.Intervals).in(cfg.Zone), layouts: map[classes]*layout{}, misses: map[string]int{},
		silence: newSilence(), doubts: newDoubts(), turnaround: turnaround{stated: client.Line.Turnaround > 0},
		wake: make(chan struct{}, 1), refreshes: make(chan chan error), over: make(chan struct{}),
		outcomes: outcomes{}, refused: map[string]refusal{}, doubted: map[string]bool{}, holes: cfg.Holes,
		longest: cfg.Longest,
	}
}

// Fastest returns the shortest of the intervals.
func (p *Poller) Fastest() time.Duration { return p.schedule.fastest(everything) }

// Step carries out one request that is due, or waits until one is or something else has changed.
func (p *Poller) Step(ctx context.Context) {
	p.update(ctx)
	p.takeRefresh()
	p.refresh(ctx)
	now := time.Now()
	p.begin(ctx, now)
	p.askRefused(now)
	if b := p.doubts.next(now); b != nil {
		p.askDoubtful(ctx, b)
	} else if j := p.latest(now); j != nil {
		p.read(ctx, j)
	} else {
		p.Wait(ctx, p.next(now))
	}
	p.answerRefreshes()
}

// Wait waits until a time, a change, or a refresh that somebody asks for.
func (p *Poller) Wait(ctx context.Context, until time.Time) {
	var timeout <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-timeout:
	case <-p.wake:
	case done := <-p.refreshes:
		p.asked = append(p.asked, done)
	case <-ctx.Done():
	}
}

// Wake has the Poller look again, because something has changed.
func (p *Poller) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Calm forgets what Wake has said.
func (p *Poller) Calm() {
	select {
	case <-p.wake:
	default:
	}
}

// Back says that the device has been identified; anew that its values were unavailable meanwhile: all are read now.
func (p *Poller) Back(anew bool) {
	p.silence.alive(time.Now())
	if anew {
		p.anew()
	}
}

// anew has everything read now; a refresh begins anew, too.
func (p *Poller) anew() {
	p.jobs = nil
	p.asked, p.waiting = append(p.waiting, p.asked...), nil
	clear(p.misses)
	p.schedule.anew()
	p.mu.Lock()
	p.tally.anew()
	p.mu.Unlock()
}

// Close ends the refreshes that wait, and those that come later.
func (p *Poller) Close() {
	close(p.over)
	p.GiveUp(errOver)
}

var errOver = errors.New("the device is no longer polled")

// update takes over another selection, and what was found out about the device.
func (p *Poller) update(ctx context.Context) {
	s, changed := p.device.Selection(p.selection.Version)
	if changed {
		if p.selection.Version != 0 && s.Traits != p.selection.Traits {
			p.forget()
		}
		p.selection = s
		p.forgetDoubts()
		p.silence.forget()
		p.anew()
	}
	p.mu.Lock()
	if changed {
		p.generation++
		p.tally.wanted = map[profile.Interval]time.Duration{}
		for _, point := range s.Points {
			if point.Interval < profile.Once {
				p.tally.wanted[point.Interval] = p.schedule.interval(point.Interval)
			}
		}
	}
	current := p.planned == p.generation
	p.planned = p.generation
	p.mu.Unlock()
	if current {
		return
	}
	clear(p.layouts)
	for _, j := range p.jobs {
		p.replan(ctx, j)
	}
}

// forget drops what was found out about the device, because its traits are others.
func (p *Poller) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.refused)
	clear(p.outcomes)
	p.holes, p.longest = nil, Longest{}
}

// layout returns the plan of the enabled points of the classes.
func (p *Poller) layout(ctx context.Context, of classes) *layout {
	if l, ok := p.layouts[of]; ok {
		return l
	}
	l := p.plan(ctx, slices.DeleteFunc(slices.Clone(p.selection.Points), func(point profile.Point) bool {
		return !of.has(point.Interval)
	}))
	p.layouts[of] = l
	return l
}

// plan plans the points that the device gives, within what is known of it.
func (p *Poller) plan(ctx context.Context, points []profile.Point) *layout {
	p.mu.Lock()
	l, unreadable := p.layoutOf(points)
	p.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(unreadable)) {
		p.none(ctx, key, fmt.Sprintf("it cannot be read: %v", unreadable[key]))
	}
	return l
}

// layoutOf plans points: those that the device refuses, or that are being looked into, are left out and not read
// across. The caller holds mu.
func (p *Poller) layoutOf(points []profile.Point) (*layout, map[string]error) {
	limits := p.limits()
	var given, others []profile.Point
	for _, point := range points {
		if _, refused := p.refused[point.Key]; refused || p.doubted[point.Key] {
			others = append(others, point)
		} else {
			given = append(given, point)
		}
	}
	for _, other := range others {
		for _, r := range other.Ranges {
			overlaps := func(g profile.Point) bool { return slices.ContainsFunc(g.Ranges, r.Overlaps) }
			if !slices.ContainsFunc(given, overlaps) {
				limits.Holes = append(limits.Holes, r)
			}
		}
	}
	return newLayout(given, limits, slices.Concat(p.holes, p.trials), p.timing)
}

// limits returns those of the line, within what was found out. The caller holds mu.
func (p *Poller) limits() plan.Limits {
	limits := limitsOf(p.client.Line)
	if most := p.longest.Registers; most > 0 {
		limits.MaxRegisters = min(limits.MaxRegisters, most)
	}
	return limits
}

// Plan returns the reads that bring all of the points at once, as they are planned now.
func (p *Poller) Plan(points []profile.Point) []plan.Read {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, _ := p.layoutOf(points)
	return l.all()
}

// Report returns how the polls went lately.
func (p *Poller) Report() Report {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.tally.last
	r.Wanted, r.Achieved = maps.Clone(p.tally.wanted), p.tally.achieved()
	r.Dropped, r.Behind = p.tally.dropped, p.tally.behind
	return r
}

// none reports that a point has no value.
func (p *Poller) none(ctx context.Context, key, reason string) {
	p.device.Report(ctx, []ask.Reading{{Key: key, Value: codec.None(reason), ReadAt: time.Now()}})
}
