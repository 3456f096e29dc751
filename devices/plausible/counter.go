package plausible

import (
	"fmt"
	"math"
	"time"
)

// How long something odd must last before it is believed, and how often it must be read by then.
const (
	// A counter of the day begins again, or a lifetime counter is a lower one: the device says nothing else. Inverters
	// that wake read 0 for up to 40 s (victronenergy/dbus-fronius #18, solaredge-modbus #127).
	soon       = 30 * time.Second
	soonReset  = time.Minute
	soonPolls  = 2
	inTime     = 10 * time.Minute // anything else that can be true, and until when the value before is shown
	inTimePoll = 3
)

// Mark is what is kept of a point between two readings. The zero Mark is that of a point that was never read.
type Mark struct {
	Known bool
	Value float64   // the last that was believed: of a counter, the highest since it began
	At    time.Time // when it was read
	Reset time.Time // when a counter of the day was last seen to begin

	odd   time.Time // since when no reading was believed; zero while they are
	since time.Time // since when the readings agree with each other
	from  float64   // the first of these
	polls int       // how many they are
}

// Odd reports whether the last reading was not believed.
func (m Mark) Odd() bool { return !m.odd.IsZero() }

// Verdict says what becomes of a reading.
type Verdict uint8

// What becomes of a reading.
const (
	Believed Verdict = iota
	Noise            // a step back: the mark counts, as if it had been read again
	Held             // it is left out, and what was shown before stays
	Unknown          // there is no value, for Reason
)

// Finding is the end of a reading.
type Finding struct {
	Verdict Verdict
	Reason  string // of Held and Unknown
	Again   bool   // it is odd since now: read it once more at once
	Fell    bool   // a lifetime counter is believed to be lower than Before
	Before  float64
}

// Circumstances are what else is known of the device at a reading.
type Circumstances struct {
	Rated  float64 // power in kilowatts; 0: not known
	Odd    bool    // other lifetime counters of the device are odd, too
	Counts bool    // another lifetime counter has counted something, so the device is awake
}

// Judge says what becomes of a reading, and returns the mark for the next.
func (r Rule) Judge(m Mark, v float64, at time.Time, c Circumstances) (Mark, Finding) {
	outside := r.Low < r.High && (v < r.Low || v > r.High)
	switch {
	case r.Kind == Free && !outside:
		return m.believe(v, at), Finding{}
	case r.Kind == Free:
		return r.outside(m, v, at)
	case !m.Known:
		return r.first(m, v, at, c, outside)
	}
	switch step := v - m.Value; {
	case r.isNegative(m, v), outside, r.Kind == Lifetime && v == 0 && step < 0:
		return r.never(m, v, at)
	case step > r.most(at.Sub(m.At), c):
		return r.later(m, v, at, c, inTime, inTimePoll)
	case step >= 0:
		m = m.believe(v, at)
		if begun := at.Add(-dayBegins); v == 0 && begun.After(m.Reset) {
			m.Reset = begun // it is that of the day: yesterday's would have been seen to fall
		}
		return m, Finding{}
	case r.isDue(m, at) && (-step > r.Noise || v <= m.Value/2):
		return r.later(m, v, at, c, soonReset, soonPolls)
	case -step <= r.Noise:
		m = m.believe(m.Value, at)
		return m, Finding{Verdict: Noise}
	case r.Kind == Period:
		return r.later(m, v, at, c, inTime, inTimePoll)
	}
	return r.later(m, v, at, c, soon, soonPolls)
}

// believe returns the mark after a reading that counts.
func (m Mark) believe(v float64, at time.Time) Mark {
	m.Known, m.Value, m.At = true, v, at
	m.odd, m.since, m.polls = time.Time{}, time.Time{}, 0
	return m
}

// doubt counts a reading that is not believed now. Readings agree while they rise as a counter does.
func (r Rule) doubt(m Mark, v float64, at time.Time, c Circumstances) Mark {
	if m.odd.IsZero() {
		m.odd = at
	}
	if m.polls == 0 || v < m.from-r.Noise || v-m.from > r.most(at.Sub(m.since), c) {
		m.from, m.since, m.polls = v, at, 0
	}
	m.polls++
	return m
}

// outside judges a number beyond the range. Read twice there is none.
func (r Rule) outside(m Mark, v float64, at time.Time) (Mark, Finding) {
	f := Finding{Verdict: Unknown, Reason: r.why(m, v)}
	if m.odd.IsZero() {
		m.odd, f.Verdict, f.Again = at, Held, true
	}
	return m, f
}

// why says what is wrong with a reading.
func (r Rule) why(m Mark, v float64) string {
	switch {
	case r.Kind != Free && v >= 0 && r.isNegative(m, v):
		return fmt.Sprintf("the device holds %s for %s, which stands for %s", r.text(v), r.Name,
			r.text(math.Round((v-r.Whole)/r.Step)*r.Step))
	case r.Low < r.High && (v < r.Low || v > r.High):
		return fmt.Sprintf("the device holds %s, and %s is between %s and %s", r.text(v), r.Name, r.text(r.Low),
			r.text(r.High))
	case !m.Known:
		return fmt.Sprintf("the device holds %s for %s, which may not be its count yet", r.text(v), r.Name)
	}
	return fmt.Sprintf("the device holds %s, and %s was %s before", r.text(v), r.Name, r.text(m.Value))
}

// first judges the first reading of a counter. A lifetime counter that reads 0 while no other counts anything may be
// that of a device that wakes.
func (r Rule) first(m Mark, v float64, at time.Time, c Circumstances, outside bool) (Mark, Finding) {
	if outside || r.isNegative(m, v) {
		return r.outside(m, v, at)
	}
	if r.Kind == Lifetime && v == 0 && !c.Counts {
		return r.later(m, v, at, Circumstances{}, soonReset, soonPolls)
	}
	m = m.believe(v, at)
	m.Reset = at.Add(-dayBegins) // it is that of the day
	return m, Finding{}
}

// never judges what a counter cannot read: for a while the value before stays, and then there is none.
func (r Rule) never(m Mark, v float64, at time.Time) (Mark, Finding) {
	f := Finding{Verdict: Held, Reason: r.why(m, v), Again: m.odd.IsZero()}
	if f.Again {
		m.odd = at
	}
	m.polls = 0
	if at.Sub(m.odd) >= inTime {
		f.Verdict = Unknown
	}
	return m, f
}

// later judges what is believed when it lasts. While other counters of the device are odd, too, it must last longer.
func (r Rule) later(m Mark, v float64, at time.Time, c Circumstances, enough time.Duration,
	polls int) (Mark, Finding) {
	again := m.odd.IsZero()
	if c.Odd {
		enough, polls = inTime, inTimePoll
	}
	m = r.doubt(m, v, at, c)
	if m.polls < polls || at.Sub(m.since) < enough {
		f := Finding{Verdict: Held, Again: again, Reason: r.why(m, v)}
		if at.Sub(m.odd) >= 2*inTime {
			f.Verdict = Unknown // readings that never agree
		}
		return m, f
	}
	f := Finding{Fell: m.Known && r.Kind == Lifetime && v < m.Value, Before: m.Value}
	fell := v < m.Value || !m.Known
	if m = m.believe(v, at); fell {
		m.Reset = at
	}
	return m, f
}

// dayBegins is how long before midnight a counter may begin the next day: a clock can be fast.
const dayBegins = 2 * time.Hour

// isDue reports whether a counter of the day has not begun today. It does once a day: at midnight by its own clock,
// whatever that shows, or at the first light if the device slept.
func (r Rule) isDue(m Mark, at time.Time) bool {
	if r.Kind != Period {
		return false
	}
	zone := r.Zone
	if zone == nil {
		zone = time.Local
	}
	began, now := m.Reset.Add(dayBegins).In(zone), at.Add(dayBegins).In(zone)
	return began.YearDay() != now.YearDay() || began.Year() != now.Year()
}

// How far a counter may rise. What flows past an inverter to a house can be several times what it is rated for, and
// some devices count in lumps.
const (
	overRated  = 10
	unrated    = 100.0 // kW, of a device that does not tell: a house has less
	inLumps    = 5 * time.Minute
	stepsAhead = 2
)

// most returns how far a counter may rise in a time.
func (r Rule) most(took time.Duration, c Circumstances) float64 {
	if r.Energy == 0 {
		return math.Inf(1)
	}
	rated := c.Rated
	if rated <= 0 {
		rated = unrated
	}
	return r.Energy*overRated*rated*max(took+inLumps, inLumps).Hours() + stepsAhead*r.Step
}
