package search

import (
	"context"
	"errors"

	"solarhub/devices/scan"
	"solarhub/plugin/config"
	"solarhub/protocol/link"
)

// port searches a serial port.
func (o Options) port(ctx context.Context, p Place) Report {
	l := config.Line{Transport: config.Serial, Address: p.Port}
	r, err := o.onLine(ctx, l, scan.Line{Serials: o.Serials, Thorough: true, Tell: func(now scan.Progress) {
		o.Tell(Progress{Place: p.String(), What: now.What, Done: now.Done})
	}})
	trouble, ok := errors.AsType[*link.PortError](err)
	switch {
	case err == nil:
		r.Searched++
	case ok:
		r.note(p.String(), "%v", trouble)
	case !errors.Is(err, ctx.Err()) || ctx.Err() == nil:
		r.note(p.String(), "%v", err)
	}
	return r
}
