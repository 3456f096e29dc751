package devices

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// desk is where set-values wait. Of one point one is on its way at a time; when its turn on the line comes, it is the newest.
type desk struct {
	mu    *sync.Mutex
	lanes map[string]*lane // by the key of the point
}

// lane is the queue of one point.
type lane struct {
	turn    chan struct{} // holds a token while somebody waits for the line on behalf of the lane
	waiting []*job        // oldest first; guarded by desk.mu
	landed  chan struct{} // closed when what is on its way has ended; nil while nothing is; guarded by desk.mu
}

// job is one set-value on its way. outcome and err are set before done is closed.
type job struct {
	ctx    context.Context
	set    Set
	point  profile.Point
	value  codec.Value
	called time.Time

	done    chan struct{}
	baton   chan *attempt // an attempt that the caller is to complete, because all that the one before waited for is over
	release func()        // ends the waiting for the line, if anybody waits on behalf of the job; may be nil
	outcome Outcome
	err     error
}

func newDesk() desk { return desk{mu: &sync.Mutex{}, lanes: map[string]*lane{}} }

func newJob(ctx context.Context, set Set) *job {
	return &job{ctx: ctx, set: set, called: time.Now(), done: make(chan struct{}), baton: make(chan *attempt, 1)}
}

func (j *job) ended() bool {
	select {
	case <-j.done:
		return true
	default:
		return false
	}
}

// pass has the caller of the job complete an attempt.
func (j *job) pass(a *attempt) {
	j.baton <- a
	j.release()
}

func (j *job) late() bool { return time.Now().After(j.set.Deadline) }

func (j *job) finish(o Outcome, err *WriteError) {
	j.outcome = o
	if err != nil {
		j.err = err
	}
	close(j.done)
	if j.release != nil {
		j.release()
	}
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
	i := slices.Index(l.waiting, j)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	return i >= 0
}

func (k *desk) waits(l *lane, j *job) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Contains(l.waiting, j)
}

// depart takes all that waits in a lane of which nothing is on its way; from then on something is.
func (k *desk) depart(l *lane) []*job {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.landed != nil || len(l.waiting) == 0 {
		return nil
	}
	l.landed = make(chan struct{})
	return l.takeAll()
}

// more takes all that waits, to go with what is on its way.
func (k *desk) more(l *lane) []*job {
	k.mu.Lock()
	defer k.mu.Unlock()
	return l.takeAll()
}

func (l *lane) takeAll() []*job {
	all := l.waiting
	l.waiting = nil
	return all
}

// land says that what was on its way has ended.
func (k *desk) land(l *lane) {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(l.landed)
	l.landed = nil
}

// underWay returns the channel that is closed when what is on its way has ended, nil if nothing is.
func (k *desk) underWay(l *lane) <-chan struct{} {
	k.mu.Lock()
	defer k.mu.Unlock()
	return l.landed
}

// ready returns the newest set-value of each lane that could depart, in the order of their keys.
func (k *desk) ready() []*job {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []*job
	for _, key := range slices.Sorted(maps.Keys(k.lanes)) {
		if l := k.lanes[key]; l.landed == nil && len(l.waiting) > 0 {
			all = append(all, l.waiting[len(l.waiting)-1])
		}
	}
	return all
}

func (k *desk) lane(key string) *lane {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lanes[key]
}

// busy reports whether a set-value of the point waits or is on its way.
func (k *desk) busy(key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	l := k.lanes[key]
	return l != nil && (len(l.waiting) > 0 || l.landed != nil)
}
