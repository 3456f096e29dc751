// Package devices is what is on the other end of a line: devices made from profiles, polled, identified and written to.
// It knows protocol and profiles, not the host.
package devices

import (
	"context"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Line is what a device needs of a bus. protocol.Bus is one.
type Line interface {
	Do(ctx context.Context, req protocol.Request) (protocol.Response, error)
	Hold(ctx context.Context, req protocol.Request, hold func(ctx context.Context, x protocol.Exchanger) error) error
}

// Config is one device of the configuration.
type Config struct {
	Profile   *profile.Profile
	Unit      protocol.UnitID
	Name      string                             // for people; Defaults to the profile's name
	ID        string                             // the device id where no serial number can be read; usually empty
	Line      profile.LineSettings               // the profile's, with the configuration's overrides
	Intervals map[profile.Interval]time.Duration // Now, Normal, Slow
	ReadOnly  bool
	Arm       []string  // keys of points that may be written though the profile asks for arming
	Known     *Identity // what it was when last seen, from the cache; nil at the very first start
	Learnt    Lessons   // what it had taught by then; see Device.Learnt
}

// Identity is what a device said of itself.
type Identity struct {
	Serial  string // or Config.ID
	Model   string
	Variant string // one of Profile.Variants, or empty
	Version string
}

// Reading is a value with the moment its read began.
type Reading struct {
	Key    string
	Value  codec.Value
	Raw    []uint16
	ReadAt time.Time
}

// Status is how a device is. It is reported on each change.
type Status struct {
	Online     bool
	Identified bool     // in this run: nothing is writable before
	Identity   Identity // last known; zero if never
	Reason     string   // a sentence where not online or not identified
	Since      time.Time
}

// Sink takes what a device reports. Calls come from the device's goroutines in order and must not block for long.
type Sink interface {
	Readings(ctx context.Context, d *Device, readings []Reading)
	Status(ctx context.Context, d *Device, s Status)
	Reverted(ctx context.Context, d *Device, r Reverted)
}

// Set is one set-value.
type Set struct {
	Key      string
	Value    any  // as the host gave it: float64, string or bool; checked against the point
	Force    bool // write even if the device already holds the value
	Deadline time.Time
}

// Outcome is the end of a Set that did not fail.
type Outcome struct {
	Reading    Reading       // what was read back
	Superseded bool          // a newer value for the same register was written instead
	Unchanged  bool          // the device held the value already; nothing was written
	Wire       time.Duration // from the call to the first byte of the write
	Took       time.Duration // from the call to the confirmation
}

// Stage says how far a failed Set came.
type Stage uint8

// The stages. Up to StageNotSent nothing reached the device.
const (
	StageRefused     Stage = iota // checked and refused: range, step, type, option, read only, not armed
	StageNotSent                  // not identified, line down, deadline passed, cancelled
	StageException                // the device said no
	StageUnknown                  // it went out, no answer came, and it could not be read back
	StageNotVerified              // the device acknowledged and holds something else
)

// WriteError is a failed Set. Code is one of the codes of plugin/PROTOCOL.md section 5; Fields are its placeholders.
type WriteError struct {
	Stage  Stage
	Code   string
	Fields map[string]string
	Err    error    // the cause; nil for refusals
	Found  *Reading // what the device holds, where that was read
}
