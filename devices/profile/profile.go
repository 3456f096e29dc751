// Package profile holds what is known of device families: how to recognise one, its points, limits and quirks, each with
// its source. Profiles are data, loaded strictly from YAML; FORMAT.md describes it.
package profile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Profile is one device family. Its points may differ by variant (a low or a high battery voltage, say), which is read
// from the device and never guessed; Resolve gives the points of one variant. A loaded Profile is shared: nobody changes
// it.
type Profile struct {
	ID           string // the name in the configuration: "powdrive"
	Name         string // for people: "Powdrive three-phase hybrid inverter"
	Manufacturer string
	Sources      map[string]string // short name -> what and where
	Line         LineSettings
	Identify     Identify
	Parts        []Part   // in the order of the file
	Variants     []string // sorted; empty where the family has only one

	points map[string][]Point // variant -> its points in the order of the file; key "" where there are no variants
}

// Resolve returns the points of one variant in the order of the profile; variant is one of Variants, or empty where the
// family has only one. The slice is the caller's, what its points refer to is shared and must not be changed.
func (p *Profile) Resolve(variant string) ([]Point, error) {
	points, ok := p.points[variant]
	switch {
	case ok:
		return slices.Clone(points), nil
	case len(p.Variants) == 0:
		return nil, fmt.Errorf("profile %s: variant %q: the family has no variants", p.ID, variant)
	}
	return nil, fmt.Errorf("profile %s: variant %q is not one of %s", p.ID, variant, strings.Join(p.Variants, ", "))
}

// VariantNames returns the variants, or one without a name where the family has no variants.
func (p *Profile) VariantNames() []string {
	if len(p.Variants) == 0 {
		return []string{""}
	}
	return p.Variants
}

// WriteWith returns the family with all that one register holds written by the function that w names. p stays as it is.
func (p *Profile) WriteWith(w WriteFunction) *Profile {
	if w == WritePerPoint {
		return p
	}
	own := *p
	own.points = make(map[string][]Point, len(p.points))
	for variant, points := range p.points {
		points = slices.Clone(points)
		for i, point := range points {
			if point.Write != nil {
				write := *point.Write
				write.Single = w == WriteSingle && point.Spec.Words() == 1
				points[i].Write = &write
			}
		}
		own.points[variant] = points
	}
	return &own
}

// LineSettings are what the family needs of its line. A configuration can override each. A zero value means that the profile does
// not say, except where a default is named; see Settings.
type LineSettings struct {
	Serial       protocol.Serial // what it is delivered with
	Unit         protocol.UnitID // what it is delivered with; Defaults to 1
	Pace         protocol.Pace
	Turnaround   time.Duration // typical, for the wire-time model only
	MaxRegisters uint16        // per read, 1..125; Defaults to 125, the standard's limit; a configuration makes it less on a slow line
	Holes        []protocol.Range
	Settle       time.Duration   // between a write and its read-back
	Quirks       protocol.Quirks // of the connection: the devices of a line share it
	Busy         Busy
	Quiet        time.Duration // longest pause between two tries while the device is away; Defaults to DefaultQuiet
	Join         bool          // neighbouring registers that wait to be written may leave in one request
	With         WriteFunction // the function that writes all registers; Profile.WriteWith has it done
	Source       string        // short names of Profile.Sources
}

// WriteFunction says which function writes what one register holds. Several registers are written by 16 (15) in any case.
type WriteFunction uint8

// The ways.
const (
	WritePerPoint WriteFunction = iota // as each point says
	WriteSingle                        // function 6, and 5 for a coil: for a gateway that passes no other
	WriteMultiple                      // function 16, and 15
)

// Busy says what is done when the device answers that it is busy (exceptions 5 and 6): the request is asked again, and the
// line serves others meanwhile. A write is asked again only after exception 6, which says that it was not carried out.
// Source: MODBUS Application Protocol V1.1b3, 7.
type Busy struct {
	Retries int           // how often; Defaults to DefaultBusyRetries (telegraf's busy_retries serves Huawei inverters so); below 0: never
	Wait    time.Duration // before each; Defaults to DefaultBusyWait
}

// NoBusyRetries is Busy.Retries where a request is not asked again.
const NoBusyRetries = -1

// Validate returns what in the line contradicts itself.
func (l LineSettings) Validate() []Problem {
	timeout := cmp.Or(l.Pace.Timeout, protocol.DefaultTimeout)
	if l.Pace.First != 0 && l.Pace.First < timeout {
		return []Problem{{"first_timeout", fmt.Sprintf("first_timeout %s is below timeout %s: the nearest that works is %[2]s, or leave it out",
			strict.Span(l.Pace.First), strict.Span(timeout))}}
	}
	return nil
}

// Identify says how to recognise the device. All of it is read in one go where the registers lie close.
type Identify struct {
	Serial  Field             // the serial number: a text
	Model   Field             // a text or an option; optional
	Kind    Field             // a number that tells the family and the variant; optional
	Accept  map[uint64]string // raw Kind -> variant ("" where the family has one); anything else is another device
	Version Field             // firmware or protocol version; optional
	Source  string            // short names of Profile.Sources
}

// Field is a quantity that identification reads.
type Field struct {
	Ranges []protocol.Range // empty: the family has no such field
	Spec   codec.Spec
}

// Present reports whether the family has the field.
func (f Field) Present() bool { return len(f.Ranges) > 0 }

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

// String returns the word used in profiles and configurations: now, normal, slow, once.
func (i Interval) String() string {
	if int(i) < len(intervals) {
		return intervals[i]
	}
	return fmt.Sprintf("interval(%d)", uint8(i))
}

var intervals = []string{Now: "now", Normal: "normal", Slow: "slow", Once: "once"}

// Point is one named quantity of a resolved profile.
type Point struct {
	Key      string           // stable for ever; unique in the variant
	Name     string           // sentence case, for people, without the part's name
	Part     string           // Part.Key, or empty
	Ranges   []protocol.Range // one, or several apart whose words are joined in this order before decoding
	Spec     codec.Spec
	Unit     string
	Interval Interval
	Write    *Write // nil: read only
	Entity   EntityHints
	Source   string // short names of Profile.Sources, and what was decided where they differ
	Why      string // a remark for people: why it is read only, off, or needs arming; often empty
}

// Write is the rule for setting a point.
type Write struct {
	Min, Max, Step float64       // in units of the value, for numbers; each lies on the register's grid, Min+n*Step reaches Max
	Single         bool          // function 6 (or 5); otherwise 16 (or 15). Always false where the point has several words
	Settle         time.Duration // before the read-back; overrides Line.Settle where not 0
	Arm            bool          // needs its key under arm: in the configuration
	Press          uint64        // for a button: the raw number that pressing it writes
	Flash          bool          // kept in memory that wears out: read first, and not written if it holds the value already
	ReadBack       bool          // false only for a button whose register does not hold what was written
}

// Button reports whether the point is a command register: it is pressed, has no value and is never polled.
func (p Point) Button() bool { return p.Entity.Platform == "button" }

// EntityHints are what a host should know to show a point.
type EntityHints struct {
	Platform    string // sensor, binary_sensor, number, select, switch, time, text, button; chosen by the loader
	DeviceClass string // the host's word; "enum" for a sensor with options
	StateClass  string // measurement, total, total_increasing, or empty; for numeric sensors only
	Precision   int    // decimals; -1: the host's default
	Category    string // "", config, diagnostic
	Enabled     bool   // at first registration
	Icon        string // mdi:..., or empty
	Mode        string // number: box or slider; empty: the host's default
}
