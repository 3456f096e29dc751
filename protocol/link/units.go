package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/goburrow/modbus"

	"solarhub/protocol"
)

// unit is what a link knows of one unit.
type unit struct {
	client  modbus.Client // makes its ADUs
	account *account
	good    protocol.Range // a range that it has answered, of two or more if there was one
	heard   uint64         // the connection on which it last replied
}

// mayBeOf reports whether a reply that carries an id may be that of a unit.
func mayBeOf(unit, id protocol.UnitID, by protocol.Units) bool {
	return id == unit || by == protocol.LaxUnits && (id == 0 || id == 255)
}

// units are those of a link.
type units struct {
	byID   map[protocol.UnitID]*unit
	client func(protocol.UnitID) modbus.Client
	shared *account // of all units, where a reply may not even say which of them it is from: they answer in order, too
	// once sends one request and returns what is its answer by all that is known. avoid is set for a probe: the shape that it is to settle.
	once func(ctx context.Context, u *unit, req protocol.Request, avoid *shape) (protocol.Response, error)
	fail func(op string, err error) error
}

func newUnits(ids protocol.Units) units {
	us := units{byID: make(map[protocol.UnitID]*unit)}
	if ids == protocol.LaxUnits {
		us.shared = new(account)
	}
	return us
}

// unit returns what is known of a unit that is to be asked.
func (us *units) unit(id protocol.UnitID) *unit {
	u := us.byID[id]
	if u == nil {
		u = &unit{client: us.client(id), account: us.shared}
		if u.account == nil {
			u.account = new(account)
		}
		us.byID[id] = u
	}
	return u
}

// account returns that of a unit, nil if it was never asked.
func (us *units) account(id protocol.UnitID) *account {
	if us.shared != nil {
		return us.shared
	}
	if u := us.byID[id]; u != nil {
		return u.account
	}
	return nil
}

var (
	// errSettled ends a probe early: a reply has come that settles what the probe was sent for.
	errSettled = errors.New("settled by an earlier answer")
	// errDoubted ends an exchange whose reply may be a copy of the one before, or the answer to a probe.
	errDoubted = fmt.Errorf("%w but one that may be another's", protocol.ErrTimeout)
)

// maxProbes bounds the probes before one request, each of which can settle at least one answer, and how often one is asked again.
const maxProbes = 3

// exchange carries out a request: what may still be answered is settled first, and a read whose reply may have been a copy is
// asked again.
func (us *units) exchange(ctx context.Context, u *unit, req protocol.Request) (resp protocol.Response, err error) {
	var spared error
	for range maxProbes {
		if spared, err = us.settle(ctx, u, req); err == nil {
			resp, err = us.once(ctx, u, req, nil)
			if spared != nil && errors.Is(err, protocol.ErrDown) && resp.Sent.IsZero() {
				err = spared // and the link has closed itself for it
			}
		} else {
			resp.Words = nil
			err = fmt.Errorf("%v: %w", req, err)
		}
		if !errors.Is(err, errDoubted) {
			return resp, err
		}
	}
	return resp, err
}

// settle makes sure that no late answer can pass for the answer to req. A probe that was not answered, but in the time of which an
// answer to something earlier came, shows that the unit is there: then the next is worth its time, too, and the error is spared.
func (us *units) settle(ctx context.Context, u *unit, req protocol.Request) (spared, err error) {
	avoid := shapeOf(req)
	u.account.forget(time.Now())
	for range maxProbes {
		if !u.account.owes(avoid) {
			return spared, nil
		}
		heard := u.account.lastAt
		err := us.probe(ctx, u, req, &avoid)
		if err == nil {
			continue
		}
		err = fmt.Errorf("not sent, an earlier answer may still come: %w", err)
		if spared != nil || !errors.Is(err, protocol.ErrTimeout) || !u.account.lastAt.After(heard) {
			return nil, cmp.Or(spared, err)
		}
		spared = err
	}
	if u.account.owes(avoid) {
		return nil, us.fail("receive", fmt.Errorf("not sent, an earlier answer may still come: %w", protocol.ErrTimeout))
	}
	return spared, nil
}

// probe asks for a few registers in another shape than that of req. That the unit refuses it, or that an earlier answer comes, is as
// good as an answer.
func (us *units) probe(ctx context.Context, u *unit, req protocol.Request, avoid *shape) error {
	_, err := us.once(ctx, u, u.account.probe(req, u.good), avoid)
	if _, refused := errors.AsType[protocol.ExceptionError](err); refused || errors.Is(err, errSettled) || errors.Is(err, errDoubted) {
		return nil
	}
	return err
}

// answered notes a reply of the unit that was believed.
func (u *unit) answered(req protocol.Request, connection uint64, refused bool) {
	u.heard = connection
	if !refused && req.Op == protocol.Read && (req.Range.Count > 1 || u.good.Count < 2) {
		u.good = req.Range
	}
}

// notBefore returns when the request may go out on a line that is free at a time: a write waits until no copy of the unit's last
// reply could pass for its own.
func (u *unit) notBefore(req protocol.Request, free time.Time) time.Time {
	if req.Op != protocol.Read {
		if until := u.account.undecided(shapeOf(req)); until.After(free) {
			return until
		}
	}
	return free
}

// patience is how long the unit's reply may take: longer where it has not replied on this connection yet and is known to be slow at first.
func (u *unit) patience(p protocol.Pace, connection uint64, timeout time.Duration) time.Duration {
	timeout = cmp.Or(p.Timeout, timeout)
	if u.heard != connection {
		return max(timeout, p.First)
	}
	return timeout
}
