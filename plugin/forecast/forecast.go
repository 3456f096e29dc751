// Package forecast says what a configuration will cost before anything is opened: how each device is read, how long
// that takes on the wire, and how long a write may have to wait. It is pure.
package forecast

import (
	"fmt"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Line says what polling a line will cost and how long a write may have to wait, without touching the line. Times are
// those of the wire-time model.
type Line struct {
	Config   config.Line
	Settings []Setting // of the connection, where they are not the default
	Devices  []Device

	// Bound is how long a write waits for the line, with the reads of all points of every device. Its Dead is for a
	// device that may not answer.
	Bound protocol.WriteBound
}

// Load returns the share of the line's time that its devices take together, each in the case that takes most: with
// the points that are on at first, and with all. Above 1 the line cannot keep up.
func (l Line) Load() (enabled, all float64) {
	for _, d := range l.Devices {
		var on, every float64
		for _, v := range d.Cases {
			on, every = max(on, v.Enabled.Load), max(every, v.All.Load)
		}
		enabled, all = enabled+on, all+every
	}
	return enabled, all
}

// Device is the part of one device.
type Device struct {
	Config   devices.Config
	Settings []Setting // where they are not the default
	Cases    []Case    // one without a name where the family has no traits
}

// Case is the same for a device with some traits, which show only when the device is asked.
type Case struct {
	Traits  profile.Traits
	Name    string // of the traits, as people read them
	Enabled Plan   // the points that are enabled at first registration, and what they follow from
	All     Plan   // every point

	write time.Duration // on the wire, the longest exchange of one
}

// Plan is the cost of a read plan.
type Plan struct {
	Points    int
	Reads     []plan.Read
	Registers int           // that the reads carry, those nobody asked for included
	Time      time.Duration // on the wire, for all reads one after the other
	Longest   time.Duration // of a single read
	Load      float64       // share of the line's time at the device's intervals; above 1 the line cannot keep up
	Now       time.Duration // on the wire, for the class now alone
	Err       error         // points that cannot be read within the line's limits; they are left out
}

// Of returns the prediction for each line of a configuration.
func Of(cfg config.Config) ([]Line, error) {
	var all []Line
	for _, l := range cfg.Lines {
		line := Line{Config: l, Settings: lineSettings(l)}
		for _, d := range l.Devices {
			device, err := ofDevice(d)
			if err != nil {
				return nil, fmt.Errorf("%v: %s: %w", l, d.Name, err)
			}
			device.Settings = deviceSettings(d, l)
			line.Bound = widest(line.Bound, boundOf(device))
			line.Devices = append(line.Devices, device)
		}
		all = append(all, line)
	}
	return all, nil
}

func ofDevice(d devices.Config) (Device, error) {
	device, planner := Device{Config: d}, planner{of: d, plans: map[string]readPlan{}}
	for _, traits := range d.Profile.Cases() {
		points, err := d.Profile.Resolve(traits)
		if err != nil {
			return device, err
		}
		var readable, enabled []profile.Point
		for _, p := range points {
			if p.HasValue() {
				readable = append(readable, p)
			}
			if p.HasValue() && p.Entity.Enabled {
				enabled = append(enabled, p)
			}
		}
		device.Cases = append(device.Cases, Case{
			Traits: traits, Name: d.Profile.TraitsText(traits), write: writeTime(points, d.Line),
			Enabled: planner.plan(len(enabled), devices.Polled(points, enabled)),
			All:     planner.plan(len(readable), readable),
		})
	}
	return device, nil
}
