package doctor

import (
	"time"

	"solarhub/devices/clock"
	"solarhub/devices/profile/strict"
)

// How long a value must be one that cannot be true before a person is told: longer than some devices hold odd ones
// while they wake, and for a short look at a line long enough for a second reading.
const (
	oddFor  = time.Minute
	oddLive = 5 * time.Second
)

// lookAt is what makes values impossible.
const lookAt = "is `profile` right for this model, or is another `order` of bytes set in it?"

// oddValues returns the advice for values that cannot be true: the first of them, and how many there are.
func oddValues(s Symptoms, d DeviceSymptoms) []Advice {
	first, n, oddFor := "", 0, oddFor
	if s.Live {
		oddFor = oddLive
	}
	for _, one := range d.Implausible {
		if !d.Now.IsZero() && d.Now.Sub(one.Since) >= oddFor {
			if n++; n == 1 {
				first = one.Reason
			}
		}
	}
	switch {
	case n == 0:
		return nil
	case n == 1:
		return []Advice{mend(IllOddValue, "a value of %s cannot be true: %s; %s", d.Config.Name, first, lookAt)}
	}
	return []Advice{mend(IllOddValue, "%d values of %s cannot be true, such as: %s; %s", n, d.Config.Name, first,
		lookAt)}
}

// wrongClock returns the advice for a clock that is off.
func wrongClock(d DeviceSymptoms) []Advice {
	c := d.Clock
	if !c.Wrong {
		return nil
	}
	off, way, why := strict.Span(c.Off.Abs().Round(time.Second)), "fast", ""
	if c.Off < 0 {
		way = "behind"
	}
	switch c.Why {
	case clock.SummerTime:
		why = " (summer time)"
	case clock.UTC:
		why = " (it shows UTC)"
	}
	cure := "set it at the device"
	if c.Sets {
		cure = "press its button \"Set clock\""
	}
	return []Advice{mend(IllClock, "the clock of %s is %s %s%s, so its schedule begins at the wrong time: %s",
		d.Config.Name, off, way, why, cure)}
}
