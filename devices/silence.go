package devices

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"solarhub/devices/ask"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Some devices do not refuse a read that is too long or runs across registers they do not have: they stay silent
// (davidrapan/ha-solarman #53). A bad line looks alike, so much is asked before silence counts as a refusal: the read was not answered
// for an hour, it stayed silent several times over a while, between any two of which the device answered another read, and then its
// halves come while it stays silent. A device that is off answers nothing and so is never suspected.
const (
	trustFor   = time.Hour        // a read that was answered less long ago is not suspected
	silences   = 4                // before the hunt begins
	suspectFor = time.Minute      // the same, in time
	suspectGap = 20 * time.Second // between two tries of a suspected read of a slow class
	believed   = 3                // tries during the hunt before silence counts
	inVain     = 8                // silent ranges before the hunt is given up if nothing at all is answered
)

// silence remembers which reads are answered and which are not.
type silence struct {
	lastAnswer time.Time                    // to any request
	lastRead   time.Time                    // that was planned and answered
	trusted    map[protocol.Range]time.Time // reads, with their last answer or the last hunt in vain
	suspects   map[protocol.Range]*suspect
}

// suspect is a read that stays silent while the device answers others.
type suspect struct {
	read    plan.Read
	layout  *layout
	since   time.Time
	last    time.Time // the last silence
	next    time.Time // when it is asked by itself
	silence int
}

func newSilence() silence {
	return silence{trusted: map[protocol.Range]time.Time{}, suspects: map[protocol.Range]*suspect{}}
}

// alive notes that the device has answered something.
func (s *silence) alive(now time.Time) { s.lastAnswer = now }

// answered notes that a read was answered; clean means the very read, not only parts of it.
func (s *silence) answered(over protocol.Range, clean bool, now time.Time) {
	s.alive(now)
	s.lastRead = now
	if clean {
		s.trust(over, now)
	}
}

// trust drops what is suspected of a read, for a while.
func (s *silence) trust(over protocol.Range, now time.Time) {
	s.trusted[over] = now
	delete(s.suspects, over)
}

// silent notes that a read was not.
func (s *silence) silent(read plan.Read, l *layout, now time.Time) {
	if at, ok := s.trusted[read.Range]; ok && now.Sub(at) < trustFor {
		return
	}
	one := s.suspects[read.Range]
	if one == nil || one.last.After(s.lastAnswer) { // nothing was answered since: the device may be off
		one = &suspect{since: now}
		s.suspects[read.Range] = one
	}
	one.read, one.layout, one.last, one.next = read, l, now, now.Add(suspectGap)
	one.silence++
}

// forget drops all suspicion, because other reads are planned.
func (s *silence) forget() {
	clear(s.suspects)
	maps.DeleteFunc(s.trusted, func(_ protocol.Range, at time.Time) bool { return time.Since(at) >= trustFor })
}

// next returns a suspect that is to be asked again by itself, or when the first will be; zero if there is none.
func (s *silence) next(now time.Time) (due *suspect, at time.Time) {
	for _, one := range s.suspects {
		if due == nil || one.next.Before(at) {
			due, at = one, one.next
		}
	}
	if due != nil && at.After(now) {
		due = nil
	}
	return due, at
}

// guilty returns a suspect of which enough is known to hunt for the fault; nil if there is none.
func (s *silence) guilty(now time.Time) *suspect {
	for _, one := range s.suspects {
		if one.silence >= silences && now.Sub(one.since) >= suspectFor {
			return one
		}
	}
	return nil
}

// askAgain asks a suspected read once more by itself.
func (p *poller) askAgain(ctx context.Context, s *suspect) {
	f := newFetch(p.d.poll, p.d.client.Request(protocol.PriorityPoll, 0), ask.ForPoll, s.layout)
	s.next = time.Now().Add(suspectGap) // whatever comes of it
	if err, over := p.read(ctx, f, s.read); err != nil && !over {
		_ = p.pulse(ctx) // if nobody answers, the silence means nothing
	}
}

// hunt finds out which part of a silent read the device does not answer. Nothing is believed unless the device is there at the end, and
// some part was answered or the poll's other reads are. A hunt in vain is not repeated for a while.
func (p *poller) hunt(ctx context.Context, s *suspect) {
	begun := time.Now()
	p.silence.trust(s.read.Range, begun)
	f := newFetch(p.d.poll, p.d.client.Request(protocol.PriorityPoll, 0), ask.ForPoll, s.layout)
	f.alive = p.pulse
	if err := f.read(ctx, s.read); err != nil || p.pulse(ctx) != nil {
		return
	}
	if f.answered || begun.Sub(p.silence.lastRead) < suspectFor {
		p.deliver(ctx, f, s.read)
		p.learn(f.learnt)
	}
}

// pulse makes sure that the device is there: by the shortest read of its identification.
func (p *poller) pulse(ctx context.Context) error {
	l, err := p.d.identityLayout()
	if err != nil || len(l.reads) == 0 {
		return err
	}
	req := p.d.client.Request(protocol.PriorityPoll, ask.ForPoll)
	req.Op, req.Range = protocol.Read, shortestFirst(l.reads)[0].Range
	if _, err = p.d.poll(ctx, req); err == nil {
		p.silence.alive(time.Now())
	}
	return err
}

// shortestFirst returns the reads in the order of their length.
func shortestFirst(reads []plan.Read) []plan.Read {
	return slices.SortedStableFunc(slices.Values(reads), func(a, b plan.Read) int { return cmp.Compare(a.Range.Count, b.Range.Count) })
}
