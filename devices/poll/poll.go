// Package poll reads the values of one device: each class of points at its interval, what is due together in the fewest
// reads. It finds out which registers the device does not give, at little cost to the others.
package poll

import (
	"context"
	"errors"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Config is what a Poller must know of its device beforehand.
type Config struct {
	Intervals map[profile.Interval]time.Duration // Defaults to 2 s, 15 s and 5 min for each class that has none
	Holes     []Hole                             // what an earlier run has found
	Longest   Longest                            // the same
	Zone      *time.Location                     // whose midnight counts; nil: that of the machine
}

// Device is what a Poller needs of its device.
type Device interface {
	// Selection returns what is to be read, and whether it is another selection than that of the version.
	Selection(version uint64) (s Selection, changed bool)

	// Do asks the device. ErrAway says that it is away, or must be identified before it is asked again.
	Do(ctx context.Context, req protocol.Request) (protocol.Response, error)

	// Report passes readings on.
	Report(ctx context.Context, readings []ask.Reading)
}

// Selection is what is to be read of a device.
type Selection struct {
	Version uint64          // counts what changes the rest
	Traits  string          // of the device: where they change, what was found out is forgotten
	Points  []profile.Point // that are enabled
}

// ErrAway: the device does not answer, or must be identified first. What was asked is asked again when it is back.
var ErrAway = errors.New("the device is away")

// Hole is a place that the device does not read across: one read may bring what lies before the range, another what
// lies behind it. Where the registers before and behind it are neighbours its count is 0.
type Hole struct {
	Range protocol.Range `json:"range"`
	At    time.Time      `json:"at"` // when it was found
}
