// Package clock compares the clock of a device with the time. It is pure: whoever calls it says what time it is.
package clock

import (
	"cmp"
	"time"

	"solarhub/protocol/codec"
)

// Limit is how far a clock may be off before the owner is told: windows of charging then begin at the wrong time.
const Limit = 5 * time.Minute

// Tolerance returns how far a clock may be off that was just set: devices take a while, and some tell no seconds.
func Tolerance(s codec.Spec) time.Duration {
	if s.IsMoment() {
		return 30 * time.Second
	}
	return time.Minute
}

// Value returns what a clock holds that is right at a moment.
func Value(s codec.Spec, at time.Time, zone *time.Location) codec.Value {
	at = local(s, at, zone)
	if s.IsMoment() {
		return codec.TextOf(at.Format(time.DateTime))
	}
	return codec.TimeOf(at.Hour()*60 + at.Minute())
}

// local returns the moment as clocks of that form show it. Seconds since 1970 are in UTC.
func local(s codec.Spec, at time.Time, zone *time.Location) time.Time {
	switch {
	case s.Form == codec.EpochForm:
		return at.UTC()
	case zone == nil:
		return at.In(time.Local)
	}
	return at.In(zone)
}

// Deviation returns how far a clock is fast, to the second, by what it held at a moment; ok is false if that is no
// time. One that tells no date can be half a day off at most.
func Deviation(s codec.Spec, held codec.Value, at time.Time, zone *time.Location) (off time.Duration, ok bool) {
	at = local(s, at, zone)
	switch held.Kind {
	case codec.KindText:
		shown, err := time.Parse(time.DateTime, held.Str)
		wall := time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
		return shown.Sub(wall), err == nil && s.IsMoment()
	case codec.KindTime:
		const day = 24 * 60
		minutes := (held.Minutes - at.Hour()*60 - at.Minute() + day + day/2) % day
		return time.Duration(minutes-day/2) * time.Minute, true
	}
	return 0, false
}

// The reasons for which a clock is off.
const (
	SummerTime = "summer_time" // it does not follow summer time, or does where there is none
	UTC        = "utc"         // it shows UTC
)

// Why guesses why a clock is off; empty if nothing explains it.
func Why(off time.Duration, at time.Time, zone *time.Location) string {
	zone = cmp.Or(zone, time.Local)
	offset := func(at time.Time) time.Duration {
		_, seconds := at.In(zone).Zone()
		return time.Duration(seconds) * time.Second
	}
	near := func(d time.Duration) bool { return d != 0 && (off-d).Abs() < Limit }
	january := offset(time.Date(at.Year(), 1, 1, 0, 0, 0, 0, time.UTC))
	change := (offset(time.Date(at.Year(), 7, 1, 0, 0, 0, 0, time.UTC)) - january).Abs()
	switch {
	case near(change), near(-change):
		return SummerTime
	case near(-offset(at)):
		return UTC
	}
	return ""
}
