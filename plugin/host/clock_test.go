package host

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTheAgeOfAMessage plays two clocks that drift apart, messages that are on their way for a time, and answers. The
// age is never too low by more than a second or the shortest time on the way, and never too high by more than the drift
// that is allowed for.
func TestTheAgeOfAMessage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const least = 5 * time.Millisecond // on the way, in each direction
		rate := 1 + rapid.Float64Range(-200e-6, 200e-6).Draw(t, "drift")
		offset := time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "offset"))
		theirs := func(ours time.Duration) time.Duration { return time.Duration(float64(ours)*rate) + offset }
		delay := func(name string) time.Duration {
			return rapid.SampledFrom([]time.Duration{least, least, least, time.Second, 4 * time.Second,
				9 * time.Second}).Draw(t, name)
		}
		var c companionClock
		now := time.Hour
		answered := false
		for range rapid.IntRange(1, 100).Draw(t, "messages") {
			now += time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "pause"))
			if !answered || rapid.Bool().Draw(t, "heartbeat") {
				sent, out, back := now, delay("out"), delay("back")
				now += out + back
				c.answered(sent, now, theirs(sent+out))
				answered = true
				continue
			}
			way := delay("way")
			age := c.arrived(now+way, theirs(now))
			now += way
			if short := way - age; short > maxUncertainty+least+time.Second/100 {
				t.Fatalf("a message that was %v on its way counts as %v old", way, age)
			}
		}
	})
}

func TestAClockThatDriftsForADay(t *testing.T) {
	for _, rate := range []float64{1 - 100e-6, 1 + 100e-6} {
		var c companionClock
		theirs := func(ours time.Duration) time.Duration { return time.Duration(float64(ours)*rate) + time.Minute }
		const way = 3 * time.Millisecond
		for now := time.Duration(0); now < 24*time.Hour; now += 10 * time.Second {
			c.answered(now, now+2*way, theirs(now+way))
			if age := c.arrived(now+time.Second+way, theirs(now+time.Second)); age > 20*time.Millisecond {
				t.Fatalf("after %v a call counts as %v old", now, age)
			}
			if age := c.arrived(now+9*time.Second, theirs(now+2*time.Second)); age < 6980*time.Millisecond {
				t.Fatalf("after %v a call that was 7 s on its way counts as %v old", now, age)
			}
		}
	}
}

func TestACompanionWithoutAClock(t *testing.T) {
	var c companionClock
	if age := c.arrived(time.Hour, 0); age != 0 {
		t.Errorf("age is %v", age)
	}
	c.answered(time.Second, 2*time.Second, 0)
	if age := c.arrived(time.Hour, 5); age != 0 {
		t.Errorf("age is %v before the first answer", age)
	}
}

func TestTheSystemClockGoesOn(t *testing.T) {
	first := systemClock()
	for range 1000 {
		if next := systemClock(); next < first {
			t.Fatalf("%v after %v", next, first)
		} else if next > first {
			return
		}
	}
	t.Error("it stands still")
}
