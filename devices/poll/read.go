package poll

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// job is one cycle of some classes, with the reads that are left of it.
type job struct {
	classes  classes
	since    time.Time // when it became due
	priority protocol.Priority
	layout   *layout
	reads    []plan.Read     // left, of the layout
	apart    []profile.Point // left
	all      []plan.Read     // of the whole cycle
	took     time.Duration
	failed   bool
}

// begin begins a cycle of the classes that are due.
func (p *Poller) begin(ctx context.Context, now time.Time) {
	due := p.schedule.due(now, p.running())
	if due == 0 {
		return
	}
	if p.mu.Lock(); !p.tally.behind {
		p.mu.Unlock()
		p.start(ctx, due, protocol.PriorityPoll, now)
		return
	}
	p.mu.Unlock()
	for class := range profile.Once + 1 { // one by one, so that none has to wait for the reads of a slower one
		if due.has(class) {
			p.start(ctx, 1<<class, protocol.PriorityPoll, now)
		}
	}
}

// running returns the classes that cannot begin another cycle yet. A class that shares a cycle with a slower one can:
// it overtakes the rest of that cycle.
func (p *Poller) running() (all classes) {
	for _, j := range p.jobs {
		all |= 1 << j.classes.slowest()
	}
	return all
}

func (p *Poller) start(ctx context.Context, of classes, priority protocol.Priority, now time.Time) {
	since := p.schedule.begin(of, now)
	l := p.layout(ctx, of)
	p.jobs = append(p.jobs, &job{
		classes: of, since: since, priority: priority,
		layout: l, reads: slices.Clone(l.reads), apart: slices.Clone(l.apart), all: l.all(),
	})
	p.mu.Lock()
	said := p.tally.behind
	p.tally.began(of, now)
	behind, achieved := p.tally.behind, p.tally.achieved()
	p.mu.Unlock()
	if behind != said {
		p.tellBehind(behind, achieved)
	}
}

// tellBehind logs once that the line is too slow for its polls, and once that it keeps up again.
func (p *Poller) tellBehind(behind bool, achieved map[profile.Interval]time.Duration) {
	event, text := p.log.Info(), "the line keeps up again"
	if behind {
		event, text = p.log.Warn(), "the line cannot keep up, everything is read less often"
	}
	for class, every := range achieved {
		event = event.Dur(class.String(), every)
	}
	event.Msg(text)
}

// replan plans the rest of a job anew.
func (p *Poller) replan(ctx context.Context, j *job) {
	left := slices.Clone(j.apart)
	for _, r := range j.reads {
		for _, i := range r.Items {
			left = append(left, j.layout.points[i])
		}
	}
	j.layout = p.plan(ctx, left)
	j.reads, j.apart = slices.Clone(j.layout.reads), slices.Clone(j.layout.apart)
}

// latest returns the job whose turn it is: a refresh, or the one that is latest.
func (p *Poller) latest(now time.Time) (latest *job) {
	most := 0.0
	for _, j := range p.jobs {
		if j.priority < protocol.PriorityPoll {
			return j
		}
		late := p.schedule.lateness(j.classes.slowest(), j.since, now)
		if latest == nil || late > most {
			latest, most = j, late
		}
	}
	return latest
}

// next returns when there will be something to do.
func (p *Poller) next(now time.Time) time.Time {
	at := earlier(p.schedule.wake(p.running()), p.nextRefused())
	return earlier(at, p.doubts.wake(now))
}

// read carries out one read of a job.
func (p *Poller) read(ctx context.Context, j *job) {
	switch {
	case len(j.reads) > 0:
		r := j.reads[0]
		begun := time.Now()
		err := p.ask(ctx, j, r)
		if errors.Is(err, ErrAway) || ctx.Err() != nil {
			return
		}
		j.took += time.Since(begun)
		j.reads = j.reads[1:]
		p.noteJob(j, err)
	case len(j.apart) > 0:
		point := j.apart[0]
		begun := time.Now()
		reading, err := ask.Point(ctx, p.patiently, p.request(j), point)
		if errors.Is(err, ErrAway) || ctx.Err() != nil {
			return
		}
		j.took += time.Since(begun)
		j.apart = j.apart[1:]
		if err == nil {
			p.deliver(ctx, []ask.Reading{reading})
		} else if ask.IsRefusal(err) {
			p.refuse(ctx, []profile.Point{point}, err)
		} else {
			p.miss(ctx, []profile.Point{point}, err)
			p.suspect(ctx, spanOf(point), []profile.Point{point}, err)
		}
		p.noteJob(j, err)
	}
	if len(j.reads) == 0 && len(j.apart) == 0 {
		p.finish(j)
	}
}

// noteJob remembers that a read of a job has failed.
func (p *Poller) noteJob(j *job, err error) {
	if err == nil || ask.IsRefusal(err) {
		return
	}
	j.failed = true
	if j.priority < protocol.PriorityPoll {
		p.first = cmp.Or(p.first, err)
	}
}

// finish ends a job.
func (p *Poller) finish(j *job) {
	p.jobs = slices.DeleteFunc(p.jobs, func(other *job) bool { return other == j })
	if j.classes.has(profile.Once) && !j.failed {
		p.schedule.done = true
	}
	p.mu.Lock()
	p.tally.ended(j.classes, j.took, j.all, p.timing)
	p.mu.Unlock()
}

// request returns the fields that all reads of a job share.
func (p *Poller) request(j *job) protocol.Request {
	return p.client.Request(j.priority, max(ask.ForPoll, p.schedule.fastest(j.classes)))
}

// patiently asks the device, again while it is busy.
func (p *Poller) patiently(ctx context.Context, req protocol.Request) (resp protocol.Response, err error) {
	err = p.client.Patiently(req, func(req protocol.Request) error {
		resp, err = p.device.Do(ctx, req)
		return err
	})
	return resp, err
}

// ask carries out a planned read and reports what it has brought.
func (p *Poller) ask(ctx context.Context, j *job, r plan.Read) error {
	points := make([]profile.Point, len(r.Items))
	for i, item := range r.Items {
		points[i] = j.layout.points[item]
	}
	do := p.patiently
	if !slices.ContainsFunc(points, func(point profile.Point) bool { return p.misses[point.Key] < failuresToLose }) {
		do = p.device.Do // it has been busy with all of it for long
	}
	req := p.request(j)
	req.Op, req.Range = protocol.Read, r.Range
	resp, err := do(ctx, req)
	switch {
	case err == nil:
		p.measure(r.Range, resp)
		p.answered(ctx, r.Range, readingsOf(points, r.Range, resp))
	case errors.Is(err, ErrAway) || ctx.Err() != nil:
	case errors.Is(err, protocol.ErrExpired):
		p.mu.Lock()
		p.tally.dropped++
		p.mu.Unlock()
	case ask.IsRefusal(err):
		p.refusedRead(ctx, points, err)
	default:
		p.miss(ctx, points, err)
		p.suspect(ctx, r.Range, points, err)
	}
	return err
}

// suspect looks into a read that fails again and again while the device answers others. Where it has answered nothing
// else, only halves of this one can tell: they are tried behind 2, 4, 8 and so on failures.
func (p *Poller) suspect(ctx context.Context, over protocol.Range, points []profile.Point, err error) {
	silent, odd := ask.IsSilence(err), ask.IsOdd(err)
	count, within := silences, suspectFor
	if odd { // on an RTU line it is silence as well, and counts once
		count, within = oddities, 0
	}
	switch fails := p.misses[points[0].Key]; {
	case (silent || odd) && p.silence.suspects(over, time.Now(), count, within):
	case odd && fails > 1 && fails&(fails-1) == 0 && p.answersHalf(ctx, points):
	default:
		return
	}
	p.log.Info().Stringer("read", over).Err(err).
		Msg("the device answers other reads and never this one: it is asked in halves")
	p.doubt(points, silent)
}

// answersHalf reports whether the device answers one of the halves of a read.
func (p *Poller) answersHalf(ctx context.Context, points []profile.Point) bool {
	atoms := atomsOf(points)
	n := len(atoms) / 2
	return n > 0 && (p.readBlock(ctx, &block{atoms: atoms[:n]}) == nil ||
		p.readBlock(ctx, &block{atoms: atoms[n:]}) == nil)
}

// answered reports the points of a read that was answered.
func (p *Poller) answered(ctx context.Context, over protocol.Range, readings []ask.Reading) {
	p.silence.answered(over, time.Now())
	p.doubts.credit()
	p.deliver(ctx, readings)
}

// readingsOf takes the points out of a read.
func readingsOf(points []profile.Point, over protocol.Range, resp protocol.Response) []ask.Reading {
	readings := make([]ask.Reading, len(points))
	for i, point := range points {
		var raw []uint16
		for _, r := range point.Ranges {
			from := r.Addr - over.Addr
			raw = append(raw, resp.Words[from:from+r.Count]...)
		}
		readings[i] = ask.Reading{Key: point.Key, Value: point.Spec.Decode(raw), Raw: raw, ReadAt: resp.Sent}
	}
	return readings
}

// deliver reports readings.
func (p *Poller) deliver(ctx context.Context, readings []ask.Reading) {
	for _, r := range readings {
		delete(p.misses, r.Key)
	}
	p.mu.Lock()
	p.outcomes.came(readings)
	p.mu.Unlock()
	p.device.Report(ctx, readings)
}

// miss counts a failed read of points; one that fails again and again has no value.
func (p *Poller) miss(ctx context.Context, points []profile.Point, err error) {
	p.mu.Lock()
	p.outcomes.missed(points, err)
	p.mu.Unlock()
	for _, point := range points {
		if p.misses[point.Key]++; p.misses[point.Key] == failuresToLose {
			p.mu.Lock()
			p.outcomes[point.Key] = err
			p.mu.Unlock()
			p.none(ctx, point.Key, err.Error())
		}
	}
}
