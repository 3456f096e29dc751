// Package profile holds what is known of device families: how to recognise one, its points, limits and quirks, each with
// its source. Profiles are data, loaded strictly from YAML; FORMAT.md describes it.
package profile

import (
	"time"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Profile is one device family. Its points may differ by variant (a low or a high battery voltage, say), which is read
// from the device and never guessed; Resolve gives the points of one variant.
type Profile struct {
	ID           string // the name in the configuration: "powdrive"
	Name         string // for people: "Powdrive three-phase hybrid inverter"
	Manufacturer string
	Sources      map[string]string // short name -> what and where
	Line         Line
	Identify     Identify
	Parts        []Part
	Variants     []string // sorted; empty where the family has only one

}

// Line is what the family needs of its line. A configuration can override each.
type Line struct {
	Serial       protocol.Serial // what it is delivered with
	Unit         protocol.UnitID // what it is delivered with
	Pace         protocol.Pace
	Turnaround   time.Duration // typical, for the wire-time model only
	MaxRegisters uint16        // per read
	Holes        []protocol.Range
	Settle       time.Duration // between a write and its read-back
}

// Identify says how to recognise the device. All of it is read in one go where the registers lie close.
type Identify struct {
	Serial  Field             // the serial number: a text
	Model   Field             // a text or an option; optional
	Kind    Field             // a number that tells the family and the variant; optional
	Accept  map[uint64]string // raw Kind -> variant ("" where the family has one); anything else is another device
	Version Field             // firmware or protocol version; optional
}

// Field is a quantity that identification reads. Spec.Words() == 0 words in Ranges means: not there.
type Field struct {
	Ranges []protocol.Range
	Spec   codec.Spec
}

// Part is a sub-device: a battery, the generator. Points name it; the empty key is the device itself.
type Part struct {
	Key, Name string
}

// Interval says how often a point is read.
type Interval uint8

// The interval classes; Defaults to 2 s, 15 s, 5 min, and once after each identification.
const (
	Now Interval = iota
	Normal
	Slow
	Once
)

// Point is one named quantity of a resolved profile.
type Point struct {
	Key      string           // stable for ever; unique in the profile
	Name     string           // sentence case, for people, without the part's name
	Part     string           // Part.Key, or empty
	Ranges   []protocol.Range // one, or several apart whose words are joined in this order before decoding
	Spec     codec.Spec
	Unit     string
	Interval Interval
	Write    *Write // nil: read only
	Entity   Hints
	Source   string // short names of Profile.Sources, and what was decided where they differ
}

// Write is the rule for setting a point.
type Write struct {
	Min, Max, Step float64       // in units of the value, for numbers
	Single         bool          // function 6 (or 5); otherwise 16 (or 15)
	Settle         time.Duration // before the read-back; overrides Line.Settle where not 0
	Arm            bool          // needs its key under arm: in the configuration
}

// Hints are what a host should know to show a point.
type Hints struct {
	Platform    string // sensor, binary_sensor, number, select, switch, time, text, button; chosen by the loader
	DeviceClass string
	StateClass  string
	Precision   int    // decimals; -1: the host's default
	Category    string // "", config, diagnostic
	Enabled     bool
	Icon        string
	Mode        string // number: box or slider
}
