package doctor

import (
	"time"

	"solarhub/devices/clock"
	"solarhub/devices/profile/strict"
)

// oddFor is how long a value must be one that cannot be true before a person is told.
const oddFor = time.Minute

// oddValues returns the advice for values that cannot be true: the first of them, and how many there are.
func oddValues(d DeviceSymptoms) []Advice {
	first, n := "", 0
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
		return []Advice{mend(IllOddValue, "a value of %s cannot be true: %s; is `profile` right for this model?",
			d.Config.Name, first)}
	}
	return []Advice{mend(IllOddValue, "%d values of %s cannot be true, such as: %s; is `profile` right for this model?",
		n, d.Config.Name, first)}
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
