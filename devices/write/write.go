// Package write carries out set-values: check, queue, write, settle, read back, verify. One goroutine for each device
// does all of it; callers wait for their one answer.
package write

import (
	"context"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Set is one set-value.
type Set struct {
	Key      string    // of the point
	Value    any       // as the host gave it: float64, string or bool; checked against the point
	Force    bool      // write even if the device already holds the value
	Deadline time.Time // nothing is sent behind it; Defaults to 30 s from the call

	// Certain returns until when the caller certainly still waits. It is asked just before the value is written, and
	// nothing is written behind it. Nil: until Deadline.
	Certain func() time.Time
}

// Outcome is the end of a Set that did not fail.
type Outcome struct {
	Reading    ask.Reading   // what was read back
	Superseded bool          // a newer value for the same point was written instead
	Unchanged  bool          // the device held the value already; nothing was written
	Wire       time.Duration // from the call to the first byte of the write
	Took       time.Duration // from the call to the confirmation
}

// Config is what a Writer must know of its device beforehand.
type Config struct {
	Name     string // what people call the device
	ReadOnly bool
	Arm      []string       // keys of points that may be written though the profile asks for arming
	Held     *Held          // what the device was found to hold, which may be written back
	Zone     *time.Location // of the device's clock; nil: that of the machine
}

// Device is what a Writer needs of its device.
type Device interface {
	// Points returns the points of the variant that the device was last identified as. Nobody may change them.
	Points() []profile.Point

	// Hold has f called with the line held and the device identified on its connection.
	Hold(ctx context.Context, req protocol.Request, f func(ctx context.Context, x protocol.Exchanger) error) error

	// Known returns the device id, empty if the device was never identified, and why it is not identified now.
	Known() (id, reason string)
}

// Values keeps what is known of the device's values, and passes it on.
type Values interface {
	// Fresh returns the last reading of a point if it is not older than age and still counts.
	Fresh(key string, age time.Duration) (ask.Reading, bool)

	// Begin says that a write to the point goes out: until End no reading of it counts.
	Begin(p profile.Point)

	// End says how it ended.
	End(ctx context.Context, p profile.Point, end End)
}

// End is how a write to a point ended.
type End struct {
	Written   bool         // it may have been carried out; false: readings count as before
	Found     *ask.Reading // what the device holds, nil if that is not known
	Confirmed bool         // Found is what was wanted
	Ended     bool         // it is not sent once more
	Wanted    codec.Value
}
