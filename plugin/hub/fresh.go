package hub

import (
	"strings"
	"time"

	"solarhub/devices/profile"
)

// freshFor is how long a measurement from before a restart, or from before the device was away, still says something.
const freshFor = 5 * time.Minute

// resaveAfter is how old the moment of a reading may be in the cache while its value stays the same. It is part of
// freshFor, so that a measurement is at most this much too old after a power failure.
const resaveAfter = time.Minute

// isFresh reports whether what was read at a moment still says something of now. A moment in the future says that the
// clock has been set back since, as a board without a battery does at its start: nobody knows how old such a reading
// is.
func isFresh(readAt, now time.Time) bool {
	age := now.Sub(readAt)
	return age >= 0 && age <= freshFor
}

// isLasting reports whether a point keeps its last value over a restart, however old: settings, counters, and what is
// read once. Anything else is a measurement.
func isLasting(p profile.Point) bool {
	return p.Write != nil || p.Interval == profile.Once || strings.HasPrefix(p.Entity.StateClass, "total")
}
