package devices

import (
	"context"
	"errors"
	"sync"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Times of a write.
const (
	defaultDeadline = 30 * time.Second // of a Set without one
	freshFor        = 3 * time.Second  // a value read less long ago is not written again
)

// desk is where set-values wait. Of one point one is on its way at a time; when its turn on the line comes, it is the newest.
type desk struct {
	mu    *sync.Mutex
	lanes map[string]*lane // by the key of the point
}

// lane is the queue of one point.
type lane struct {
	turn    chan struct{} // holds a token while somebody leads
	waiting []*job        // oldest first; guarded by desk.mu
}

// job is one set-value on its way. outcome and err are set before done is closed.
type job struct {
	ctx    context.Context
	set    Set
	point  profile.Point
	value  codec.Value
	called time.Time

	done    chan struct{}
	outcome Outcome
	err     error
}

func newDesk() desk { return desk{mu: &sync.Mutex{}, lanes: map[string]*lane{}} }

func (j *job) late() bool { return time.Now().After(j.set.Deadline) }

func (j *job) finish(o Outcome, err *WriteError) {
	j.outcome = o
	if err != nil {
		j.err = err
	}
	close(j.done)
}

// Write sets a point and returns when the device has been read back, or has not. The error is a *WriteError. ctx ends a
// set-value that was not sent yet; one that was is finished and its outcome returned.
func (d *Device) Write(ctx context.Context, set Set) (Outcome, error) {
	j := &job{ctx: ctx, set: set, called: time.Now(), done: make(chan struct{})}
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
	l := d.desk.join(j)
	expired := time.NewTimer(time.Until(j.set.Deadline))
	defer expired.Stop()
	select {
	case l.turn <- struct{}{}:
		d.lead(l, j)
		<-l.turn
	case <-j.done:
	case <-j.ctx.Done():
		d.giveUp(l, j, ended(j.ctx))
	case <-expired.C:
		d.giveUp(l, j, protocol.ErrExpired)
	}
	<-j.done
}

// giveUp ends the job if nobody has taken it yet.
func (d *Device) giveUp(l *lane, j *job, why error) {
	if d.desk.leave(l, j) {
		j.finish(Outcome{}, d.notSent(j, why))
	}
}

// lead waits for the line with the job and then carries out the newest of its lane.
func (d *Device) lead(l *lane, j *job) {
	if !d.desk.waits(l, j) {
		return // another has taken it along meanwhile
	}
	req := d.request(protocol.PriorityWrite, 0)
	req.Deadline = j.set.Deadline
	var a *attempt
	err := d.line.Hold(j.ctx, req, func(ctx context.Context, x protocol.Exchanger) error {
		if err := d.admit(ctx, x); err != nil {
			return err
		}
		if jobs := d.takeLive(l); len(jobs) > 0 {
			a = newAttempt(d, jobs, req)
			a.send(x)
		}
		return nil
	})
	d.out.status(context.WithoutCancel(j.ctx), d)
	if a != nil {
		a.complete()
	}
	if j.ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = ended(j.ctx)
	}
	if err == nil {
		err = protocol.ErrExpired
	}
	d.giveUp(l, j, err) // if its turn did not come
}

// takeLive takes all jobs of the lane, oldest first. Those that gave up or are too late are ended.
func (d *Device) takeLive(l *lane) []*job {
	var live []*job
	for _, j := range d.desk.takeAll(l) {
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

func (k *desk) join(j *job) *lane {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[j.point.Key]
	if l == nil {
		l = &lane{turn: make(chan struct{}, 1)}
		k.lanes[j.point.Key] = l
	}
	l.waiting = append(l.waiting, j)
	return l
}

// leave takes the job out of its lane and reports whether it was still there.
func (k *desk) leave(l *lane, j *job) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, other := range l.waiting {
		if other == j {
			l.waiting = append(l.waiting[:i:i], l.waiting[i+1:]...)
			return true
		}
	}
	return false
}

func (k *desk) waits(l *lane, j *job) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, other := range l.waiting {
		if other == j {
			return true
		}
	}
	return false
}

func (k *desk) takeAll(l *lane) []*job {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := l.waiting
	l.waiting = nil
	return all
}

// busy reports whether a set-value of the point waits or is on its way.
func (k *desk) busy(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[key]
	return l != nil && (len(l.waiting) > 0 || len(l.turn) > 0)
}
