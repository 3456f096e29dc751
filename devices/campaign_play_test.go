package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// player is a course that is being run.
type player struct {
	course
	line    *sim.Line
	moving  *moving
	devices []*Device
	sinks   []*diary
	over    chan struct{} // closed when the callers are to stop

	mu        sync.Mutex
	histories map[*Device][]*history
	open      int // calls of Write under way
}

// diary is a sink that remembers when it was told what.
type diary struct {
	recorder
	told []published
}

func (s *diary) Readings(_ context.Context, _ *Device, readings []Reading) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range readings {
		s.told = append(s.told, published{r, time.Now()})
	}
}

// server serves a line and returns the link to it; wait returns once ctx has ended and nothing is served any more.
type server func(ctx context.Context, line *sim.Line) (link protocol.Link, wait func())

// play runs the course until there have been enough exchanges and counts what went wrong.
func (c course) play(ctx context.Context, serve server, say complaint) (score, error) {
	c.takes = cmp.Or(c.takes, 3*time.Millisecond)
	p := &player{course: c, moving: &moving{}, histories: map[*Device][]*history{}, over: make(chan struct{})}
	for _, id := range c.units() {
		p.moving.units = append(p.moving.units, campaignUnit(id))
	}
	p.moving.move()
	p.line = sim.NewLine(sim.Options{Serial: c.serial, Turnaround: c.takes, Busy: c.busy, Keep: 1 << 20,
		SilentTCP: true}, p.moving.units...)
	p.line.Play(sim.NewScript(c.seed, c.faults()...))
	ctx, stop := context.WithCancel(ctx)
	link, wait := serve(ctx, p.line)
	bus := protocol.NewBus(link, protocol.BusOptions{RetryMin: 2 * c.timeout, RetryMax: 10 * c.timeout})
	var running, calling sync.WaitGroup
	running.Go(func() { _ = bus.Run(ctx) })
	running.Go(func() { p.moving.run(ctx, tick) })
	for _, u := range p.moving.units {
		if err := p.house(ctx, bus, u.ID(), &running, &calling); err != nil {
			stop()
			return score{}, err
		}
	}
	for begun := time.Now(); p.line.Journal().Counts().Faults < c.most &&
		time.Since(begun) < time.Duration(c.most)*100*c.timeout; {
		time.Sleep(c.timeout / 4)
	}
	exchanges := p.line.Journal().Last()
	close(p.over)
	stuck := p.end(&calling)
	stop()
	running.Wait()
	wait()
	total := p.count(say)
	total.Exchanges, total.Stuck = int(exchanges), total.Stuck+stuck
	return total, nil
}

// house adds a device with its callers.
func (p *player) house(ctx context.Context, bus *protocol.Bus, unit protocol.UnitID, running,
	calling *sync.WaitGroup) error {
	pr, err := campaignProfile(p.takes)
	if err != nil {
		return err
	}
	cfg := Config{Profile: pr, Unit: unit, Name: fmt.Sprint("unit ", unit), Line: pr.Line,
		Intervals: map[profile.Interval]time.Duration{
			profile.Now: p.timeout / 8, profile.Normal: p.timeout / 4, profile.Slow: time.Second}}
	cfg.Known = &Identity{Serial: fmt.Sprintf("CAMPAIGN0%d", unit), Traits: "b"} // which the cache says, and it is a
	if p.serial != nil {
		cfg.Line.Serial = *p.serial
	}
	cfg.Line.Pace.Timeout, cfg.Line.Quiet, cfg.Line.Join, cfg.Line.Quirks = p.timeout, 5*time.Second, p.join, p.quirks
	sink := &diary{}
	d := New(cfg, bus, sink, zerolog.Nop())
	p.devices, p.sinks = append(p.devices, d), append(p.sinks, sink)
	running.Go(func() { _ = d.Run(ctx) })
	random := rand.New(rand.NewPCG(p.seed, uint64(unit)))
	for _, k := range written() {
		h := &history{unit: unit, point: k, slack: p.slack}
		p.histories[d] = append(p.histories[d], h)
		version := 0
		for range 1 + k.id%2 { // every other point has two callers
			own := rand.New(rand.NewPCG(random.Uint64(), 0))
			calling.Go(func() { p.call(ctx, d, h, own, &version) })
		}
	}
	return nil
}

// call sets the point to one version after another until the course is over.
func (p *player) call(ctx context.Context, d *Device, h *history, random *rand.Rand, version *int) {
	between := func(from, to time.Duration) time.Duration { return from + time.Duration(random.Int64N(int64(to-from))) }
	for wait := between(1, p.timeout/10); ; wait = between(p.timeout/2,
		80*p.timeout) { // at first before it is identified
		select {
		case <-time.After(wait):
		case <-p.over:
			return
		}
		p.mu.Lock()
		if *version++; *version >= 1<<11 {
			p.mu.Unlock()
			return
		}
		c := call{value: h.point.number(h.unit, *version), at: time.Now()}
		p.open++
		p.mu.Unlock()
		patience := between(p.timeout/4, 10*p.timeout)
		c.deadline = c.at.Add(patience)
		own, cancel := ctx, func() {}
		if random.IntN(8) == 0 {
			own, cancel = context.WithTimeout(ctx, between(time.Millisecond, patience))
		}
		set := Set{Key: h.point.key, Value: c.value, Deadline: c.deadline}
		if random.IntN(4) == 0 {
			c.certain = &promise{silent: c.at.Add(between(0, patience)), step: between(1, 2*p.timeout), until: c.at}
			set.Certain = c.certain.now
		}
		out, err := d.Write(own, set)
		cancel()
		c.end, c.out = time.Now(), out
		c.err, _ = errors.AsType[*WriteError](err)
		p.mu.Lock()
		h.calls = append(h.calls, c)
		p.open--
		p.mu.Unlock()
	}
}

// end waits for the callers and returns how many never come back.
func (p *player) end(calling *sync.WaitGroup) (stuck int) {
	back := make(chan struct{})
	go func() {
		calling.Wait()
		close(back)
	}()
	select {
	case <-back:
		return 0
	case <-time.After(200 * p.timeout):
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.open
	}
}

// count judges what happened.
func (p *player) count(say complaint) (t score) {
	journal := p.line.Journal().Since(0)
	t.Faults = p.line.Journal().Counts().Faults
	done := journal[:0]
	for _, e := range journal {
		if e.Write() && e.CarriedOut && e.Exception == 0 {
			done = append(done, e)
		}
	}
	for i, d := range p.devices {
		unit, sink := p.moving.units[i].ID(), p.sinks[i]
		t.Published += len(sink.told)
		for _, r := range sink.told {
			if r.Value.Kind == 0 {
				t.Unknown++
			}
		}
		for _, c := range sink.reverted {
			if !c.TakenOver { // what failed and is held now is told rightly
				t.Alarms++
			}
		}
		t.Wrong += checkMeasured(p.moving, unit, sink.told, say)
		for _, h := range p.histories[d] {
			for _, r := range sink.told {
				if r.Key == h.point.key {
					h.reads = append(h.reads, r)
				}
			}
			h.checkCalls(done, &t, say)
			if !h.linearizable() {
				t.Wrong++
				h.tell(say)
			}
			for _, c := range h.calls {
				if c.end.Sub(c.deadline) > verifyFor+20*p.timeout+30*p.slack {
					t.Stuck++
					say("unit %d %s came back %v behind its deadline: %+v %v", unit, h.point.key, c.end.Sub(c.deadline),
						c.out, c.err)
				}
			}
		}
	}
	return t
}
