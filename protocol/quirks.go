package protocol

import "time"

// Quirks are what a link and the units behind it do against the standard. The zero value is a link that keeps to it;
// each field says who does not. They belong to the link, because all its units share the connection.
type Quirks struct {
	// ConnectDelay is the silence behind the opening before the first request: Huawei dongles want 1 to 2 s
	// (grid-x/modbus #44, openhab-addons #2926); their EMMA hangs up when it has to wait 1 s (huawei_solar #1436), so
	// it is 0 unless asked for.
	ConnectDelay time.Duration
	// Transactions says how the reply of a Modbus TCP link is known; an RTU link has no transaction ids.
	Transactions Transactions
	// Units says which unit id a reply may carry.
	Units Units
	// Echo says whether the line repeats what is sent, as RS485 adapters do that hear themselves (libmodbus #34, #818).
	// Without it such a line confirms a single write by its own echo. LinkCondition.Echoes tells.
	Echo Echo
	// KeepLatency leaves the latency timer of a USB adapter as it is; otherwise it is set to 1 ms where the system
	// allows.
	KeepLatency bool
	// Direction says who switches the transceiver of a serial port between sending and receiving.
	Direction Direction
}

// Transactions says how the reply of a Modbus TCP link is known.
type Transactions uint8

const (
	// StrictTransactions believe a reply with the id of the request. It is the standard and the default.
	StrictTransactions Transactions = iota
	// ShapeTransactions believe a reply of the unit, function and size that was asked for, whatever its id, in the
	// order of the requests: gateways that answer with the id of another request (Waveshare: sunsynk #680, evcc #21026;
	// Growatt: 0xAHA Growatt_ModbusTCP #317) or with its bytes swapped (pymodbus #2709).
	ShapeTransactions
)

// Units says which unit id a reply may carry.
type Units uint16

const (
	StrictUnits Units = iota // that of the request: the standard and the default
	// LaxUnits take 0 and 255, too: gateways that do not repeat it (modbus-esp8266 #356). What one unit owes may then
	// come for another, so a late reply of any of them is told apart for all; they are taken to answer in the order
	// they were asked.
	LaxUnits
	// oneUnit and those above take one more id than that of the request: see AlsoUnit.
	oneUnit
)

// AlsoUnit takes replies that carry an id, beside those that carry that of the request: gateways that answer with one
// id, whoever was asked. It is else as LaxUnits.
func AlsoUnit(id UnitID) Units { return oneUnit + Units(id) }

// Also returns the id of AlsoUnit; ok is false for the others.
func (u Units) Also() (id UnitID, ok bool) { return UnitID(u - oneUnit), u >= oneUnit }

// Take reports whether the reply to a request for a unit may carry an id.
func (u Units) Take(unit, id UnitID) bool {
	also, ok := u.Also()
	return id == unit || u == LaxUnits && (id == 0 || id == 255) || ok && id == also
}

// Echo says whether a line repeats what is sent.
type Echo uint8

const (
	NoEcho   Echo = iota // the standard and the default
	WithEcho             // each reply comes behind a copy of its request
)

// Direction says who switches the RS485 transceiver of a serial port between sending and receiving.
type Direction uint8

const (
	AdapterDirection Direction = iota // the adapter does by itself, as nearly all USB adapters do; the default
	RTSDirection                      // the kernel's driver does, with RTS high while it sends
	InvertedRTS                       // the same with RTS low while it sends
)
