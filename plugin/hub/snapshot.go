package hub

import (
	"context"
	"errors"
	"time"

	"solarhub/devices/profile"
	"solarhub/plugin/ledger"
	"solarhub/protocol/codec"
)

// Snapshot is what the hub knows at a moment, for people who look for a fault.
type Snapshot struct {
	Told     bool // the host has said what is disabled, in this run or before
	Disabled int  // entities
	Devices  []DeviceSnapshot
	Ledger   []ledger.Entry // the last 50, newest last
}

// DeviceSnapshot is one device of it.
type DeviceSnapshot struct {
	Place    Place
	Points   map[string]profile.Point // by key; empty until the device is known
	Polled   map[string]bool          // keys of the points that the host shows; nil: it has not said
	Readings map[string]Reading       // the newest of each point that has one
}

// Reading is the newest value of a point.
type Reading struct {
	Value  codec.Value
	ReadAt time.Time
	Raw    []uint16 // nil if it was not read in this run
	Cached bool     // it was read before this run
}

// shownEntries is how many set-values a Snapshot has.
const shownEntries = 50

// Snapshot returns what is known now. The error is that of ctx, or that the hub does not run.
func (h *Hub) Snapshot(ctx context.Context) (Snapshot, error) {
	var all Snapshot
	if !h.do(ctx, func(s *state) { all = s.snapshot() }) {
		return Snapshot{}, errors.Join(errors.New("the hub does not answer"), ctx.Err())
	}
	return all, nil
}

// Ledger returns all set-values that are kept, the newest last. Errors are those of Snapshot.
func (h *Hub) Ledger(ctx context.Context) (all []ledger.Entry, err error) {
	if !h.do(ctx, func(s *state) { all = s.ledger.Last(ledger.Size) }) {
		return nil, errors.Join(errors.New("the hub does not answer"), ctx.Err())
	}
	return all, nil
}

func (s *state) snapshot() Snapshot {
	all := Snapshot{Told: s.listKnown, Disabled: len(s.disabled), Ledger: s.ledger.Last(shownEntries)}
	for _, u := range s.members {
		one := DeviceSnapshot{Place: Place{Device: u.device, Key: u.place, Entry: u.entry, Gauge: u.gauge},
			Points: u.points, Polled: u.polled,
			Readings: map[string]Reading{}}
		for key, v := range u.values {
			one.Readings[key] = Reading{v.Value, v.ReadAt, v.raw, v.cached}
		}
		all.Devices = append(all.Devices, one)
	}
	return all
}
