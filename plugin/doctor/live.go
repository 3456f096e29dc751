package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/plugin/lock"
	"solarhub/protocol"
)

// LiveOptions say how lines are checked.
type LiveOptions struct {
	For      time.Duration  // how long the devices are polled before it is looked into what is wrong
	Log      zerolog.Logger // of what lines and devices say meanwhile
	Progress func(Progress) // is told how far a line is; from several goroutines at once. nil: discardSink
}

// Progress is how far the check of one line is.
type Progress struct {
	Line string  // as the configuration names it
	What string  // that is done now
	Done float64 // of polling, 0..1
	Over bool    // nothing more is done with this line
}

// maxTrials bounds the looking for a cause on one line.
const maxTrials = 2 * time.Minute

// CheckLive opens the lines of a configuration, identifies and polls their devices as the plugin does, and where
// something is wrong tries what ends it. Nothing is written. When ctx ends it returns what is known by then. The error
// says why it was not tried.
func CheckLive(ctx context.Context, cfg config.Config, o LiveOptions) ([]Fitness, error) {
	release, err := takeLines(cfg.Endpoints()...)
	if err != nil {
		return nil, err
	}
	defer release()
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	lines := open(cfg, o.Log)
	all := make([]Fitness, len(lines))
	failed := make([]error, len(lines))
	var checking sync.WaitGroup
	for i, l := range lines {
		checking.Go(func() {
			all[i], failed[i] = (&lineCheck{line: l, options: o}).run(ctx)
			o.Progress(Progress{Line: l.Config.String(), What: "done", Done: 1, Over: true})
		})
	}
	checking.Wait()
	return all, errors.Join(failed...)
}

// takeLines keeps lines for this process. It is an error if another process has one of them: two would spoil each
// other's frames.
func takeLines(endpoints ...string) (release func(), err error) {
	letGo, err := lock.Lines(endpoints...)
	held, ok := errors.AsType[*lock.HeldError](err)
	if !ok {
		return func() { _ = letGo() }, err // a lock file that cannot be closed harms nobody
	}
	who := "Another SolarHub"
	if held.PID != 0 {
		who += fmt.Sprintf(" (process %d)", held.PID)
	}
	return nil, fmt.Errorf("%s has the line: stop it first. Home Assistant shows how it sees the line, under the "+
		"device \"Line\": %w",
		who, err)
}

// open makes the buses and devices of a configuration. Nothing runs yet.
func open(cfg config.Config, log zerolog.Logger) (lines []Line) {
	for _, c := range cfg.Lines {
		log := log.With().Str("line", c.Address).Logger()
		l := Line{Config: c, Bus: protocol.NewBus(c.NewLink(log),
			protocol.BusOptions{RetryMax: c.RetryMax(), Log: log})}
		for _, d := range c.Devices {
			log := log.With().Str("device", d.Name).Uint8("unit", uint8(d.Unit)).Logger()
			l.Devices = append(l.Devices, devices.New(d, l.Bus, discardSink{}, log))
		}
		lines = append(lines, l)
	}
	return lines
}

// start runs a bus. stop ends it, waits until the exchange in flight is over, and returns the error of the bus.
func start(bus *protocol.Bus) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- bus.Run(ctx) }()
	return func() error {
		cancel()
		return <-ended
	}
}

// discardSink is a sink for what the devices report: they are only watched.
type discardSink struct{}

func (discardSink) Readings(context.Context, *devices.Device, []devices.Reading) {}
func (discardSink) Status(context.Context, *devices.Device, devices.Status)      {}
func (discardSink) Changed(context.Context, *devices.Device, devices.Changed)    {}

// lineCheck is the check of one line.
type lineCheck struct {
	line    Line
	options LiveOptions
}

func (c *lineCheck) tell(done float64, format string, args ...any) {
	c.options.Progress(Progress{Line: c.line.Config.String(), What: fmt.Sprintf(format, args...), Done: done})
}

// run polls, looks and judges. The bus lives until the end; only what is tried with the line opened anew comes after
// it.
func (c *lineCheck) run(ctx context.Context) (Fitness, error) {
	stop := start(c.line.Bus)
	began := time.Now()
	c.poll(ctx)
	stats := c.line.Bus.Stats()
	f := fitness(c.line, stats, sample{at: began}, sample{}, time.Now())
	f.Live = ctx.Err() == nil
	t := &trials{check: c, line: c.line, at: &f}
	trying, cancel := context.WithTimeout(ctx, maxTrials)
	defer cancel()
	t.onBus(trying)
	f.Tried = trying.Err() == nil
	f.Stats.Link.Latest = c.line.Bus.Stats().Link.Latest // also of the trials
	if err := stop(); err != nil {
		return f, err
	}
	t.tryFirstRequests(trying)
	t.tryOtherSettings(trying)
	f.Advice = advise(f.Symptoms)
	return f, nil
}

// poll has the devices do what they always do, for the time that was asked for.
func (c *lineCheck) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.options.For)
	defer cancel()
	var polling sync.WaitGroup
	for _, d := range c.line.Devices {
		polling.Go(func() { _ = d.Run(ctx) }) // ends with ctx and without an error
	}
	polling.Go(func() { c.probe(ctx) })
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ctx.Err() == nil; {
		c.tell(min(time.Since(began).Seconds()/c.options.For.Seconds(), 1), "polling")
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	polling.Wait()
}

// probeEvery is how often it is measured how long a write would wait.
const probeEvery = time.Second

// probe asks for one register now and then with the priority of a write: it waits as long for the line as a write
// would, and changes nothing.
func (c *lineCheck) probe(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for i, d := range c.line.Devices {
			config := c.line.Config.Devices[i]
			if d.Status().Online {
				_, _ = c.line.Bus.Do(ctx, ask(config, knownRegister(config), protocol.PriorityWrite,
					config.Line.Pace)) // the bus counts it
			}
		}
	}
}

// ask returns a read of a device.
func ask(d devices.Config, r protocol.Range, p protocol.Priority, pace protocol.Pace) protocol.Request {
	return protocol.Request{Unit: d.Unit, Op: protocol.Read, Range: r, Priority: p,
		Deadline: time.Now().Add(time.Minute), Pace: pace}
}

// knownRegister returns a register that the device surely has: the first that identification reads.
func knownRegister(d devices.Config) protocol.Range {
	r := protocol.Range{}
	if fields := d.Profile.IdentityFields(nil); len(fields) > 0 {
		r = fields[0].Ranges[0]
	}
	r.Count = 1
	return r
}
