package hub

import (
	"math"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/protocol"
)

// linePart is the part of each device that tells of its line. It stays available, and says why, while the device is
// away.
const linePart = "line"

// figure is one entity of that part.
type figure struct {
	key, name string
	unit      string // "": a count or a text
	class     string // device class
	state     string // state class; "": a text, or a count, which begins again with each start of SolarHub
	enabled   bool
	icon      string
	value     func(g figures) any // nil is unknown
}

// figures is what the entities of one device are made of: what its own unit id has counted since the start, and its
// line.
type figures struct {
	LineState
	poll     devices.PollReport
	absences uint64 // that ended within the grace
}

// allFigures are the figures in the order in which they are registered: those that an owner can act on. Damaged replies
// and use are of the whole line, the others of the device.
var allFigures = []figure{
	{key: "line_advice", name: "Advice", enabled: true, icon: "mdi:stethoscope",
		value: func(g figures) any { return g.Advice }},
	p95("line_round_trip_p95", "Round trip, 95 % below", true,
		func(g figures) protocol.Spread { return g.Unit.Latency }),
	p95("line_write_wait_p95", "Wait of a write, 95 % below", false,
		func(g figures) protocol.Spread { return g.Unit.WriteWait }),
	counter("line_timeouts", "Timeouts", true, func(g figures) uint64 { return g.Unit.Timeouts }),
	counter("line_absences", "Short absences", false, func(g figures) uint64 { return g.absences }),
	counter("line_crc_errors", "Damaged replies", false, func(g figures) uint64 { return g.Line.Frames.Damaged }),
	{key: "line_poll_took", name: "Full poll, measured", unit: milliseconds, class: "duration", state: "measurement",
		value: pollTook},
	{key: "line_use", name: "Line in use", unit: "%", state: "measurement", icon: "mdi:gauge",
		value: func(g figures) any { return math.Round(100 * g.Line.Load) }},
}

const milliseconds = "ms"

// p95 makes the figure below which 95 % of a distribution lie.
func p95(key, name string, enabled bool, of func(figures) protocol.Spread) figure {
	value := func(g figures) any {
		s := of(g)
		if s.Count == 0 {
			return nil
		}
		return roundedMS(s.P95)
	}
	return figure{key: key, name: name, unit: milliseconds, class: "duration", state: "measurement", enabled: enabled,
		value: value}
}

// counter makes the figure of something that is counted from the start of the process.
func counter(key, name string, enabled bool, of func(figures) uint64) figure {
	return figure{key: key, name: name, enabled: enabled, icon: "mdi:counter",
		value: func(g figures) any { return of(g) }}
}

// pollTook is unknown until there was a poll.
func pollTook(g figures) any {
	if g.poll.Requests == 0 {
		return nil
	}
	return roundedMS(g.poll.Took)
}

// roundedMS returns milliseconds with few digits: with more, every poll would bring another value into the history.
func roundedMS(d time.Duration) float64 {
	ms := d.Seconds() * 1000
	if ms < 10 {
		return math.Round(10*ms) / 10
	}
	return math.Round(ms)
}

func figureID(device string, f figure) string { return device + "_" + f.key }

// lineDefinitions describes the part "line" of a device.
func lineDefinitions(family *profile.Profile, name, serial string) (host.Device, []host.Entity) {
	part := partID(serial, linePart)
	d := host.Device{ID: part, Via: serial, Name: name + " Line", Manufacturer: family.Manufacturer, Model: "Line"}
	var all []host.Entity
	for _, f := range allFigures {
		all = append(all, host.Entity{ID: figureID(serial, f), Device: part, Platform: "sensor", Key: f.key,
			Name:     f.name,
			Category: "diagnostic", Enabled: f.enabled, DeviceClass: f.class, Unit: f.unit, StateClass: f.state,
			Icon: f.icon})
	}
	return d, all
}
