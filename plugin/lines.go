package plugin

import (
	"fmt"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
	"solarhub/protocol"
)

// build makes the buses and devices of a configuration, with what is remembered of them. Nothing runs yet.
func build(cfg config.Config, m memory, sink devices.Sink, observe func(Exchange), log zerolog.Logger) (lines []doctor.Line, places []Place) {
	for _, c := range cfg.Lines {
		log := log.With().Str("line", c.Address).Logger()
		l := doctor.Line{Config: c, Bus: protocol.NewBus(watch(c.NewLink(log), c, observe), protocol.BusOptions{RetryMax: c.RetryMax()})}
		for _, d := range c.Devices {
			key := placeKey(c, d)
			if k, ok := m.known[key]; ok && k.Profile == d.Profile.ID {
				d.Known = &k.Identity
				d.Learnt = k.learnt()
			}
			device := devices.New(d, l.Bus, sink, log.With().Str("device", d.Name).Uint8("unit", uint8(d.Unit)).Logger())
			l.Devices = append(l.Devices, device)
			places = append(places, Place{Device: device, Key: key})
		}
		gauge := doctor.NewGauge(l)
		for i := range l.Devices {
			places[len(places)-len(l.Devices)+i].gauge = gauge
		}
		lines = append(lines, l)
	}
	return lines, places
}

// placeKey names the place of a device in the cache.
func placeKey(l config.Line, d devices.Config) string { return fmt.Sprintf("%v#%d", l, d.Unit) }
