package devices

import (
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/protocol"
)

// Times of a confirmation.
const (
	verifyFor  = 3 * time.Second        // how long a device may take, beyond the settle time, to hold what it acknowledged
	firstPause = 100 * time.Millisecond // before the second read-back; doubles each time
	longPause  = time.Second
)

// attempt carries out set-values of points that lie together: each is written once, whatever happens, and then read until it is
// known what the device holds.
type attempt struct {
	d       *Device
	members []*member
	req     protocol.Request
}

// of returns the members that are as asked.
func (a *attempt) of(is func(*member) bool) []*member {
	return slices.DeleteFunc(slices.Clone(a.members), func(m *member) bool { return !is(m) })
}

// jobs returns the newest job of each member.
func jobs(members []*member) []*job {
	all := make([]*job, len(members))
	for i, m := range members {
		all[i] = m.j
	}
	return all
}

// whileAnybodyWants returns a context that ends when all callers have gone of what was not written yet.
func (a *attempt) whileAnybodyWants() (context.Context, context.CancelFunc) {
	var all []*job
	for _, m := range a.of((*member).waits) {
		all = append(all, m.jobs...)
	}
	if len(all) == 0 {
		return context.WithCancel(context.Background())
	}
	return untilEnded(len(all), all)
}

// latest returns the last deadline of what was not written yet.
func (a *attempt) latest() (last time.Time) {
	for _, m := range a.of((*member).waits) {
		if m.j.set.Deadline.After(last) {
			last = m.j.set.Deadline
		}
	}
	return last
}

// renew takes newer set-values of the same points along and lets go of those that are no longer wanted.
func (a *attempt) renew() {
	for _, m := range a.of((*member).waits) {
		m.jobs = a.d.live(append(m.jobs, a.d.desk.more(m.lane)...))
		if len(m.jobs) == 0 {
			m.over = true
			a.d.desk.land(m.lane)
			continue
		}
		m.j = m.jobs[len(m.jobs)-1]
	}
}

// send writes over the held line and, if there is no settle time, reads back before anybody else gets the line. An error means that
// the device was busy: what still waits may be sent again later.
func (a *attempt) send(x protocol.Exchanger) error {
	if err := a.look(x); err != nil {
		return err
	}
	for _, m := range a.of((*member).waits) {
		m.prepare(a.d)
	}
	var busy error
	for _, run := range runs(a.of((*member).waits)) {
		if busy = a.write(x, run); busy != nil {
			break
		}
	}
	for _, run := range runs(a.of(func(m *member) bool { return m.toReadBack() && a.d.settle(m.p) == 0 })) {
		until := last(run)
		ctx, cancel := a.undisturbed(until)
		a.read(ctx, x, run, until)
		cancel()
	}
	return busy
}

// look reads what the device holds where a point is only a part of it, or where the register wears out and may hold it already.
func (a *attempt) look(x protocol.Exchanger) error {
	for _, run := range runs(a.of(func(m *member) bool { return m.waits() && m.mustLook(a.d) })) {
		ctx, done := untilEnded(len(run), jobs(run))
		a.read(ctx, x, run, a.latest())
		done()
		for _, m := range run {
			err := m.unread
			m.unread = nil
			if worthAsking(err) {
				return err
			}
			if err != nil {
				m.failed = a.d.notSent(m.j, err)
			}
		}
	}
	return nil
}

// read reads what neighbouring members hold: in one request or, if the device refuses that, one by one.
func (a *attempt) read(ctx context.Context, x protocol.Exchanger, run []*member, deadline time.Time) {
	req := a.req
	req.Op, req.Range, req.Words, req.Deadline = protocol.Read, coverOf(run), nil, deadline
	resp, err := x.Exchange(ctx, req)
	if no, ok := errors.AsType[protocol.ExceptionError](err); ok && refusesAddress(no) && len(run) > 1 {
		for i := range run {
			a.read(ctx, x, run[i:i+1], deadline)
		}
		return
	}
	for _, m := range run {
		m.take(req.Range, resp, err)
	}
}

// write sends the words of neighbouring members in one request. Up to its first byte each caller may give up; from then on it is carried
// out. The error is that the device is busy, and so has carried out nothing.
func (a *attempt) write(x protocol.Exchanger, run []*member) error {
	ctx, done := run[0].j.ctx, func() {}
	if len(run) > 1 {
		ctx, done = untilEnded(1, jobs(run))
	}
	defer done()
	req := writeRequest(run, a.req)
	for _, m := range run {
		a.d.out.begin(m.p)
	}
	resp, err := x.Exchange(ctx, req)
	no, refused := errors.AsType[protocol.ExceptionError](err)
	switch unsent := resp.Sent.IsZero() && (errors.Is(err, protocol.ErrExpired) || ctx.Err() != nil); {
	case len(run) > 1 && (refused && refusesAddress(no) || err != nil && unsent):
		return a.writeApart(x, run)
	case refused && no.Code == 6:
		for _, m := range run {
			a.d.out.release(m.p.Key)
		}
		return err
	}
	for _, m := range run {
		m.wrote(a.d, resp, err)
	}
	return nil
}

// writeApart writes one by one what was refused together, of which nothing was carried out, or what not all callers still want.
func (a *attempt) writeApart(x protocol.Exchanger, run []*member) error {
	for i, m := range run {
		if !m.waits() {
			continue
		}
		if err := a.write(x, run[i:i+1]); err != nil {
			return err
		}
		for _, part := range run[i+1:] {
			if part.at() == m.at() {
				part.follow(a.d, m)
			}
		}
	}
	return nil
}

// abandon ends what still waits when the line is given back for good.
func (a *attempt) abandon(err error) {
	if err == nil {
		err = protocol.ErrExpired
	}
	for _, m := range a.of((*member).waits) {
		m.failed = a.d.notSent(m.j, err)
	}
}

// complete reads back until it is clear what the device holds, and never writes again. Each caller is told as soon as it is clear; once
// the one that is at it has been told, another goes on.
func (a *attempt) complete(mine *job) {
	at, pause := a.firstLook(), firstPause
	for {
		for _, m := range a.of(func(m *member) bool { return !m.over && m.decided(at) }) {
			m.end(a.d)
		}
		open := a.of(func(m *member) bool { return !m.over })
		if len(open) == 0 {
			return
		}
		if mine.ended() {
			open[0].j.pass(a)
			return
		}
		err := a.tryAgain(at, open)
		if wrong := (*identityError)(nil); errors.As(err, &wrong) || errors.Is(err, protocol.ErrClosed) {
			at = last(open).Add(1)
			continue
		}
		at, pause = time.Now().Add(pause), min(2*pause, longPause)
	}
}

// firstLook returns when it is read back first: when all have settled or, after a look that was in vain, a little later.
func (a *attempt) firstLook() (at time.Time) {
	for _, m := range a.of(func(m *member) bool { return m.failed == nil && !m.equal }) {
		if m.found != nil || m.unread != nil {
			return time.Now().Add(firstPause)
		}
		if m.settled.After(at) {
			at = m.settled
		}
	}
	return at
}

// tryAgain queues one read-back, ahead of all reads. Others have the line meanwhile.
func (a *attempt) tryAgain(at time.Time, open []*member) error {
	until := last(open)
	ctx, cancel := a.undisturbed(until)
	defer cancel()
	req := a.req
	req.NotBefore, req.Deadline = at, until
	err := a.d.line.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
		if err := a.d.admit(ctx, x); err != nil {
			return err
		}
		for _, run := range runs(open) {
			a.read(ctx, x, run, until)
		}
		return nil
	})
	if err != nil {
		for _, m := range open {
			m.unread = err
		}
	}
	return err
}

// undisturbed returns a context that does not end with the callers: what was sent is brought to its end.
func (a *attempt) undisturbed(until time.Time) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithoutCancel(a.members[0].j.ctx), until)
}

// last returns until when it is tried to find out what the device holds.
func last(members []*member) (until time.Time) {
	for _, m := range members {
		if at := m.last(); at.After(until) {
			until = at
		}
	}
	return until
}
