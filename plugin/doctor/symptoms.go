package doctor

import (
	"maps"
	"slices"
	"sync"
	"time"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// Fitness is how well a line carries its devices, as it was watched for a while.
type Fitness struct {
	Symptoms
	Advice []Advice
}

// MeasureEvery is how often a line is measured. What was wrong longer ago than the window says nothing of now.
const (
	MeasureEvery = 30 * time.Second
	window       = 10 * time.Minute
	recently     = 3 * time.Minute // what has not happened for so long is over
)

// roundWatched is how exactly it is told for how long a line was watched.
const roundWatched = time.Second

// Line is a running line: its bus, and its devices in the order of the configuration.
type Line struct {
	Config  config.Line
	Bus     *protocol.Bus
	Devices []*devices.Device
}

// Gauge watches a line. Its methods may be called from several goroutines.
type Gauge struct {
	line Line

	mu   sync.Mutex
	past []sample // oldest first, over the window
}

// NewGauge returns a gauge of a line.
func NewGauge(l Line) *Gauge { return &Gauge{line: l} }

// Stats returns what the line has counted since the start.
func (g *Gauge) Stats() protocol.Stats { return g.line.Bus.Stats() }

// UnitOf returns the unit id of a device of the line.
func (g *Gauge) UnitOf(d *devices.Device) protocol.UnitID {
	return g.line.Config.Devices[slices.Index(g.line.Devices, d)].Unit
}

// sample is what a line had counted at a moment.
type sample struct {
	at    time.Time
	stats protocol.Stats
}

// Measure returns how the line has been since the oldest sample, and keeps another one.
func (g *Gauge) Measure(now time.Time) Fitness {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := sample{now, g.line.Bus.Stats()}
	for len(g.past) > 1 && now.Sub(g.past[1].at) >= window {
		g.past = g.past[1:]
	}
	from := sample{at: s.stats.Since} // of the first measurement: all that there was
	if len(g.past) > 0 {
		from = g.past[0]
	}
	if last := len(g.past) - 1; last < 0 || now.Sub(g.past[last].at) >= MeasureEvery {
		g.past = append(g.past, s)
	}
	return fitness(g.line, s.stats, from, g.recent(now), now)
}

// recent returns the newest sample that is old enough to tell what still happens; the caller holds mu.
func (g *Gauge) recent(now time.Time) (from sample) {
	for _, p := range g.past {
		if now.Sub(p.at) >= recently || from.at.IsZero() {
			from = p
		}
	}
	return from
}

// isOver reports whether what an advice is about does not happen any more: it was mended, or it was learnt how to live
// with it.
func (s Symptoms) isOver(a Advice) bool {
	r := s.Recent
	if r == nil {
		return false
	}
	switch a.Illness {
	case IllUnanswered, IllFirst, IllLate, IllHasty, IllLong:
		return r.Timeouts == 0
	case IllDamaged:
		return r.Frames.Damaged == 0
	case IllForeign:
		return r.Frames.Foreign == 0
	case IllBusy:
		for _, u := range r.Units {
			if u.Busy > 0 {
				return false
			}
		}
		return true
	}
	return false
}

// fitness judges a line by what it has counted since a sample.
func fitness(l Line, stats protocol.Stats, from, recent sample, now time.Time) Fitness {
	f := Fitness{Symptoms: Symptoms{Line: l.Config, Stats: since(stats, from.stats)}}
	if !recent.at.IsZero() {
		r := since(stats, recent.stats)
		f.Recent = &r
	}
	if !from.at.IsZero() {
		f.Watched = now.Sub(from.at)
	}
	for i, d := range l.Devices {
		config := l.Config.Devices[i]
		one := DeviceSymptoms{Config: config, Status: d.Status(), Poll: d.Poll(), Learned: d.Learned(),
			Stats: f.Stats.Units[config.Unit]}
		one.Unread, one.Polled = d.Unread()
		one.Now = now
		one.Implausible, _ = d.Implausible()
		one.Clock, _ = d.Clock()
		f.Devices = append(f.Devices, one)
	}
	f.Advice = advise(f.Symptoms)
	return f
}

// since returns now with its counters as far as they have risen above before. Spreads, states and errors are those of
// now.
func since(now, before protocol.Stats) protocol.Stats {
	now.Requests -= before.Requests
	now.Replies -= before.Replies
	now.Exceptions -= before.Exceptions
	now.Timeouts -= before.Timeouts
	now.Misfits -= before.Misfits
	now.Failures -= before.Failures
	now.Expired -= before.Expired
	now.Cancelled -= before.Cancelled
	now.Refused -= before.Refused
	now.Busy -= before.Busy
	now.Frames.Damaged -= before.Frames.Damaged
	now.Frames.Late -= before.Frames.Late
	now.Frames.Foreign -= before.Frames.Foreign
	now.Frames.Noise -= before.Frames.Noise
	now.Units = maps.Clone(now.Units)
	for unit, u := range now.Units {
		b := before.Units[unit]
		u.Requests -= b.Requests
		u.Replies -= b.Replies
		u.Exceptions -= b.Exceptions
		u.Busy -= b.Busy
		u.Unreached -= b.Unreached
		u.Misfits -= b.Misfits
		u.Timeouts -= b.Timeouts
		now.Units[unit] = u
	}
	return now
}
