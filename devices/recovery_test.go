package devices

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// episode is what a line does for a while.
type episode struct {
	name  string
	fault sim.Fault
	begin func(l *sim.Line) // nil: the fault is played
	end   func(l *sim.Line)
	dead  bool // nobody accepts connections meanwhile
}

func episodes() (all []episode) {
	for _, kind := range sim.Kinds() {
		f := sim.Fault{Kind: kind, Code: 6}
		switch kind {
		case sim.Late:
			f.Delay = 700 * time.Millisecond
		case sim.Drip:
			f.Delay = 60 * time.Millisecond
		}
		all = append(all, episode{name: string(kind), fault: f})
	}
	f := sim.Fault{Kind: sim.Exception, Code: 4}
	all = append(all, episode{name: "exception 4", fault: f})
	f.Code = 11
	all = append(all, episode{name: "exception 11", fault: f})
	off := func(l *sim.Line) { l.Off() }
	on := func(l *sim.Line) { l.On() }
	return append(all,
		episode{name: "off", begin: off, end: on},
		episode{name: "disconnected", begin: func(l *sim.Line) { l.Disconnect(); l.Off() }, end: on, dead: true},
	)
}

// The interval of the fastest class, and how long a fault lasts: a few polls, and long enough for every back-off to
// have grown.
const (
	pollEvery       = 2 * time.Second
	recoveryTimeout = 500 * time.Millisecond
)

// Whatever went wrong: once it is over, the first good value is there within one poll interval, or, where a device was
// away for longer than eight of them, within an eighth of that time; later by the reads that the end of the fault
// spoils and a probe.
func TestRecovery(t *testing.T) {
	for _, framing := range []sim.Framing{sim.RTU, sim.TCP} {
		for _, lasts := range []time.Duration{3 * time.Second, 15 * time.Second, time.Minute, 10 * time.Minute} {
			var worst time.Duration
			for _, e := range episodes() {
				name := fmt.Sprintf("%v, %s for %v", framing, e.name, lasts)
				synctest.Test(t, func(t *testing.T) {
					took := e.recover(t, framing, lasts)
					worst = max(worst, took)
					pause := min(max(pollEvery, lasts/8), profile.DefaultQuiet) * 115 / 100
					most := pause + (failuresToLose+1)*recoveryTimeout
					if framing == sim.RTU {
						most += pause // a try may be spent on telling which request a first reply answers
					}
					if took > most {
						t.Errorf("%s: the first good value came %v after the end, not within %v", name, took, most)
					}
				})
			}
			t.Logf("%v, %v: at most %v", framing, lasts, worst)
		}
	}
}

// recover plays the episode and returns how long after its end the first value came that was read after it.
func (e episode) recover(t *testing.T, framing sim.Framing, lasts time.Duration) time.Duration {
	p, err := campaignProfile(3 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	unit := campaignUnit(1)
	m := &moving{units: []*sim.Unit{unit}}
	m.move()
	opts := sim.Options{Turnaround: 3 * time.Millisecond, SilentTCP: true, Keep: 100}
	if framing == sim.RTU {
		opts.Serial = &protocol.DefaultSerial
	}
	line := sim.NewLine(opts, unit)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	dial, wait := overPipes(ctx, line, framing)
	defer func() {
		cancel()
		running.Wait() // nobody dials any more
		wait()
	}()
	dead := false
	var mu sync.Mutex
	mayDial := func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if dead {
			return nil, fmt.Errorf("connection refused")
		}
		return dial(ctx, network, address)
	}
	bus := protocol.NewBus(course{framing: framing}.link(mayDial), protocol.BusOptions{})
	cfg := Config{Profile: p, Unit: 1, Line: p.Line,
		Intervals: map[profile.Interval]time.Duration{profile.Now: pollEvery, profile.Normal: 15 * time.Second}}
	cfg.Line.Pace.Timeout = recoveryTimeout
	sink := &diary{}
	d := New(cfg, bus, sink, zerolog.Nop())
	running.Go(func() { _ = bus.Run(ctx) })
	running.Go(func() { _ = d.Run(ctx) })
	time.Sleep(10*time.Second + 300*time.Millisecond)
	set := func(to bool) { mu.Lock(); dead = to; mu.Unlock() }
	if set(e.dead); e.begin != nil {
		e.begin(line)
	} else {
		line.Play(sim.NewScript(1, e.fault))
	}
	time.Sleep(lasts)
	if n := line.Journal().Counts().Requests; n > 100+2*int(lasts/time.Second) {
		t.Errorf("%d requests in %v", n, lasts)
	}
	if set(false); e.end != nil {
		e.end(line)
	}
	line.Play(nil)
	over := time.Now()
	for time.Since(over) < 5*time.Minute {
		time.Sleep(20 * time.Millisecond)
		sink.mu.Lock()
		told := slices.Clone(sink.told)
		sink.mu.Unlock()
		if i := slices.IndexFunc(told,
			func(r published) bool { return r.Key[0] == 'm' && r.Raw != nil && !r.ReadAt.Before(over) }); i >= 0 {
			return max(0, told[i].at.Sub(later(over, lastFault(line))))
		}
	}
	return time.Hour
}

// lastFault returns when the line was through with the last reply that went wrong: a slow one may outlast its script.
func lastFault(line *sim.Line) (last time.Time) {
	for _, e := range line.Journal().Since(0) {
		if e.Fault != "" {
			last = later(last, e.Replied)
		}
	}
	return last
}
