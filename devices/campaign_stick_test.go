package devices

import (
	"context"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// overStick serves the line on pipes behind a stick whose serial number nobody knows.
func (c course) overStick(ctx context.Context, line *sim.Line) (protocol.Link, func()) {
	stick := *c.stick
	stick.Serial, stick.Seed = 2700000001, c.seed
	dial, wait := overPipes(ctx, line, sim.Solarman(stick))
	return link.NewSolarman(link.SolarmanConfig{Address: "campaign:8899", Quirks: c.quirks, Dial: dial,
		Trace: c.trace}), wait
}
