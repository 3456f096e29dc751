package search

import (
	"context"
	"slices"

	"solarhub/protocol/link"
)

// portOfSticks is where sticks that answer a broadcast are asked for their inverter.
const portOfSticks = 8899

// Everywhere returns what can be searched without being told where: the serial ports of this machine, and the sticks
// and dongles of its networks that answer a broadcast. notes say why a port cannot be.
func Everywhere(ctx context.Context) (places []Place, notes []Note) {
	ports, err := link.Ports()
	if err != nil {
		notes = append(notes, Note{"serial ports", err.Error()})
	}
	for _, p := range ports {
		if p.Trouble != nil {
			notes = append(notes, Note{p.Name, p.Trouble.Error()})
			continue
		}
		places = append(places, Place{Port: p.Name})
		if p.Warning != "" {
			notes = append(notes, Note{p.Name, p.Warning})
		}
	}
	sticks, err := link.Discover(ctx)
	if err != nil && ctx.Err() == nil {
		notes = append(notes, Note{"networks", err.Error()})
	}
	for _, s := range sticks {
		at := Place{Host: s.Address, TCPPort: portOfSticks}
		if !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	return places, notes
}
