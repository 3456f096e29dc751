package devices

import (
	"context"
	"errors"
	"time"

	"solarhub/protocol"
)

// Times of a write.
const (
	defaultDeadline = 30 * time.Second // of a Set without one
	freshFor        = 3 * time.Second  // a value read less long ago is not written again
)

// Write sets a point and returns when the device has been read back, or has not. The error is a *WriteError. ctx ends a
// set-value that was not sent yet; one that was is finished and its outcome returned.
func (d *Device) Write(ctx context.Context, set Set) (Outcome, error) {
	j := newJob(ctx, set)
	if j.set.Deadline.IsZero() {
		j.set.Deadline = j.called.Add(defaultDeadline)
	}
	p, v, refused := d.check(set)
	if refused != nil {
		return Outcome{}, refused
	}
	j.point, j.value = p, v
	if r, ok := d.unchanged(j); ok {
		return Outcome{Reading: r, Unchanged: true, Took: time.Since(j.called)}, nil
	}
	d.queue(j)
	return j.outcome, j.err
}

// unchanged reports whether the device held the value a moment ago and nobody is about to change it.
func (d *Device) unchanged(j *job) (Reading, bool) {
	if j.set.Force || j.point.Button() || !d.isIdentified() || d.desk.busy(j.point.Key) {
		return Reading{}, false
	}
	r, ok := d.out.fresh(j.point.Key, freshFor)
	if !ok {
		return Reading{}, false
	}
	words, err := j.point.Spec.Encode(j.value, r.Raw)
	return r, err == nil && same(j.point, words, r.Raw)
}

// queue waits until the job is done: by itself, or by another that came to the line first and took it along.
func (d *Device) queue(j *job) {
	ctx, release := context.WithCancel(j.ctx)
	defer release()
	j.release = release
	l := d.desk.join(j)
	expired := time.NewTimer(time.Until(j.set.Deadline))
	defer expired.Stop()
	select {
	case l.turn <- struct{}{}:
		a := d.lead(ctx, l, j)
		<-l.turn
		if a != nil {
			a.complete(j)
		}
	case <-j.done:
	case a := <-j.baton:
		a.complete(j)
	case <-j.ctx.Done():
		d.giveUp(l, j, ended(j.ctx))
	case <-expired.C:
		d.giveUp(l, j, protocol.ErrExpired)
	}
	select {
	case <-j.done:
	case a := <-j.baton:
		a.complete(j)
	}
}

// giveUp ends the job if nobody has taken it yet.
func (d *Device) giveUp(l *lane, j *job, why error) {
	if d.desk.leave(l, j) {
		j.finish(Outcome{}, d.notSent(j, why))
	}
}

// lead waits for the line with the job and then sends the newest of its lane, with what may go along. What was taken is returned, to
// be completed without keeping the lane.
func (d *Device) lead(ctx context.Context, l *lane, j *job) *attempt {
	for d.desk.waits(l, j) {
		if landed := d.desk.underWay(l); landed != nil {
			d.awaitLanding(landed, l, j)
			continue
		}
		a, err := d.send(ctx, l, j)
		d.out.status(context.WithoutCancel(j.ctx), d)
		if a != nil {
			a.abandon(err)
			return a
		}
		if err != nil {
			if j.ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
				err = ended(j.ctx)
			}
			d.giveUp(l, j, err) // if its turn did not come
		}
	}
	return nil
}

// awaitLanding waits until what is on its way has ended; the job may not want to.
func (d *Device) awaitLanding(landed <-chan struct{}, l *lane, j *job) {
	expired := time.NewTimer(time.Until(j.set.Deadline))
	defer expired.Stop()
	select {
	case <-landed:
	case <-j.ctx.Done():
		d.giveUp(l, j, ended(j.ctx))
	case <-expired.C:
		d.giveUp(l, j, protocol.ErrExpired)
	}
}

// send holds the line and writes. While the device says that it is busy, and so has carried out nothing, it is tried again.
func (d *Device) send(ctx context.Context, l *lane, j *job) (*attempt, error) {
	var a *attempt
	req := d.request(protocol.PriorityWrite, 0)
	req.Deadline = j.set.Deadline
	for tries := 0; ; tries++ {
		err := d.line.Hold(ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
			if err := d.admit(ctx, x); err != nil {
				return err
			}
			if a == nil {
				a = d.take(l, req)
			} else {
				a.renew()
			}
			if a == nil {
				return nil
			}
			return a.send(x)
		})
		if !worthAsking(err) {
			return a, err
		}
		if a != nil { // the leader's own job may end before the others
			var done context.CancelFunc
			ctx, done = a.whileAnybodyWants()
			defer done()
			req.Deadline = a.latest()
		}
		if !d.again(&req, tries) {
			return a, err
		}
	}
}

// take takes all jobs of the lane, and what may be written in the same request.
func (d *Device) take(l *lane, req protocol.Request) *attempt {
	first := d.depart(l)
	if first == nil {
		return nil
	}
	a := &attempt{d: d, members: []*member{first}, req: req}
	for grown := true; grown; {
		grown = false
		for _, j := range d.desk.ready() {
			if !d.mayJoin(a.members, j.point) {
				continue
			}
			if m := d.depart(d.desk.lane(j.point.Key)); m != nil {
				a.members, grown = append(a.members, m), true
			}
		}
	}
	return a
}

// depart takes what waits in a lane; nil if nothing does, or something of it is on its way.
func (d *Device) depart(l *lane) *member {
	taken := d.desk.depart(l)
	if taken == nil {
		return nil
	}
	jobs := d.live(taken)
	if len(jobs) == 0 {
		d.desk.land(l)
		return nil
	}
	return newMember(l, jobs)
}

// live ends the jobs that gave up or are too late, and returns the others.
func (d *Device) live(jobs []*job) []*job {
	var live []*job
	for _, j := range jobs {
		switch {
		case j.ctx.Err() != nil:
			j.finish(Outcome{}, d.notSent(j, ended(j.ctx)))
		case j.late():
			j.finish(Outcome{}, d.notSent(j, protocol.ErrExpired))
		default:
			live = append(live, j)
		}
	}
	return live
}
