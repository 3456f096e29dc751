// Package host is the plugin's side of the conversation with a home automation host: one authenticated WebSocket
// session (Session), a client that keeps one up (Client), and an outbox for changes that the host does not have yet
// (Outbox). The messages are those of plugin/PROTOCOL.md. The package knows nothing of Modbus.
package host

import (
	"encoding/json"
	"time"
)

// ProtocolMin and ProtocolMax are the versions of PROTOCOL.md that this package speaks.
const (
	ProtocolMin = 1
	ProtocolMax = 1
)

// Limits of one message. Source: PROTOCOL.md, section 3.
const (
	MaxRegisterEntities = 200
	MaxRegisterBytes    = 256 << 10
	MaxStates           = 500
)

// The commands of PROTOCOL.md, section 3.
const (
	CommandHello       = "solarhub/hello"
	CommandRegister    = "solarhub/register"
	CommandStates      = "solarhub/states"
	CommandResult      = "solarhub/result"
	CommandHeartbeat   = "solarhub/heartbeat"
	CommandDiagnostics = "solarhub/diagnostics"
	CommandNotice      = "solarhub/notice"
	CommandRemove      = "solarhub/remove"
	CommandBye         = "solarhub/bye"
)

// The events of PROTOCOL.md, section 4.
const (
	EventCall        = "call"
	EventCancel      = "cancel"
	EventConfig      = "config"
	EventResync      = "resync"
	EventDiagnostics = "diagnostics"
	EventReplaced    = "replaced"
	EventRemoved     = "removed"
	EventProbe       = "probe"
	EventStopping    = "stopping"
)

// The actions of a Call.
const (
	ActionSet     = "set"
	ActionGroup   = "write_group"
	ActionPress   = "press"
	ActionRead    = "read"
	ActionRefresh = "refresh"
	ActionReplace = "replace"
)

// Versions is a range of protocol versions, both ends included.
type Versions struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// Hello opens a session.
type Hello struct {
	Protocol      Versions `json:"protocol"`
	PluginVersion string   `json:"plugin_version"`
	Installation  string   `json:"installation"` // 1..64 characters
	Epoch         int64    `json:"epoch"`        // start of the process, milliseconds since 1970
	Devices       []string `json:"devices"`      // device ids without parts
}

// HelloResult answers a Hello.
type HelloResult struct {
	Protocol         int      `json:"protocol"`
	CompanionVersion string   `json:"companion_version"`
	HAVersion        string   `json:"ha_version"`
	Session          int64    `json:"session"`
	Hash             *string  `json:"hash"`     // of the definitions that are kept; nil: none
	Disabled         []string `json:"disabled"` // ids that need not be polled
	Deleted          []string `json:"deleted"`  // devices that the owner deleted and nobody registered since
	HeartbeatMS      int64    `json:"heartbeat_ms"`
	GraceMS          int64    `json:"grace_ms"`
	ClockMS          int64    `json:"clock_ms"` // time on the companion's clock when it answered
}

// Device is what entities belong to. A part, such as a battery, names its device in Via.
type Device struct {
	ID           string `json:"id"`
	Via          string `json:"via,omitempty"`
	Name         string `json:"name"`
	Manufacturer string `json:"manufacturer,omitempty"`
	Model        string `json:"model,omitempty"`
	SerialNumber string `json:"serial_number,omitempty"`
	SWVersion    string `json:"sw_version,omitempty"`
	HWVersion    string `json:"hw_version,omitempty"`

	// Pending says that it stands for a device that has never said who it is. The host drops it as soon as a
	// registration does not name it.
	Pending bool `json:"pending,omitempty"`
}

// Entity describes one entity; it holds no state. Which fields a platform needs is a table of PROTOCOL.md, section 3.
type Entity struct {
	ID          string   `json:"id"`
	Device      string   `json:"device"`
	Platform    string   `json:"platform"` // sensor binary_sensor number select switch time text button
	Key         string   `json:"key"`
	Quantity    string   `json:"quantity,omitempty"` // its key in the vocabulary, with {n}
	Name        string   `json:"name"`
	Category    string   `json:"category,omitempty"` // config, diagnostic or empty
	Enabled     bool     `json:"enabled"`
	DeviceClass string   `json:"device_class,omitempty"`
	Unit        string   `json:"unit,omitempty"`
	StateClass  string   `json:"state_class,omitempty"`
	Precision   *int     `json:"precision,omitempty"` // decimals shown
	Options     []string `json:"options,omitempty"`   // slugs
	Labels      []string `json:"labels,omitempty"`    // of the options, in English; empty if they are the options
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Step        *float64 `json:"step,omitempty"`
	Mode        string   `json:"mode,omitempty"` // box, slider or empty
	Pattern     string   `json:"pattern,omitempty"`
	MinLength   *int     `json:"min_length,omitempty"`
	MaxLength   *int     `json:"max_length,omitempty"`
	Icon        string   `json:"icon,omitempty"` // mdi:...
}

// Register is one frame of a registration.
type Register struct {
	Session  int64    `json:"session"`
	Seq      int      `json:"seq"`
	Last     bool     `json:"last"`
	Hash     string   `json:"hash"`
	Devices  []Device `json:"devices"`
	Entities []Entity `json:"entities"`
}

// Rejection is a definition that the host could not take.
type Rejection struct {
	ID      string `json:"id"`
	Message string `json:"message"`
}

// RegisterResult answers a Register.
type RegisterResult struct {
	Created  int         `json:"created"`
	Updated  int         `json:"updated"`
	Removed  int         `json:"removed"`
	Rejected []Rejection `json:"rejected"`
}

// DeviceState says whether a device answers, and what is wrong with it that the owner has to look into.
type DeviceState struct {
	Online   bool     `json:"online"`
	Reason   string   `json:"reason,omitempty"` // a sentence if it does not
	Problems Problems `json:"problems,omitempty"`
}

// Problems are what is wrong with a device now, each with the fields of its kind.
type Problems map[string]map[string]any

// The kinds of Problems.
const (
	ProblemUnidentified = "unidentified" // it has never been identified; the fields are reason and advice
	ProblemReplaced     = "replaced"     // another device answers in its place; the field is found, its serial number
)

// StatesFrame is one frame of solarhub/states.
type StatesFrame struct {
	Session   int64                  `json:"session"`
	Values    map[string]any         `json:"s"`
	Cached    map[string]time.Time   `json:"c,omitempty"` // when a value from the cache was read
	Available map[string]bool        `json:"u,omitempty"`
	Devices   map[string]DeviceState `json:"d,omitempty"`
	Ready     bool                   `json:"ready,omitempty"`
}

// StatesResult answers a StatesFrame.
type StatesResult struct {
	Unknown []string `json:"unknown"` // ids that are not registered
}

// ResultFrame is solarhub/result: the one answer to a Call.
type ResultFrame struct {
	Session    int64          `json:"session"`
	CallID     string         `json:"call_id"`
	OK         bool           `json:"ok"`
	Value      any            `json:"value,omitempty"`
	Superseded bool           `json:"superseded,omitempty"`
	Response   any            `json:"response,omitempty"`
	Error      *CallError     `json:"error,omitempty"`
	Values     map[string]any `json:"s,omitempty"`
}

// SessionFrame is a command with no field but the session: solarhub/heartbeat.
type SessionFrame struct {
	Session int64 `json:"session"`
}

// HeartbeatResult answers a heartbeat.
type HeartbeatResult struct {
	ClockMS int64 `json:"clock_ms"` // time on the companion's clock when it answered
}

// DiagnosticsFrame answers the event diagnostics.
type DiagnosticsFrame struct {
	Session   int64  `json:"session"`
	RequestID string `json:"request_id"`
	Data      any    `json:"data"`
}

// The kinds of a Notice.
const (
	NoticeReverted  = "reverted"   // the device no longer holds what a set-value had written
	NoticeTakenOver = "taken_over" // the device holds what a set-value wanted that had failed
	NoticeCache     = "cache"      // the plugin cannot keep anything over a restart, for Reason; without one it can
	NoticeCounter   = "counter"    // a lifetime counter was Wanted and is Found from now on
	NoticeClock     = "clock"      // the clock of a device is Seconds fast, or slow below 0, for Reason; 0: it is right
)

// Notice is something that the owner should know.
type Notice struct {
	Kind    string  `json:"kind"`
	ID      string  `json:"entity"` // of the entity that was set; id is the number of the message
	Wanted  any     `json:"wanted"`
	Found   any     `json:"found"`
	Seconds float64 `json:"seconds"` // between the confirmation of Wanted and the reading of Found
	Reason  string  `json:"reason,omitempty"`
}

// NoticeFrame is solarhub/notice.
type NoticeFrame struct {
	Session int64 `json:"session"`
	Notice
}

// RemoveFrame is solarhub/remove: it asks the host to forget devices for good.
type RemoveFrame struct {
	Session int64    `json:"session"`
	Devices []string `json:"devices"`
}

// RemoveResult answers a RemoveFrame.
type RemoveResult struct {
	Removed int      `json:"removed"`
	Unknown []string `json:"unknown"` // ids that this installation does not serve
}

// ByeFrame announces a planned stop.
type ByeFrame struct {
	Session  int64  `json:"session"`
	Reason   string `json:"reason"`
	BackInMS int64  `json:"back_in_ms"`
}

// Event is a message of the companion on the subscription of hello. Which fields are filled depends on Type.
type Event struct {
	Type string `json:"type"`
	Call
	Disabled  []string `json:"disabled,omitempty"`   // config
	RequestID string   `json:"request_id,omitempty"` // diagnostics
	Devices   []string `json:"devices,omitempty"`    // removed
}

// Call is what the host asks for and waits for. Its deadline is that of the context that it is delivered with.
type Call struct {
	CallID      string  `json:"call_id,omitempty"`
	Action      string  `json:"action,omitempty"`       // set, write_group, press, read, refresh, replace
	ID          string  `json:"id,omitempty"`           // of the entity, for set, press and read
	Device      string  `json:"device,omitempty"`       // for write_group, refresh and replace
	Found       string  `json:"found,omitempty"`        // serial number of the new device, for replace
	Group       string  `json:"group,omitempty"`        // key of a group, for write_group
	Value       any     `json:"value,omitempty"`        // for set: float64, string or bool
	Values      Members `json:"values,omitempty"`       // for write_group
	Force       bool    `json:"force,omitempty"`        // write even if the device already holds the value
	RemainingMS int64   `json:"remaining_ms,omitempty"` // when the companion sent it
	ClockMS     int64   `json:"clock_ms,omitempty"`     // time on the companion's clock then

	// By says who calls where it is not the host, for the ledger.
	By string `json:"-"`

	// Certain returns until when its caller certainly waits. The time grows while the session lives. Nothing may be
	// sent to the device behind it. Nil: until the deadline.
	Certain func() time.Time `json:"-"`
}

// Members are the values of a group by the keys of its members.
type Members map[string]any

// Reading is the response of a read call.
type Reading struct {
	Value     any       `json:"value"`
	Unit      string    `json:"unit,omitempty"`
	ReadAt    time.Time `json:"read_at"`
	AgeMS     int64     `json:"age_ms"`
	Raw       []uint16  `json:"raw"`
	Registers string    `json:"registers"`        // for people: "holding 588+2"
	Reason    string    `json:"reason,omitempty"` // why there is no value
}

// Incoming is one message of the host in the command phase.
type Incoming struct {
	ID      int64           `json:"id"`
	Type    string          `json:"type"` // result, event, pong
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"result"`
	Error   *CommandError   `json:"error"`
	Event   json.RawMessage `json:"event"`
}
