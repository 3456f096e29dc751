package poll

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
)

// refusal is a point that the device does not give: it refuses its registers, or stays silent about them.
type refusal struct {
	point  profile.Point
	silent bool
	wait   time.Duration // until it is asked for again; doubles each time
	again  time.Time
}

// refuse stops polling points that the device does not give. Their value is unknown. They are asked for again soon, and
// then less and less often: a device that is booting refuses registers for seconds that it gives for years.
func (p *Poller) refuse(ctx context.Context, points []profile.Point, err error) {
	now := time.Now()
	for _, point := range points {
		p.mu.Lock()
		r, known := p.refused[point.Key]
		r.wait = min(max(ask.AfterRefusal, 2*r.wait), ask.AfterRefusalMost)
		r.point, r.again, r.silent = point, now.Add(r.wait), ask.IsSilence(err)
		p.refused[point.Key], p.outcomes[point.Key] = r, err
		delete(p.doubted, point.Key)
		p.generation++
		p.mu.Unlock()
		if !known {
			p.none(ctx, point.Key, fmt.Sprintf("the device refuses it: %v", err))
			p.log.Warn().Str("point", point.Key).Err(err).Msg("the device does not give this value")
		}
	}
}

// Given says that the device gives a point, whatever it did before. It may be called from any goroutine.
func (p *Poller) Given(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, refused := p.refused[key]; refused || p.doubted[key] {
		delete(p.refused, key)
		delete(p.doubted, key)
		p.generation++
	}
}

func (p *Poller) forgetRefusals() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.refused) > 0 {
		clear(p.refused)
		p.generation++
	}
}

// Refused returns the keys of the points that the device does not give, sorted.
func (p *Poller) Refused() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.refused))
}

// nextRefused returns when points are asked for again, zero if there are none.
func (p *Poller) nextRefused() (at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, r := range p.refused {
		if !p.doubted[key] {
			at = earlier(at, r.again)
		}
	}
	return at
}

// askRefused asks again for refused points whose time has come, together with those whose time comes soon, so that
// neighbours share a read.
func (p *Poller) askRefused(now time.Time) {
	if at := p.nextRefused(); at.IsZero() || at.After(now) {
		return
	}
	kinds := map[bool][]profile.Point{}
	p.mu.Lock()
	for _, key := range slices.Sorted(maps.Keys(p.refused)) {
		if r := p.refused[key]; !p.doubted[key] && !r.again.After(now.Add(r.wait/4)) {
			kinds[r.silent] = append(kinds[r.silent], r.point)
			p.doubted[key] = true
		}
	}
	limits := p.limits()
	p.mu.Unlock()
	for _, silent := range []bool{false, true} {
		l, _ := newLayout(kinds[silent], limits, p.holes, p.timing)
		for _, point := range l.apart {
			p.again([]profile.Point{point}, silent)
		}
		for _, r := range l.reads {
			of := make([]profile.Point, len(r.Items))
			for i, item := range r.Items {
				of[i] = l.points[item]
			}
			p.again(of, silent)
		}
	}
}

// again asks for points that failed before.
func (p *Poller) again(points []profile.Point, silent bool) {
	b := &block{silent: silent, atoms: atomsOf(points)}
	p.doubts.blocks = append(p.doubts.blocks, b)
}

// refusedRead deals with a read that the device has refused. If it was for one point, or no request can be spared for a
// search, its points are refused; otherwise its halves are read next.
func (p *Poller) refusedRead(ctx context.Context, points []profile.Point, err error) {
	p.silence.alive(time.Now())
	if len(atomsOf(points)) == 1 || !p.doubts.mayHalve() {
		p.refuse(ctx, points, err)
		return
	}
	p.doubt(points, false)
}
