package host

import (
	"sync"
	"time"
)

// A Clock returns the time since some fixed moment. It never jumps, and it goes on while the process is stopped and
// while the machine is suspended.
type Clock func() time.Duration

// drift is how much two clocks may diverge: crystals differ by up to 100 ppm, and NTP corrects by up to 500 ppm (RFC
// 5905, section 11.3).
const drift = 500e-6

// maxUncertainty is how wrong the age of a call may be. The companion waits 2 s longer for the answer than the call
// has.
const maxUncertainty = time.Second

// companionClock compares the companion's clock with ours, so that a call can be as old as it is, however long it was
// on its way. ours - theirs is the same for all messages, but for the time that each was on its way: it is at most the
// smallest difference seen at an arrival, and at least the largest seen at a departure that the companion answered.
type companionClock struct {
	mu        sync.Mutex
	seen      bool
	at        time.Duration // when the bounds were computed, on our clock
	low, high time.Duration // bounds of ours - theirs
}

// answered takes the time in the companion's answer to a message that left at sent. theirs is 0 if the companion has no
// clock.
func (c *companionClock) answered(sent, received, theirs time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if theirs == 0 {
		return
	}
	if !c.seen {
		c.seen, c.at, c.low, c.high = true, received, sent-theirs, received-theirs
	}
	c.update(received, received-theirs)
	c.low = max(c.low, sent-theirs)
}

// arrived takes the time in a message of the companion and returns how old the message is.
func (c *companionClock) arrived(received, theirs time.Duration) (age time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.seen || theirs == 0 {
		return 0
	}
	c.update(received, received-theirs)
	return max(0, received-theirs-min(c.high, c.low+maxUncertainty))
}

// update widens the bounds by what the clocks may have diverged, and takes a new difference. The mutex is held.
func (c *companionClock) update(now, difference time.Duration) {
	diverged := time.Duration(float64(max(0, now-c.at)) * drift)
	c.at = max(c.at, now)
	c.low, c.high = c.low-diverged, min(c.high+diverged, difference)
}
