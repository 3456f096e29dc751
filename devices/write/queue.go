package write

import (
	"context"
	"slices"
	"sync"
	"time"
)

// queue holds the set-values that wait, in one entry for each point, the oldest entry first. When the turn of an entry
// comes its newest value is written, and the callers of the older values get the same outcome.
type queue struct {
	mu      sync.Mutex
	entries []*entry
	taken   map[string]bool // points of which a write is under way
	closed  bool
	wake    chan struct{} // tells the writer that the queue has grown
}

// entry is what waits for one point.
type entry struct {
	key    string
	calls  []*call   // oldest first, never empty
	from   time.Time // its turn does not come before: it was queued then, or a busy device is asked again then
	tries  int       // how often the device was busy
	since  time.Time // when its first call came
	until  time.Time // how long it waits, with the line held, for others that leave in the same request
	resent bool      // the device did not carry it out the first time
	alone  bool      // it is not joined with others again
}

// call is one caller of Write. outcome and err are set before done is closed.
type call struct {
	ctx     context.Context
	set     Set
	called  time.Time
	done    chan struct{}
	outcome Outcome
	err     *Error
}

func newCall(ctx context.Context, set Set) *call {
	return &call{ctx: ctx, set: set, called: time.Now(), done: make(chan struct{})}
}

// finish answers the caller.
func (c *call) finish(o Outcome, err *Error) {
	c.outcome, c.err = o, err
	close(c.done)
}

// until returns when the first byte must be out at the latest for the caller, as far as is known now.
func (c *call) until() time.Time {
	if c.set.Certain != nil {
		if t := c.set.Certain(); t.Before(c.set.Deadline) {
			return t
		}
	}
	return c.set.Deadline
}

// isLate reports whether nothing may be sent for the caller any more.
func (c *call) isLate() bool { return !time.Now().Before(c.until()) }

// isOver reports whether the caller has given up or is too late.
func (c *call) isOver() bool { return c.ctx.Err() != nil || c.isLate() }

func newQueue() queue { return queue{taken: map[string]bool{}, wake: make(chan struct{}, 1)} }

// add queues a call; false if the writer has stopped. It waits a while for the companions with which it can leave.
func (q *queue) add(companions []string, c *call) bool {
	return q.push([]*call{c}, func() {
		if len(companions) > 0 {
			q.extend(append(companions, c.set.Key), c.called)
		}
	})
}

// addAtOnce queues calls of one group; false if the writer has stopped. They wait for nothing else.
func (q *queue) addAtOnce(group []string, calls []*call) bool {
	return q.push(calls, func() {
		for _, key := range group {
			if e := q.find(key); e != nil {
				e.until = time.Time{}
			}
		}
	})
}

func (q *queue) push(calls []*call, gather func()) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	for _, c := range calls {
		if e := q.find(c.set.Key); e != nil {
			e.calls = append(e.calls, c)
		} else {
			q.entries = append(q.entries, &entry{key: c.set.Key, calls: []*call{c}, from: c.called, since: c.called})
		}
	}
	gather()
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return true
}

// extend has what can leave together wait for what is missing, unless nothing is; the caller holds mu.
func (q *queue) extend(keys []string, now time.Time) {
	var present []*entry
	first := now
	for _, key := range keys {
		if e := q.find(key); e != nil {
			present = append(present, e)
			if e.since.Before(first) {
				first = e.since
			}
		}
	}
	until := now.Add(gatherFor)
	if most := first.Add(gatherMost); most.Before(until) {
		until = most
	}
	for _, e := range present {
		if e.until = until; len(present) == len(keys) {
			e.until = time.Time{}
		}
	}
}

// gathering returns how long the entry that is taken next waits for others.
func (q *queue) gathering(may func(*entry) bool) time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.entries, may)
	if i < 0 {
		return time.Time{}
	}
	return q.entries[i].until
}

// find returns the entry of a point, nil if there is none; the caller holds mu.
func (q *queue) find(key string) *entry {
	if i := slices.IndexFunc(q.entries, func(e *entry) bool { return e.key == key }); i >= 0 {
		return q.entries[i]
	}
	return nil
}

// remove takes a call out and reports whether it was still there.
func (q *queue) remove(c *call) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.find(c.set.Key)
	if e == nil || !slices.Contains(e.calls, c) {
		return false
	}
	e.calls = slices.DeleteFunc(e.calls, func(other *call) bool { return other == c })
	q.entries = slices.DeleteFunc(q.entries, func(e *entry) bool { return len(e.calls) == 0 })
	return true
}

// take takes out the first entry that may go; nil if there is none. A write of its point is then under way until
// release.
func (q *queue) take(may func(*entry) bool) *entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.entries, may)
	if i < 0 {
		return nil
	}
	e := q.entries[i]
	e.until = time.Time{}
	q.entries = slices.Delete(q.entries, i, i+1)
	q.taken[e.key] = true
	return e
}

// release says that the write of a point is no longer under way.
func (q *queue) release(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.taken, key)
}

// putBack queues an entry again, before all others; newer values of its point go with it.
func (q *queue) putBack(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.taken, e.key)
	if newer := q.find(e.key); newer != nil {
		e.calls = append(e.calls, newer.calls...)
		q.entries = slices.DeleteFunc(q.entries, func(other *entry) bool { return other == newer })
	}
	q.entries = slices.Insert(q.entries, 0, e)
}

// next returns when the first of the entries that may go has its turn, and the earliest deadline among their callers;
// zero if there is none.
func (q *queue) next(may func(*entry) bool) (from, deadline time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.entries {
		if !may(e) {
			continue
		}
		if from.IsZero() || e.from.Before(from) {
			from = e.from
		}
		for _, c := range e.calls {
			if deadline.IsZero() || c.set.Deadline.Before(deadline) {
				deadline = c.set.Deadline
			}
		}
	}
	return from, deadline
}

// takeCalls takes out the calls for which is reports true.
func (q *queue) takeCalls(is func(*call) bool) (all []*call) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.entries {
		e.calls = slices.DeleteFunc(e.calls, func(c *call) bool {
			if is(c) {
				all = append(all, c)
				return true
			}
			return false
		})
	}
	q.entries = slices.DeleteFunc(q.entries, func(e *entry) bool { return len(e.calls) == 0 })
	return all
}

// close takes out all calls; no other is queued from then on.
func (q *queue) close() []*call {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	return q.takeCalls(func(*call) bool { return true })
}

// holds reports whether a set-value of the point waits or is under way.
func (q *queue) holds(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.taken[key] || q.find(key) != nil
}
