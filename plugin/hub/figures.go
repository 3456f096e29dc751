package hub

import (
	"math"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
	"solarhub/protocol"
)

// linePart is the part of each device that tells of its line. It is there, and says why, also while the device is away.
const linePart = "line"

// figure is one entity of that part.
type figure struct {
	key, name string
	unit      string // "": a count or a text
	class     string // device class
	state     string // state class; "": a text
	enabled   bool
	icon      string
	value     func(g figures) any // nil is unknown
}

// figures is what the entities of one device are made of: what its own unit id has counted since the start, and its line.
type figures struct {
	LineState
	poll devices.PollReport
}

const (
	milliseconds = "ms"
	percent      = "%"
)

// allFigures are the figures in the order in which they are registered. Those that begin with "line_all" are of all devices on the
// line; damaged, late and foreign frames, gap and use can only be told of the line.
var allFigures = []figure{
	{key: "line_advice", name: "Advice", enabled: true, icon: "mdi:stethoscope", value: func(g figures) any { return g.Advice }},
	span("line_round_trip_p95", "Round trip, 95 % below", true, func(g figures) protocol.Spread { return g.Unit.Latency }, p95),
	span("line_round_trip_p50", "Round trip, half below", false, func(g figures) protocol.Spread { return g.Unit.Latency }, p50),
	span("line_round_trip_max", "Round trip, longest", false, func(g figures) protocol.Spread { return g.Unit.Latency }, longestOf),
	span("line_write_wait_p50", "Wait of a write, half below", false, func(g figures) protocol.Spread { return g.Unit.WriteWait }, p50),
	span("line_write_wait_p95", "Wait of a write, 95 % below", false, func(g figures) protocol.Spread { return g.Unit.WriteWait }, p95),
	span("line_write_wait_max", "Wait of a write, longest", false, func(g figures) protocol.Spread { return g.Unit.WriteWait }, longestOf),
	counter("line_timeouts", "Timeouts", true, func(g figures) uint64 { return g.Unit.Timeouts }),
	counter("line_exceptions", "Exceptions", false, func(g figures) uint64 { return g.Unit.Exceptions }),
	counter("line_requests", "Requests", false, func(g figures) uint64 { return g.Unit.Requests }),
	{key: "line_requests_per_poll", name: "Requests of a full poll", state: "measurement", value: ofPoll(func(p devices.PollReport) any { return p.Requests })},
	{key: "line_poll_predicted", name: "Full poll, predicted", unit: milliseconds, class: "duration", state: "measurement",
		value: ofPoll(func(p devices.PollReport) any { return tidy(p.Predicted) })},
	{key: "line_poll_took", name: "Full poll, measured", unit: milliseconds, class: "duration", state: "measurement",
		value: ofPoll(func(p devices.PollReport) any { return tidy(p.Took) })},
	{key: "line_use", name: "Line in use", unit: percent, state: "measurement", icon: "mdi:gauge", value: func(g figures) any { return math.Round(100 * g.Line.Load) }},
	{key: "line_gap", name: "Gap in force", unit: milliseconds, class: "duration", state: "measurement",
		value: func(g figures) any { return tidy(g.Line.Link.Gap) }},
	counter("line_crc_errors", "Damaged replies", false, func(g figures) uint64 { return g.Line.Frames.Damaged }),
	counter("line_late", "Late replies left out", false, func(g figures) uint64 { return g.Line.Frames.Late }),
	counter("line_foreign", "Foreign frames", false, func(g figures) uint64 { return g.Line.Frames.Foreign }),
	counter("line_openings", "Openings", false, func(g figures) uint64 { return g.Line.Openings }),
	counter("line_all_timeouts", "Timeouts of all devices", false, func(g figures) uint64 { return g.Line.Timeouts }),
	span("line_all_round_trip_p95", "Round trip of all devices, 95 % below", false, func(g figures) protocol.Spread { return g.Line.Latency }, p95),
	span("line_all_write_wait_max", "Wait of a write of all devices, longest", false, func(g figures) protocol.Spread { return g.Line.WriteWait }, longestOf),
}

func p50(s protocol.Spread) time.Duration       { return s.P50 }
func p95(s protocol.Spread) time.Duration       { return s.P95 }
func longestOf(s protocol.Spread) time.Duration { return s.Max }

// span makes the figure of one value of a distribution.
func span(key, name string, enabled bool, of func(figures) protocol.Spread, which func(protocol.Spread) time.Duration) figure {
	return figure{key: key, name: name, unit: milliseconds, class: "duration", state: "measurement", enabled: enabled, value: func(g figures) any {
		s := of(g)
		if s.Count == 0 {
			return nil
		}
		return tidy(which(s))
	}}
}

// counter makes the figure of something that is counted from the start of the process.
func counter(key, name string, enabled bool, of func(figures) uint64) figure {
	return figure{key: key, name: name, state: "total_increasing", enabled: enabled, icon: "mdi:counter", value: func(g figures) any { return of(g) }}
}

// ofPoll gives a value of the poll report once there was a poll.
func ofPoll(of func(devices.PollReport) any) func(figures) any {
	return func(g figures) any {
		if g.poll.Requests == 0 {
			return nil
		}
		return of(g.poll)
	}
}

// tidy returns milliseconds with no more digits than a history can bear: it would else change with each poll.
func tidy(d time.Duration) float64 {
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
		all = append(all, host.Entity{ID: figureID(serial, f), Device: part, Platform: "sensor", Key: f.key, Name: f.name, Category: "diagnostic", Enabled: f.enabled,
			DeviceClass: f.class, Unit: f.unit, StateClass: f.state, Icon: f.icon})
	}
	return d, all
}
