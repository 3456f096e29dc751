package demo

import (
	"math"
	"time"
)

// Mode is what an inverter does with its battery.
type Mode string

// The modes.
const (
	SelfUse   Mode = "self_use"  // the battery serves the house and takes what the sun gives beyond it
	FeedIn    Mode = "feed_in"   // what the sun gives beyond the house is sold first
	Backup    Mode = "backup"    // the battery is kept full
	Discharge Mode = "discharge" // the battery is emptied into the grid
)

// Settings is what the owner has set on an inverter. Powers are in W and not negative, states of charge in %.
type Settings struct {
	Mode         Mode
	Charge       float64 // most that goes into the battery
	Discharge    float64 // most that comes out of it
	LowSoC       float64 // below it the battery gives nothing
	HighSoC      float64 // above it the battery takes nothing
	FromGrid     bool    // the grid charges the battery
	GridCharge   float64 // with so much at most
	GridSoC      float64 // up to here
	Export       float64 // most that goes into the grid
	ExportDenied bool    // nothing does
}

// Unlimited returns the settings of an inverter that uses its battery for the house as it can.
func Unlimited() Settings {
	inf := math.Inf(1)
	return Settings{Mode: SelfUse, Charge: inf, Discharge: inf, HighSoC: 100, GridCharge: inf, GridSoC: 100,
		Export: inf}
}

// exportable returns the most W that may go into the grid.
func (s Settings) exportable() float64 {
	if s.ExportDenied {
		return 0
	}
	return s.Export
}

// Flows are the powers of a system in W. Solar + Battery + Grid = Load.
type Flows struct {
	Solar   float64 // from the panels, not negative
	Load    float64 // into the house, not negative
	Battery float64 // positive while discharging
	Grid    float64 // positive while importing
}

// battery is what a battery can do just now.
type battery struct {
	gives, takes float64 // W at most
	mostTaken    float64 // W from the grid at most
	soc          float64 // %
}

// balance finds the flows for what the sun offers and the house wants. What nobody takes the panels do not give.
func balance(sun, load float64, b battery, s Settings) Flows {
	f := Flows{Solar: sun, Load: load, Battery: discharge(sun-load, b, s)}
	if s.FromGrid && b.soc < s.GridSoC {
		f.Battery = -min(b.takes, max(0, sun-load)+b.mostTaken)
	}
	f.Grid = f.Load - f.Solar - f.Battery
	if most := s.exportable(); f.Grid < -most {
		f.Grid = -most
		f.Solar = max(0, f.Load-f.Battery-f.Grid)
	}
	return f
}

// discharge returns the power of the battery by mode; spare is what the sun gives beyond the house, negative where it
// gives less.
func discharge(spare float64, b battery, s Settings) float64 {
	gives := min(b.gives, max(0, -spare))
	takes := min(b.takes, max(0, spare))
	switch s.Mode {
	case FeedIn:
		return gives - min(b.takes, max(0, spare-s.exportable()))
	case Backup:
		return -takes
	case Discharge:
		return min(b.gives, max(0, s.exportable()-spare))
	}
	return gives - takes
}

// Energy is what has flowed, in Wh; nothing in it ever falls.
type Energy struct {
	Solar, Load, Import, Export, Charge, Discharge float64
}

// add counts the flows of a while.
func (e *Energy) add(f Flows, dt time.Duration) {
	hours := dt.Hours()
	e.Solar += f.Solar * hours
	e.Load += f.Load * hours
	e.Import += max(0, f.Grid) * hours
	e.Export += max(0, -f.Grid) * hours
	e.Charge += max(0, -f.Battery) * hours
	e.Discharge += max(0, f.Battery) * hours
}
