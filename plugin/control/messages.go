package control

import (
	"encoding/json"
	"time"
)

// Program is what runs.
type Program struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Name    string    `json:"name"`            // of the installation
	Alone   bool      `json:"alone,omitempty"` // it serves no host: it is a command that has the line for a while
	Since   time.Time `json:"since"`
	Lines   []Line    `json:"lines"`
}

// Line is a line with its devices.
type Line struct {
	Line     string   `json:"line"`     // as the configuration names it: "serial /dev/ttyUSB0"
	Endpoint string   `json:"endpoint"` // where it leads, for exchange
	Devices  []Device `json:"devices"`
}

// Device is a device and how it is.
type Device struct {
	Name       string    `json:"name"`
	Profile    string    `json:"profile"`
	Unit       uint8     `json:"unit"`
	ID         string    `json:"id,omitempty"` // empty: it was never identified
	Serial     string    `json:"serial,omitempty"`
	Model      string    `json:"model,omitempty"`
	Traits     string    `json:"traits,omitempty"`
	Online     bool      `json:"online"`
	Identified bool      `json:"identified"` // in this run: nothing is writable before
	Reason     string    `json:"reason,omitempty"`
	Since      time.Time `json:"since"`
}

// Point is what can be read or set.
type Point struct {
	Key       string   `json:"key"`
	Name      string   `json:"name"` // with that of its part
	Quantity  string   `json:"quantity,omitempty"`
	Registers string   `json:"registers,omitempty"` // "holding 588+2"; empty: it follows from others
	Unit      string   `json:"unit,omitempty"`
	On        bool     `json:"on"`                // it is polled
	Readable  bool     `json:"readable"`          // it has a value
	Writable  bool     `json:"writable"`          // by its profile and its configuration
	Expects   string   `json:"expects,omitempty"` // what may be written: "0 to 100 %, step 1"
	Options   []string `json:"options,omitempty"` // that can be written
	Labels    []string `json:"labels,omitempty"`  // of the options, for people
	Danger    string   `json:"danger,omitempty"`  // why to ask before it is written; empty: no need
}

// Where a value comes from.
const (
	FromDevice  = "device"  // read for this request
	FromProgram = "program" // read by the program since it runs
	FromCache   = "cache"   // read before that
)

// Value is a point, or registers, with what is known of it.
type Value struct {
	Device    string          `json:"device"`
	Key       string          `json:"key,omitempty"` // empty: registers without a point
	Name      string          `json:"name,omitempty"`
	Registers string          `json:"registers,omitempty"`
	Raw       []uint16        `json:"raw,omitempty"`
	Value     json.RawMessage `json:"value"` // a number, text or boolean; null: unknown
	Text      string          `json:"text"`  // for people: an option as it is called; "unknown"
	Unit      string          `json:"unit,omitempty"`
	Reason    string          `json:"reason,omitempty"` // why it is unknown
	ReadAt    time.Time       `json:"read_at,omitzero"`
	AgeMS     int64           `json:"age_ms"`
	Source    string          `json:"source,omitempty"` // empty: it was never read
}

// Change is a value that has changed, or a device that has come or gone.
type Change struct {
	Time  time.Time `json:"time"`
	Old   *Value    `json:"old"` // null: it is the first
	New   Value     `json:"new"`
	About string    `json:"about,omitempty"` // of the device as a whole: a sentence, and New has no key
	Lost  int       `json:"lost,omitempty"`  // changes before this one that were too many to hand over
}

// Outcome is the end of a set-value that did not fail.
type Outcome struct {
	Device  string          `json:"device"`  // its name
	Outcome string          `json:"outcome"` // written, unchanged, superseded
	Value   json.RawMessage `json:"value"`   // as it was read back; null: what was written cannot be read
	Text    string          `json:"text,omitempty"`
	TookMS  float64         `json:"took_ms"` // from the request to the confirmation
}

// Entry is one set-value of the ledger.
type Entry struct {
	Number   uint64    `json:"number"`
	At       time.Time `json:"at"`
	By       string    `json:"by"`     // "Home Assistant", or the user of a command
	Device   string    `json:"device"` // its name, or its id where it is no longer configured
	Key      string    `json:"key"`
	Action   string    `json:"action"`
	Value    any       `json:"value,omitempty"`
	Force    bool      `json:"force,omitempty"`
	Outcome  string    `json:"outcome"` // written, unchanged, superseded, begun, or the code of the failure
	Reason   string    `json:"reason,omitempty"`
	Found    string    `json:"found,omitempty"`
	TookMS   int64     `json:"took_ms"`
	Reverted string    `json:"reverted,omitempty"` // what the device held later, though nobody had set it here
}

// AskDevice names a device by its name or id. Empty: the only one, or all.
type AskDevice struct {
	Device string `json:"device,omitempty"`
}

// AskValues names points of a device by key or quantity, or registers as "holding 588", "588..599", "input 0+10".
type AskValues struct {
	Device string   `json:"device,omitempty"`
	Points []string `json:"points,omitempty"` // none: all that are on
}

// AskSet is a set-value.
type AskSet struct {
	Device   string `json:"device,omitempty"`
	Point    string `json:"point"` // key or quantity
	Value    string `json:"value"` // a number, an option by its name or as it is called, on, off, HH:MM, press, now
	Force    bool   `json:"force,omitempty"`
	By       string `json:"by,omitempty"`        // for the ledger
	WithinMS int64  `json:"within_ms,omitempty"` // nothing is sent later. Defaults to 30 s
}

// AskReplace names the device that was replaced and the one in its place.
type AskReplace struct {
	ID     string `json:"id"`
	Serial string `json:"serial"`
}

// Done is the answer of what has no other.
type Done struct {
	ID      string   `json:"id,omitempty"`
	Changed []string `json:"changed,omitempty"`
}
