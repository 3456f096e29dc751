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

// line is a running line with what watches it.
type line struct {
	doctor.Line
	gauge *doctor.Gauge
}

// build makes the buses and devices of a configuration, with what is remembered of them. Nothing runs yet.
func build(cfg config.Config, m hub.Memory, sink devices.Sink, observe func(Exchange),
	log zerolog.Logger) (lines []line, places []hub.Place) {
	for _, c := range cfg.Lines {
		log := log.With().Str("line", c.Address).Logger()
		l := line{Line: doctor.Line{Config: c,
			Bus: protocol.NewBus(watch(c.NewLink(log), c, observe),
				protocol.BusOptions{RetryMax: c.RetryMax(), Log: log})}}
		for _, d := range c.Devices {
			if who, learned, ok := m.Known(placeKey(c, d), d.Profile.ID); ok {
				d.Known, d.Learned, d.Kept = &who, learned, m.Numbers(who.Serial)
			}
			d.Replaced = m.Replaced()
			device := devices.New(d, l.Bus, sink,
				log.With().Str("device", d.Name).Uint8("unit", uint8(d.Unit)).Logger())
			l.Devices = append(l.Devices, device)
		}
		l.gauge = doctor.NewGauge(l.Line)
		for i, d := range l.Devices {
			places = append(places, hub.Place{Device: d, Key: placeKey(c, c.Devices[i]),
				Pending: pendingID(cfg.Name, placeKey(c, c.Devices[i])),
				Entry:   entryOf(c, c.Devices[i]),
				Gauge:   gauge{l.gauge}})
		}
		lines = append(lines, l)
	}
	return lines, places
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
