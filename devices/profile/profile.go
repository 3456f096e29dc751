// Package profile knows device families: how to recognise a device, its points, their limits, how it talks, and where
// each of these facts comes from. A profile is a YAML file; FORMAT.md describes it, and Load reads it strictly.
package profile

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Profile is one device family. Its points can differ with the traits of a device, such as low and high battery
// voltage. Identification settles the traits, nobody guesses them, and Resolve returns the points of one device. A
// loaded Profile is shared and never changes.
type Profile struct {
	ID           string // the name in the configuration: "deye"
	Name         string // as people read it: "Powdrive three-phase hybrid inverter"
	Manufacturer string
	Models       []string          // for people
	Aliases      []string          // other names in a configuration
	Captures     []string          // real devices of which what they held is decoded in a test, for people
	Lacks        []string          // what an owner may look for and not find, for people
	Sources      map[string]Source // by short name
	Line         LineSettings
	Order        codec.Order // of the values that do not say their own
	Identify     Identify
	SunSpec      *SunSpec // nil if the family does not hold the models of SunSpec
	Traits       []Trait  // in the order of the file; one that a chain of SunSpec models tells is the first
	Parts        []Part   // in the order of the file

	entries []entry // in the order of the file
	groups  []groupTemplate
	models  []int           // of SunSpec, which conditions name
	cases   func() []Traits // finds them when somebody first asks

	overrides Overrides
}

// FullName returns the name of a point after that of its part, as people see it in the host.
func (p *Profile) FullName(point Point) string {
	for _, part := range p.Parts {
		if part.Key == point.Part {
			return part.Name + ": " + point.Name
		}
	}
	return point.Name
}

// WriteWith returns a copy of the family that writes every value of one register with the given function.
func (p *Profile) WriteWith(w WriteFunction) *Profile {
	if w == WritePerPoint {
		return p
	}
	own := *p
	own.entries = slices.Clone(p.entries)
	for i, e := range own.entries {
		if e.point.Write != nil {
			write := *e.point.Write
			write.Single = w == WriteSingle && e.point.Spec.Words() == 1
			own.entries[i].point.Write = &write
		}
	}
	return &own
}

// LineSettings say how a family talks. A configuration can override each. The zero value of a field is its default
// unless its comment names another; Settings lists them with their bounds.
type LineSettings struct {
	Serial       protocol.Serial // at delivery
	Unit         protocol.UnitID // at delivery. Defaults to 1
	Pace         protocol.Pace
	Turnaround   time.Duration // typical; for predictions and the read plan only
	MaxRegisters uint16        // per read, 1..125. Defaults to 125, the limit of the standard
	Holes        []protocol.Range
	NamedOnly    bool             // no read runs across registers that no point has
	Starts       []protocol.Range // a read must begin there, and not only pass over it
	Never        []protocol.Range // nothing may ever read or write there, identification included
	WritesApart  bool             // an address that is written has nothing to do with what is read there
	Settle       time.Duration    // between a write and its read-back
	Quirks       protocol.Quirks  // of the connection, which all devices of a line share
	Busy         Busy
	Quiet        time.Duration // longest pause between attempts while the device is away. Defaults to DefaultQuiet
	Join         bool          // one request may write several neighbouring registers
	With         WriteFunction // overrides Write.Single of every point, see Profile.WriteWith
	Source       string        // short names of Profile.Sources
}

// WriteFunction says which function writes a value of one register. Function 16 (or 15) always writes longer values.
type WriteFunction uint8

// Which function writes one register.
const (
	WritePerPoint WriteFunction = iota // as each point says
	WriteSingle                        // function 6, and 5 for a coil: for a gateway that passes no other
	WriteMultiple                      // function 16, and 15
)

// Busy says how often to repeat a request to which the device answers that it is busy (exceptions 5 and 6). The line
// serves others meanwhile. A write is repeated only after exception 6, which says that the device did not carry it out.
// Source: MODBUS Application Protocol V1.1b3, 7.
type Busy struct {
	Retries int           // Defaults to DefaultBusyRetries, as telegraf for Huawei inverters. Below 0: never
	Wait    time.Duration // before each repetition. Defaults to DefaultBusyWait
}

// NoBusyRetries is the value of Busy.Retries that never repeats a request.
const NoBusyRetries = -1

// Validate returns the settings that contradict each other.
func (l LineSettings) Validate() []Problem {
	timeout := cmp.Or(l.Pace.Timeout, protocol.DefaultTimeout)
	if l.Pace.First != 0 && l.Pace.First < timeout {
		return []Problem{{"first_timeout",
			fmt.Sprintf("first_timeout %s is below timeout %s: the nearest that works is %[2]s, or leave it out",
				strict.Span(l.Pace.First), strict.Span(timeout))}}
	}
	return nil
}

// Identify says how to recognise a device. Registers that lie close together are read in one request.
type Identify struct {
	Serials []Field          // of the serial number, a text; the first that holds a text that can be an id counts
	Model   Field            // a text or an option. Optional
	Version Field            // of the firmware or the protocol. Optional
	Expect  []Expect         // all of them must hold, otherwise it is another device
	Never   []protocol.Range // may only be read of a device that was found to be of the family
	Source  string           // short names of Profile.Sources
}

// Field is one value that identification reads.
type Field struct {
	Ranges []protocol.Range // empty if the family has no such field; offsets in a model where there is a Place
	Spec   codec.Spec
	Place  *Place // in a model of SunSpec, see In
}

// Present reports whether the family has the field.
func (f Field) Present() bool { return len(f.Ranges) > 0 }

// Part is a sub-device, such as a battery. A point names the key of its part; an empty key means the device itself.
type Part struct {
	Key, Name string
}

// Interval says how often to read a point.
type Interval uint8

// The default intervals are 2 s, 15 s, 5 min, and once after each identification.
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
	Key      string           // unique in a device, and never changed
	Pattern  string           // Key as the file has it: "pv_{n}_voltage" of each of several that are repeated
	Name     string           // in sentence case, without the name of the part
	Part     string           // Part.Key, or empty
	Quantity string           // of the vocabulary: "pv_{n}_voltage"; empty if the point names itself
	Ranges   []protocol.Range // one, or several that are not neighbours, whose words are joined in this order
	Spec     codec.Spec
	Formula  *Formula // of a value that follows from other points and has no Ranges; otherwise nil
	Unit     string
	Range    Span // plausible values of a number, in its unit; the zero Span: not known
	Interval Interval
	Write    *Write // nil: read only
	Entity   EntityHints
	Hidden   bool   // no entity, unless the configuration asks for it
	Alone    bool   // it is read by itself
	Source   string // short names of Profile.Sources, and what was decided if they differ
	Why      string // a remark for people, often empty: why it is read only, off, or needs arming
}

// Write says how to write a point.
type Write struct {
	Min, Max, Step float64          // of a number, in its unit. The register can hold each, and whole steps lead to Max
	Single         bool             // function 6 (or 5), otherwise 16 (or 15). Always false for several words
	Settle         time.Duration    // the wait before the read-back. Defaults to Line.Settle
	Arm            bool             // writable only if the configuration lists the key under arm:
	Press          uint64           // the raw number that a button writes
	Flash          bool             // in memory that wears out: read first, and not written if it is equal
	Once           bool             // never sent twice, not even where it was lost: what it does adds up
	Ranges         []protocol.Range // where it is written; nil: where it is read
	Spec           *codec.Spec      // how it is written; nil: as it is read
	ReadBack       bool             // false: what was written cannot be read, and the point is never polled
	Apart          bool             // nothing of what is read lies at the addresses that are written
	Around         *Around          // what is written before and after; nil: nothing
	Group          *WriteGroup      // with which others it is written; nil: alone
}

// WriteTo returns where and how the point is written. It must be writable.
func (p Point) WriteTo() ([]protocol.Range, codec.Spec) {
	ranges, spec := p.Ranges, p.Spec
	if p.Write.Ranges != nil {
		ranges = p.Write.Ranges
	}
	if p.Write.Spec != nil {
		spec = *p.Write.Spec
	}
	return ranges, spec
}

// Button reports whether the point is a command register: it is written to, has no value and is never polled.
func (p Point) Button() bool { return p.Entity.Platform == "button" }

// HasValue reports whether the point has a value: a button has none, and of registers that can only be written nobody
// knows it.
func (p Point) HasValue() bool { return !p.Button() && (p.Write == nil || p.Write.ReadBack) }

// EntityHints say how a host shows a point.
type EntityHints struct {
	Platform    string // sensor, binary_sensor, number, select, switch, time, text, button; chosen by the loader
	DeviceClass string // the host's word; "enum" for a sensor with options
	StateClass  string // measurement, total, total_increasing, or empty; for numeric sensors only
	Precision   int    // decimals; -1: the host's default
	Category    string // "", config, diagnostic
	Enabled     bool   // at first registration
	Spare       int    // not 0: enabled where few others are, the lowest first
	Icon        string // mdi:..., or empty
	Mode        string // of a number: box or slider; empty: the host's default
}
