// Package devices is what is on the other end of a line: devices made from profiles, polled, identified and written to.
// It knows protocol and profiles, not the host.
package devices

import (
	"context"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/poll"
	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Config is one device of the configuration.
type Config struct {
	Profile   *profile.Profile
	Unit      protocol.UnitID
	Name      string                             // for people; Defaults to the profile's name
	ID        string                             // the device id where no serial number can be read; usually empty
	Line      profile.LineSettings               // the profile's, with the configuration's overrides
	Intervals map[profile.Interval]time.Duration // Now, Normal, Slow
	Traits    profile.Traits                     // that the configuration fixes: they are not read
	Shown     []string                           // keys of hidden points that are entities all the same, or AllPoints
	ReadOnly  bool
	Arm       []string          // keys of points that may be written though the profile asks for arming
	Grace     time.Duration     // how long it stays available while it is away; 0: not at all. See DefaultGrace
	Known     *Identity         // what it was when last seen, from the cache; nil at the very first start
	Replaced  map[string]string // ids of devices by the serial number of the device that has replaced each
	Learned   Learned           // what had been found out of it by then; see Device.Learned
	Kept      map[string]Kept   // the last numbers that were read of the Known, by point
	Zone      *time.Location    // in which the device's clock and its days are. Defaults to that of the machine
}

// AllPoints stands in Config.Shown for every point.
const AllPoints = "all"

// Identity is what a device said of itself.
type Identity struct {
	Serial  string // or Config.ID
	Model   string
	Traits  string // their text, see profile.Profile.TraitsText
	Version string
	As      string `json:",omitempty"` // the device id where it is another: that of the device that it has replaced
}

// Status is how a device is. It is reported on each change.
type Status struct {
	Online     bool     // its values count, also in the grace of a device that is away; then Reason says why it is
	Identified bool     // in this run: nothing is writable before
	Identity   Identity // last known; zero if never
	Reason     string   // a sentence where not online, not identified or not proven
	Unproven   bool     // its serial number cannot be read at the moment: nothing is written until it can
	Stranger   string   // the serial number of the device that answers in its place; empty: none does
	Since      time.Time
}

// Sink takes what a device reports. Calls come from the device's goroutines in order and must not block for long.
type Sink interface {
	Readings(ctx context.Context, d *Device, readings []Reading)
	Status(ctx context.Context, d *Device, s Status)
	Changed(ctx context.Context, d *Device, c Changed)
}

// What a device is asked for and says, by the words of the packages that do the work.
type (
	Bus        = ask.Bus          // what a device needs of its line
	Reading    = ask.Reading      // a value with the moment at which its read began
	Set        = write.Set        // one set-value
	Outcome    = write.Outcome    // the end of a Set that did not fail
	WriteError = write.Error      // a failed Set
	SetGroup   = write.SetGroup   // several set-values of one group of the profile
	GroupError = write.GroupError // the values of a SetGroup that failed
	PollReport = poll.Report      // how the polls went lately
	Unread     = poll.Unread      // a point without a value
	Longest    = poll.Longest     // the most registers of one read
	Hole       = poll.Hole        // a place that the device does not read across
)

// IdentityPlan returns the reads by which a device of the profile proves who it is, behind each opening of the
// connection.
func IdentityPlan(p *profile.Profile, line profile.LineSettings) ([]plan.Read, error) {
	var fields []profile.Point
	for _, f := range p.IdentityFields(p.Cases()[0]) {
		fields = append(fields, profile.Point{Key: f.Key, Ranges: f.Ranges, Spec: f.Spec})
	}
	return ReadPlan(fields, line)
}

// ReadPlan returns the reads that bring all the points at once, buttons left out, as a device on that line would plan
// them. The error names every point that cannot be read within the line's limits.
func ReadPlan(points []profile.Point, line profile.LineSettings) ([]plan.Read, error) {
	return poll.Plan(points, line)
}

// TimingOf returns the wire-time model of a device's line.
func TimingOf(line profile.LineSettings) protocol.Timing { return poll.TimingOf(line) }

// MaxRegistersFor returns the most registers that one read may have so that no exchange of the line takes longer than
// the bound; 0 if none fits. shortest is the least that can be asked for: the exchange of one register.
func MaxRegistersFor(bound time.Duration, timing protocol.Timing) (most uint16, shortest time.Duration) {
	return poll.MaxRegistersFor(bound, timing)
}
