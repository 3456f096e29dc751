package ask

import (
	"context"

	"solarhub/protocol"
)

// Guard is the line as a device may use it. Every request to the device passes it, whoever makes it: one that touches
// registers which must never be asked does not go out. Some devices fall off the grid about one
// (0xAHA Growatt_ModbusTCP #88). A read whose reply was garbled is sent again.
type Guard struct {
	Bus
	Never func() []protocol.Range // may be called from any goroutine
}

// Do is Bus.Do.
func (g Guard) Do(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	return g.exchange(g.Bus.Do)(ctx, req)
}

// Hold is Bus.Hold.
func (g Guard) Hold(ctx context.Context, req protocol.Request,
	hold func(ctx context.Context, x protocol.Exchanger) error) error {
	return g.Bus.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
		return hold(ctx, guarded{x, g.exchange(x.Exchange)})
	})
}

func (g Guard) exchange(do Exchange) Exchange {
	again := Again(do)
	return func(ctx context.Context, req protocol.Request) (protocol.Response, error) {
		if err := req.Forbidden(g.Never()); err != nil {
			return protocol.Response{}, err
		}
		return again(ctx, req)
	}
}

// guarded is an Exchanger behind a Guard.
type guarded struct {
	protocol.Exchanger
	exchange Exchange
}

func (x guarded) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	return x.exchange(ctx, req)
}
