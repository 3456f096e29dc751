package protocol

import (
	"context"
	"slices"
	"time"
)

// item is a request or a hold on its way through the queue.
type item struct {
	ctx  context.Context
	req  Request
	hold func(context.Context, Exchanger) error // nil for a plain request
	due  time.Time                              // when it arrived, or its NotBefore if that is later
	last time.Time                              // the first byte must be out by then; zero: no limit

	requeued bool // it found the line broken once, before its first byte was out

	done chan struct{} // closed when resp and err are set
	resp Response
	err  error
}

func newItem(ctx context.Context, req Request, hold func(context.Context, Exchanger) error) *item {
	it := &item{ctx: ctx, req: req, hold: hold, due: time.Now(), last: req.Deadline, done: make(chan struct{})}
	if req.NotBefore.After(it.due) {
		it.due = req.NotBefore
	}
	if d, ok := ctx.Deadline(); ok && (it.last.IsZero() || d.Before(it.last)) {
		it.last = d
	}
	return it
}

func (it *item) finish(resp Response, err error) {
	it.resp, it.err = resp, err
	close(it.done)
}

// inRow is how many exchanges of one priority may follow one another while something less urgent waits.
const inRow = 8

// queue orders what waits for a line: by priority, within a priority first come first served. So that nothing starves,
// after inRow writes one read or poll is let in, and after inRow reads one poll. It is no faster than linear, because
// it holds a handful of items.
type queue struct {
	waiting [PriorityPoll + 1][]*item
	row     [PriorityPoll]int // exchanges in a row of each priority while a less urgent one waited
}

func (q *queue) push(it *item) {
	q.waiting[it.req.Priority] = append(q.waiting[it.req.Priority], it)
}

// remove takes it out and reports whether it was still there.
func (q *queue) remove(it *item) bool {
	p := it.req.Priority
	i := slices.Index(q.waiting[p], it)
	if i < 0 {
		return false
	}
	q.waiting[p] = slices.Delete(q.waiting[p], i, i+1)
	return true
}

// next takes out the item whose turn it is, nil if none is due.
func (q *queue) next(now time.Time) *item {
	var first [PriorityPoll + 1]*item
	for p := range first {
		first[p] = firstDue(q.waiting[p], now)
	}
	p := PriorityWrite
	for ; p < PriorityPoll; p++ {
		if first[p] != nil && (q.row[p] < inRow || !slices.ContainsFunc(first[p+1:], exists)) {
			break
		}
	}
	it := first[p]
	if it != nil {
		q.remove(it)
	}
	return it
}

// served tells what the item cost: its exchanges count towards the row of its priority only while something less
// urgent waits, and end the rows of everything more urgent.
func (q *queue) served(p Priority, exchanges int, now time.Time) {
	for urgent := PriorityWrite; urgent < p; urgent++ {
		q.row[urgent] = 0
	}
	if p == PriorityPoll {
		return
	}
	for _, less := range q.waiting[p+1:] {
		if firstDue(less, now) != nil {
			q.row[p] += max(1, exchanges)
			return
		}
	}
	q.row[p] = 0
}

// wake returns the earliest time at which an item is due; ok is false if the queue is empty.
func (q *queue) wake() (at time.Time, ok bool) {
	for _, items := range q.waiting {
		for _, it := range items {
			if !ok || it.due.Before(at) {
				at, ok = it.due, true
			}
		}
	}
	return at, ok
}

// takeIf takes out every item that drop says yes to.
func (q *queue) takeIf(drop func(*item) bool) (taken []*item) {
	for p := range q.waiting {
		q.waiting[p] = slices.DeleteFunc(q.waiting[p], func(it *item) bool {
			yes := drop(it)
			if yes {
				taken = append(taken, it)
			}
			return yes
		})
	}
	return taken
}

func (q *queue) len() (n int) {
	for _, items := range q.waiting {
		n += len(items)
	}
	return n
}

// firstDue returns the item that has been due for the longest, nil if none is: what had to wait for its time does not
// overtake what came before that time.
func firstDue(items []*item, now time.Time) (first *item) {
	for _, it := range items {
		if !it.due.After(now) && (first == nil || it.due.Before(first.due)) {
			first = it
		}
	}
	return first
}

func exists(it *item) bool { return it != nil }
