package plugin

import (
	"encoding/hex"
	"fmt"

	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol"
	"solarhub/protocol/link"
)

// line is a running line: its bus and the devices on it.
type line struct {
	config  config.Line
	bus     *protocol.Bus
	devices []*devices.Device
}

// build makes the buses and devices of a configuration, with what is remembered of them. Nothing runs yet.
func build(cfg config.Config, m memory, sink devices.Sink, observe func(Exchange), log zerolog.Logger) (lines []line, places []Place) {
	for _, c := range cfg.Lines {
		log := log.With().Str("line", c.Address).Logger()
		l := line{config: c, bus: protocol.NewBus(watch(newLink(c, log), c, observe), protocol.BusOptions{RetryMax: c.RetryMax()})}
		g := &gauge{}
		for _, d := range c.Devices {
			key := placeKey(c, d)
			if k, ok := m.known[key]; ok && k.Profile == d.Profile.ID {
				d.Known = &k.Identity
				d.Learnt = k.learnt()
			}
			device := devices.New(d, l.bus, sink, log.With().Str("device", d.Name).Uint8("unit", uint8(d.Unit)).Logger())
			l.devices = append(l.devices, device)
			places = append(places, Place{Device: device, Key: key, gauge: g})
		}
		g.line = l
		lines = append(lines, l)
	}
	return lines, places
}

// placeKey names the place of a device in the cache.
func placeKey(l config.Line, d devices.Config) string { return fmt.Sprintf("%v#%d", l, d.Unit) }

// newLink makes the link of a line. Frames are only traced where the log takes them, because tracing costs.
func newLink(l config.Line, log zerolog.Logger) protocol.Link {
	var trace func(sent bool, frame []byte)
	if log.GetLevel() <= zerolog.TraceLevel && zerolog.GlobalLevel() <= zerolog.TraceLevel {
		trace = func(sent bool, frame []byte) {
			way := "received"
			if sent {
				way = "sent"
			}
			log.Trace().Str(way, hex.EncodeToString(frame)).Msg("Frame")
		}
	}
	switch l.Transport {
	case config.TCP:
		return link.NewTCP(link.TCPConfig{Address: l.Address, Quirks: l.Quirks, Trace: trace})
	case config.RTUOverTCP:
		return link.NewRTUOverTCP(link.RTUOverTCPConfig{Address: l.Address, Serial: l.Serial, Quirks: l.Quirks, Trace: trace})
	}
	return link.NewRTU(link.RTUConfig{Path: l.Address, Serial: l.Serial, Quirks: l.Quirks, Trace: trace})
}
