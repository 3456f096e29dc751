package plugin

import (
	"fmt"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// LinePrediction says what polling a line will cost and how long a write may have to wait, without touching the line. Times are
// those of the wire-time model.
type LinePrediction struct {
	Line     config.Line
	Settings []Setting // of the connection, where they are not the default
	Devices  []DevicePrediction

	// Bound is how long a write waits for the line, with the reads of all points of every device. Its Dead is for a device that
	// may not answer.
	Bound protocol.WriteBound
}

// Load returns the share of the line's time that its devices take together, each as the variant that takes most: with the points that
// are on at first, and with all. Above 1 the line cannot keep up.
func (l LinePrediction) Load() (enabled, all float64) {
	for _, d := range l.Devices {
		var on, every float64
		for _, v := range d.Variants {
			on, every = max(on, v.Enabled.Load), max(every, v.All.Load)
		}
		enabled, all = enabled+on, all+every
	}
	return enabled, all
}

// DevicePrediction is the part of one device.
type DevicePrediction struct {
	Device   devices.Config
	Settings []Setting           // where they are not the default
	Variants []VariantPrediction // one without a name where the family has no variants
}

// VariantPrediction is the same for one variant of the device's family: which it is shows only when the device is asked.
type VariantPrediction struct {
	Variant string
	Enabled PlanPrediction // the points that are enabled at first registration
	All     PlanPrediction // every point
}

// PlanPrediction is the cost of a read plan.
type PlanPrediction struct {
	Points    int
	Reads     []plan.Read
	Registers int           // that the reads carry, those nobody asked for included
	Time      time.Duration // on the wire, for all reads one after the other
	Longest   time.Duration // of a single read
	Load      float64       // share of the line's time that polling at the device's intervals takes; above 1 the line cannot keep up
	Now       time.Duration // on the wire, for the class now alone
	Err       error         // points that cannot be read within the line's limits; they are left out
}

// Predict returns the prediction for each line of a configuration.
func Predict(cfg config.Config) ([]LinePrediction, error) {
	var all []LinePrediction
	for _, l := range cfg.Lines {
		line := LinePrediction{Line: l, Settings: lineSettings(l)}
		for _, d := range l.Devices {
			device, err := predictDevice(d)
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

func predictDevice(d devices.Config) (DevicePrediction, error) {
	device := DevicePrediction{Device: d}
	for _, variant := range d.Profile.VariantNames() {
		points, err := d.Profile.Resolve(variant)
		if err != nil {
			return device, err
		}
		var readable, enabled []profile.Point
		for _, p := range points {
			if p.Button() {
				continue
			}
			readable = append(readable, p)
			if p.Entity.Enabled {
				enabled = append(enabled, p)
			}
		}
		device.Variants = append(device.Variants, VariantPrediction{
			Variant: variant, Enabled: predictPlan(d, enabled), All: predictPlan(d, readable),
		})
	}
	return device, nil
}

func predictPlan(d devices.Config, points []profile.Point) PlanPrediction {
	timing := devices.TimingOf(d.Line)
	p := PlanPrediction{Points: len(points)}
	p.Reads, p.Err = devices.ReadPlan(points, d.Line)
	p.Time, p.Longest = plan.Cost(p.Reads, timing), plan.Longest(p.Reads, timing)
	for _, r := range p.Reads {
		p.Registers += int(r.Range.Count)
	}
	for _, class := range []profile.Interval{profile.Now, profile.Normal, profile.Slow} {
		var of []profile.Point
		for _, point := range points {
			if point.Interval == class {
				of = append(of, point)
			}
		}
		reads, _ := devices.ReadPlan(of, d.Line) // the error is in p.Err already
		if class == profile.Now {
			p.Now = plan.Cost(reads, timing)
		}
		if every := d.Intervals[class]; every > 0 {
			p.Load += plan.Cost(reads, timing).Seconds() / every.Seconds()
		}
	}
	return p
}
