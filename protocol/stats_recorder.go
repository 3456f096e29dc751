package protocol

import (
	"context"
	"errors"
	"slices"
	"time"
)

// recorder counts under the mutex of its bus.
type recorder struct {
	Stats
	serial        *Serial // of the line, where the link knows it
	latency, wait ring
	units         map[UnitID]*unitRecorder
	load          load
}

// unitRecorder counts what concerns one unit.
type unitRecorder struct {
	UnitStats
	latency, turnaround, wait ring
}

// newRecorder counts for a link; one that tells its serial setting makes known what of a latency the wire takes.
func newRecorder(link Link) recorder {
	r := recorder{units: map[UnitID]*unitRecorder{}}
	if l, ok := link.(interface{ Serial() Serial }); ok {
		s := l.Serial()
		r.serial = &s
	}
	return r
}

// clone copies what others may change, so that the sorting is done outside the lock.
func (r *recorder) clone() *recorder {
	c := *r
	c.latency, c.wait = r.latency.clone(), r.wait.clone()
	c.units = make(map[UnitID]*unitRecorder, len(r.units))
	for id, u := range r.units {
		c.units[id] = &unitRecorder{u.UnitStats, u.latency.clone(), u.turnaround.clone(), u.wait.clone()}
	}
	return &c
}

// snapshot sorts what the recorder has; it belongs to a clone.
func (r *recorder) snapshot(now time.Time) Stats {
	s := r.Stats
	s.Latency, s.WriteWait = r.latency.spread(), r.wait.spread()
	s.Load = r.load.share(r.Since, now)
	s.Units = make(map[UnitID]UnitStats, len(r.units))
	for id, u := range r.units {
		of := u.UnitStats
		of.Latency, of.WriteWait = u.latency.spread(), u.wait.spread()
		if of.Turnaround = of.Latency; r.serial != nil {
			of.Turnaround = u.turnaround.spread()
		}
		s.Units[id] = of
	}
	return s
}

func (r *recorder) unit(id UnitID) *unitRecorder {
	u := r.units[id]
	if u == nil {
		u = &unitRecorder{}
		r.units[id] = u
	}
	return u
}

// exchanged counts an exchange that lasted from begun to now.
func (r *recorder) exchanged(req Request, resp Response, err error, begun, now time.Time) {
	if errors.Is(err, ErrExpired) {
		r.Expired++
		return
	}
	if resp.Sent.IsZero() && !errors.Is(err, ErrTimeout) && !fatal(err) {
		r.Cancelled++
		return
	}
	u := r.unit(req.Unit)
	r.Requests++
	u.Requests++
	r.Busy += now.Sub(begun)
	r.load.add(begun, now)
	no, refused := errors.AsType[ExceptionError](err)
	switch {
	case refused:
		r.Exceptions++
		u.Exceptions++
		switch {
		case no.Code == Acknowledge || no.Code == ServerDeviceBusy:
			u.Busy++
		case no.FromGateway():
			u.Unreached++
		}
	case err == nil:
		r.Replies++
		u.Replies++
	case errors.Is(err, ErrMisfit):
		r.Misfits++
		u.Misfits++
	case errors.Is(err, ErrTimeout):
		r.Timeouts++
		u.Timeouts++
	default:
		r.Failures++
	}
	if err != nil {
		r.failed(err)
	}
	if !resp.Done.IsZero() {
		r.answered(u, req, refused, resp.Done.Sub(resp.Sent))
	}
}

// answered takes the time of a reply.
func (r *recorder) answered(u *unitRecorder, req Request, refused bool, latency time.Duration) {
	r.latency.add(latency)
	u.latency.add(latency)
	if r.serial == nil {
		return
	}
	request, reply := WireChars(req.Op, req.Range)
	if refused {
		reply = exceptionChars
	}
	u.turnaround.add(max(0, latency-r.serial.Chars(request+reply)))
}

func (r *recorder) writeWait(unit UnitID, d time.Duration) {
	r.wait.add(d)
	r.unit(unit).wait.add(d)
}

func (r *recorder) failed(err error) { r.LastError, r.LastErrorAt = err, time.Now() }

func (r *recorder) dropped(reason error) {
	switch {
	case errors.Is(reason, ErrExpired):
		r.Expired++
	case errors.Is(reason, ErrDown):
		r.Refused++
	case errors.Is(reason, context.Canceled), errors.Is(reason, context.DeadlineExceeded):
		r.Cancelled++
	}
}

func (r *recorder) lineDown() {
	if r.DownSince.IsZero() {
		r.DownSince = time.Now()
	}
}

func (r *recorder) opened(connection uint64) {
	r.Openings++
	r.Connection = connection
	r.DownSince = time.Time{}
}

// ring keeps the last durations; it takes memory for those it has.
type ring struct {
	last  []time.Duration
	count int
}

// ringSize is enough for a 95th percentile that means something.
const ringSize = 512

func (r *ring) add(d time.Duration) {
	if len(r.last) < ringSize {
		r.last = append(r.last, d)
	} else {
		r.last[r.count%ringSize] = d
	}
	r.count++
}

func (r ring) clone() ring { return ring{slices.Clone(r.last), r.count} }

// spread sorts the ring.
func (r *ring) spread() Spread {
	n := len(r.last)
	if n == 0 {
		return Spread{}
	}
	sorted := r.last
	slices.Sort(sorted)
	return Spread{Count: n, P50: sorted[(n-1)/2], P95: sorted[(n-1)*95/100], Max: sorted[n-1]}
}

// load is how much of the last minute was taken, in slices of time.
type load struct {
	taken [loadSlices]time.Duration
	slice int64 // the newest, counted from the zero of Unix time
}

const (
	loadSlices = 13 // twelve whole ones are a minute; the newest is not over yet
	loadSlice  = 5 * time.Second
)

// turn forgets the slices that are too old at t.
func (l *load) turn(t time.Time) {
	now := t.UnixNano() / int64(loadSlice)
	for l.slice = max(l.slice, now-loadSlices); l.slice < now; {
		l.slice++
		l.taken[l.slice%loadSlices] = 0
	}
}

// add counts the time between two moments as taken.
func (l *load) add(from, to time.Time) {
	l.turn(to)
	for to.After(from) {
		slice := (to.UnixNano() - 1) / int64(loadSlice)
		if slice <= l.slice-loadSlices {
			return
		}
		begin := time.Unix(0, slice*int64(loadSlice))
		if from.After(begin) {
			begin = from
		}
		l.taken[slice%loadSlices] += to.Sub(begin)
		to = begin
	}
}

// share returns the part of the last minute, or of the time since a moment if that is less, that was taken.
func (l *load) share(since, now time.Time) float64 {
	l.turn(now)
	begin := time.Unix(0, (l.slice-loadSlices+1)*int64(loadSlice))
	if since.After(begin) {
		begin = since
	}
	var sum time.Duration
	for _, d := range l.taken {
		sum += d
	}
	if !now.After(begin) {
		return 0
	}
	return min(1, sum.Seconds()/now.Sub(begin).Seconds())
}
