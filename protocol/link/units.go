package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// unit is what a link knows of one unit.
type unit struct {
	client  modbus.Client // goburrow's: it packs a request and sends it by transfer
	flight  transfer      // the one request that is on its way
	pending *pendingReplies
	good    protocol.Range // a range that it has answered, of two registers or more if there was one
	heard   uint64         // the connection on which it last replied
	never   []protocol.Range
}

// units are those of a link.
type units struct {
	byID     map[protocol.UnitID]*unit
	never    map[protocol.UnitID][]protocol.Range
	packager func(protocol.UnitID) modbus.Packager
	shared   *pendingReplies // of all units together where a reply may not name its unit; nil elsewhere
}

func newUnits(ids protocol.Units, packager func(protocol.UnitID) modbus.Packager) units {
	us := units{byID: make(map[protocol.UnitID]*unit), packager: packager}
	if ids != protocol.StrictUnits {
		us.shared = new(pendingReplies)
	}
	return us
}

// unit returns what is known of a unit that is to be asked.
func (us *units) unit(id protocol.UnitID) *unit {
	u := us.byID[id]
	if u == nil {
		u = &unit{pending: us.shared, never: us.never[id]}
		if _, known := us.never[id]; !known {
			u.never = slices.Concat(slices.Collect(maps.Values(us.never))...) // it may be any of them
		}
		u.client = modbus.NewClient2(us.packager(id), &u.flight)
		if u.pending == nil {
			u.pending = new(pendingReplies)
		}
		us.byID[id] = u
	}
	return u
}

// pending returns the pending replies of a unit, nil if it was never asked.
func (us *units) pending(id protocol.UnitID) *pendingReplies {
	if us.shared != nil {
		return us.shared
	}
	if u := us.byID[id]; u != nil {
		return u.pending
	}
	return nil
}

// classify says what a reply is by its shape. own is the shape of the request in flight to unit, zero if there is none
// or the reply cannot be from that unit.
func (us *units) classify(r reply, unit protocol.UnitID, own shape) (kind replyKind, sent time.Time) {
	if own == (shape{}) {
		unit = r.unit
	}
	if p := us.pending(unit); p != nil {
		return p.classify(r, own)
	}
	return foreign, time.Time{}
}

// errSettled ends a probe: a reply has come that settles what the probe was sent for.
var errSettled = errors.New("settled")

// exchange sends a request over a link. Where its reply could be taken for a pending one, a probe goes first.
func (u *unit) exchange(ctx context.Context, over carrier, req protocol.Request) (protocol.Response, error) {
	if err := req.Forbidden(u.never); err != nil {
		return protocol.Response{}, err
	}
	u.pending.expire(time.Now())
	if s := shapeOf(req); u.pending.has(s) {
		u.flight = transfer{over: over, req: u.pending.probe(req, u.good, u.never), unit: u, settles: s}
		_, err := u.flight.carry(ctx)
		_, refused := errors.AsType[protocol.ExceptionError](err)
		if err != nil && !refused && !errors.Is(err, errSettled) {
			return protocol.Response{}, fmt.Errorf("%v: not sent, an earlier answer may still come: %w", req, err)
		}
	}
	u.flight = transfer{over: over, req: req, unit: u}
	return u.flight.carry(ctx)
}

// answered notes a reply of the unit.
func (u *unit) answered(x *transfer, refused bool) {
	u.heard = x.connection
	if r := x.req.Range; !refused && x.req.Op == protocol.Read && (r.Count > 1 || u.good.Count < 2) {
		u.good = r
	}
}

// timeout is how long the unit's reply may take: longer where it has not replied on this connection yet and is known to
// be slow at first.
func (u *unit) timeout(p protocol.Pace, connection uint64, otherwise time.Duration) time.Duration {
	timeout := cmp.Or(p.Timeout, otherwise)
	if u.heard != connection {
		return max(timeout, p.First)
	}
	return timeout
}
