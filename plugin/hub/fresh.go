package hub

import (
	"strings"
	"time"

	"solarhub/devices/profile"
)

// freshFor is how long a measurement is shown that was read before a restart, or before the device was away.
const freshFor = 5 * time.Minute

// resaveAfter is how far the time of a reading in the cache may lag while the value stays the same. After a power
// failure a measurement looks at most this much older than it is.
const resaveAfter = time.Minute

// isFresh reports whether a reading is young enough to be shown. A reading from the future means that the clock was set
// back, as happens when a board without a clock battery boots. Its age is unknown, so it counts as old.
func isFresh(readAt, now time.Time) bool {
	age := now.Sub(readAt)
	return age >= 0 && age <= freshFor
}

// isLasting reports whether a point keeps its last value over a restart, however old: settings, counters, and what is
// read once. Anything else is a measurement.
func isLasting(p profile.Point) bool {
	return p.Write != nil || p.Interval == profile.Once || strings.HasPrefix(p.Entity.StateClass, "total")
}
