package poll

import (
	"maps"
	"time"

	"solarhub/protocol"
)

// Some devices do not refuse a read that is too long or runs across registers they do not have: they stay silent
// (davidrapan/ha-solarman #53). A bad line looks alike, so a read is suspected only if it was not answered for an hour
// and stayed silent several times over a while, between any two of which the device answered something else. A device
// that is off answers nothing and so is never suspected.
const (
	trustFor   = time.Hour   // a read that was answered less long ago is not suspected
	silences   = 4           // before a read is suspected
	suspectFor = time.Minute // the same, in time
	oddities   = 3           // the same for replies that are neither values nor plain refusals; they cost no timeout
)

// silence remembers which reads are answered and which are not.
type silence struct {
	lastAnswer time.Time                     // to any request
	lastRead   time.Time                     // that was answered
	trusted    map[protocol.Range]time.Time  // reads, with their last answer
	silent     map[protocol.Range]silentRead // reads that stay silent
}

// silentRead is how often a read has stayed silent.
type silentRead struct {
	count       int
	since, last time.Time
}

func newSilence() silence {
	return silence{trusted: map[protocol.Range]time.Time{}, silent: map[protocol.Range]silentRead{}}
}

// alive notes that the device has answered something.
func (s *silence) alive(now time.Time) { s.lastAnswer = now }

// answered notes that a read was answered.
func (s *silence) answered(over protocol.Range, now time.Time) {
	s.lastAnswer, s.lastRead = now, now
	s.trusted[over] = now
	delete(s.silent, over)
}

// suspects notes that a read has failed, and reports whether it is suspected by that: it is the last failure of so many
// within a time at least. Where that is 0, it is suspected though it was answered lately.
func (s *silence) suspects(over protocol.Range, now time.Time, count int, within time.Duration) bool {
	if at, ok := s.trusted[over]; ok && within > 0 && now.Sub(at) < trustFor {
		return false
	}
	one := s.silent[over]
	if one.count == 0 || one.last.After(s.lastAnswer) { // nothing was answered since: the device may be off
		one = silentRead{since: now}
	}
	one.count, one.last = one.count+1, now
	s.silent[over] = one
	if one.count < count || now.Sub(one.since) < within {
		return false
	}
	delete(s.silent, over)
	return true
}

// forget drops all suspicion, because other reads are planned.
func (s *silence) forget() {
	clear(s.silent)
	maps.DeleteFunc(s.trusted, func(_ protocol.Range, at time.Time) bool { return time.Since(at) >= trustFor })
}
