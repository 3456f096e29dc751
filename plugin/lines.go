package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
	"solarhub/plugin/hub"
	"solarhub/protocol"
)

// line is a line with its devices and what watches it. What it needs to run is nil before start.
type line struct {
	doctor.Line
	gauge      *doctor.Gauge
	places     []hub.Place
	bus, polls *stage
}

// maker is what lines are made with beside their configuration.
type maker struct {
	name    string // of the installation
	sink    devices.Sink
	observe func(Exchange) // nil: nobody is told
	log     zerolog.Logger
}

// line makes the bus and the devices of a line, with what is remembered of them. Nothing runs yet.
func (m maker) line(c config.Line, known hub.Memory) *line {
	log := m.log.With().Str("line", c.Address).Logger()
	l := &line{Line: doctor.Line{Config: c,
		Bus: protocol.NewBus(watch(c.NewLink(log), c, m.observe),
			protocol.BusOptions{RetryMax: c.RetryMax(), Log: log})}}
	for _, d := range c.Devices {
		if who, learned, ok := known.Known(placeKey(c, d), d.Profile.ID); ok {
			d.Known, d.Learned, d.Kept = &who, learned, known.Numbers(who.Serial)
		}
		d.Replaced = known.Replaced()
		l.Devices = append(l.Devices, devices.New(d, l.Bus, m.sink,
			log.With().Str("device", d.Name).Uint8("unit", uint8(d.Unit)).Logger()))
	}
	l.gauge = doctor.NewGauge(l.Line)
	for i, d := range l.Devices {
		place := placeKey(c, c.Devices[i])
		l.places = append(l.places, hub.Place{Device: d, Key: place, Pending: pendingID(m.name, place),
			Entry: entryOf(c, c.Devices[i]), Gauge: gauge{l.gauge}})
	}
	return l
}

// start runs the line and its devices. Their failure goes to failed.
func (l *line) start(failed chan<- error) {
	l.bus, l.polls = newStage(l.Config.String(), failed), newStage("devices of "+l.Config.String(), failed)
	l.bus.run(l.Bus.Run)
	for _, d := range l.Devices {
		l.polls.run(d.Run)
	}
}

// busesOf and pollsOf are what runs of lines.
func busesOf(lines []*line) (all []*stage) {
	for _, l := range lines {
		all = append(all, l.bus)
	}
	return all
}

func pollsOf(lines []*line) (all []*stage) {
	for _, l := range lines {
		all = append(all, l.polls)
	}
	return all
}

// placesOf returns where the devices of lines are.
func placesOf(lines []*line) (all []hub.Place) {
	for _, l := range lines {
		all = append(all, l.places...)
	}
	return all
}

// gauge is a doctor's gauge as the hub asks it.
type gauge struct{ of *doctor.Gauge }

// Measure returns how the line of a device is.
func (g gauge) Measure(d *devices.Device, now time.Time) hub.LineState {
	total, advice := g.of.Stats(), g.of.Measure(now).Headline(d.Name())
	return hub.LineState{Line: total, Unit: total.Units[g.of.UnitOf(d)], Advice: advice,
		Well: advice == doctor.WellText}
}

// entryOf is what the configuration says of a device, for the owner who asks for a deleted one again by changing it.
func entryOf(l config.Line, d devices.Config) string {
	return fmt.Sprintf("%v#%d %s %q %q", l, d.Unit, d.Profile.ID, d.Name, d.ID)
}

// pendingID is the id under which a host shows a device that has never said who it is. It is the same in each run, and
// another in each installation.
func pendingID(installation, place string) string {
	sum := sha256.Sum256([]byte(installation + "\n" + place))
	return "unidentified-" + hex.EncodeToString(sum[:8])
}

// placeKey names the place of a device in the cache.
func placeKey(l config.Line, d devices.Config) string { return fmt.Sprintf("%v#%d", l, d.Unit) }
