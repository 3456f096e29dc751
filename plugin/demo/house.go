// Package demo simulates devices on lines, and a house that they show.
//
// A Scenario describes lines with devices on them: NewLines builds them, Open and Serve serve them. A House has a sun
// that rises behind clouds, loads that come and go, batteries that fill and empty as their inverters are set, and a
// grid that takes the rest; at every moment solar + battery + grid = load. The house is given the time, and the same
// seed gives the same weather. A Binding is data: it says which registers show which quantity of the house, and which
// ones set it. The Household of the demo puts all of it together.
package demo

import (
	"math"
	"sync"
	"time"
)

// System is one inverter with what hangs on it.
type System struct {
	Peak     float64 // W of its solar panels under a clear sky at noon
	Capacity float64 // Wh that its battery holds
	Volts    float64 // of the battery when it is half full
	Rated    float64 // W that the battery gives or takes at most
	Loads    []Load
}

// HouseOptions is what a house is made of.
type HouseOptions struct {
	Seed    uint64        // of weather and habits
	Start   time.Duration // time of day at which it is first shown, having lived since midnight. Defaults to 0
	Day     time.Duration // that a day takes. Defaults to 24 h
	Systems []System      // at least one
}

// House is some systems at one connection to the grid. Safe for concurrent use.
type House struct {
	options HouseOptions
	weather weather

	mu      sync.Mutex
	began   time.Time     // of the first Advance
	at      time.Duration // that the house has lived
	systems []system
}

// system is how one System is.
type system struct {
	System
	settings Settings
	stored   float64 // Wh in the battery
	flows    Flows
	total    Energy
	midnight Energy  // total when the day began
	peak     float64 // W, highest solar power of the day
}

const (
	day       = 24 * time.Hour
	longest   = 30 * time.Second // step that is taken as one
	mostSteps = 10_000           // that one Advance takes: after a long pause they are longer
	atFirst   = 0.35             // of its capacity a battery holds in the first midnight
	stores    = 0.95             // part of the energy charged that can be taken out again
)

// NewHouse returns a house at Start of its first day. It lives on with Advance.
func NewHouse(o HouseOptions) *House {
	if o.Day == 0 {
		o.Day = day
	}
	h := &House{options: o, weather: weather{seed: o.Seed}}
	for _, s := range o.Systems {
		h.systems = append(h.systems, system{System: s, settings: Unlimited(), stored: atFirst * s.Capacity})
	}
	h.live(o.Start)
	return h
}

// Advance lives on to a moment; the first one is that of Start. A moment before the last one changes nothing.
func (h *House) Advance(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.began.IsZero() {
		h.began = now
	}
	passed := float64(now.Sub(h.began)) * float64(day) / float64(h.options.Day)
	h.live(h.options.Start + time.Duration(passed))
}

// Set tells a system its settings from now on.
func (h *House) Set(i int, s Settings) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.systems[i].settings = s
}

// live lives until the house has this age. The mutex is held, or nobody else knows the house yet.
func (h *House) live(until time.Duration) {
	step := max(longest, (until-h.at)/mostSteps)
	if h.at == 0 {
		h.step(0)
	}
	for h.at < until {
		dt := min(step, until-h.at)
		if night := day - h.at%day; dt >= night { // a step ends with its day
			dt = night
		}
		h.step(dt)
		if h.at += dt; h.at%day == 0 {
			for i := range h.systems {
				h.systems[i].midnight, h.systems[i].peak = h.systems[i].total, 0
			}
		}
	}
}

// step has every system live for a while under what holds at its beginning.
func (h *House) step(dt time.Duration) {
	sun := h.weather.sun(h.at)
	for i := range h.systems {
		s := &h.systems[i]
		load := 0.0
		for n, l := range s.Loads {
			load += l.power(h.at, h.weather.seed+uint64(100*i+n))
		}
		s.flows = balance(s.Peak*sun, load, s.battery(dt), s.settings)
		s.total.add(s.flows, dt)
		s.stored = s.after(dt)
		s.peak = max(s.peak, s.flows.Solar)
	}
}

// battery returns what the battery can do for a while: what is in it, and its power, set the bounds.
func (s *system) battery(dt time.Duration) battery {
	hours := max(dt, longest).Hours()
	low, high := s.Capacity*s.settings.LowSoC/100, s.Capacity*s.settings.HighSoC/100
	return battery{
		gives:     max(0, min(s.Rated, s.settings.Discharge, (s.stored-low)/hours)),
		takes:     max(0, min(s.Rated, s.settings.Charge, (high-s.stored)/stores/hours)),
		soc:       s.soc(),
		mostTaken: max(0, min(s.settings.GridCharge, s.Rated)),
	}
}

// after returns what the battery holds after a while; rounding never takes it out of its bounds.
func (s *system) after(dt time.Duration) float64 {
	into := -s.flows.Battery * dt.Hours()
	if into > 0 {
		into *= stores
	}
	return math.Min(math.Max(0, s.stored+into), s.Capacity)
}

// soc returns the state of charge in %.
func (s *system) soc() float64 { return 100 * s.stored / s.Capacity }
