package devices

import (
	"time"

	"solarhub/devices/clock"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Clock is how the clock of a device was when it was last read.
type Clock struct {
	Key    string        // of the point
	Shows  string        // date and time, or the time of day
	Off    time.Duration // how far it is fast; below 0 it is behind
	Wrong  bool          // it is off by more than the owner can leave alone
	Why    string        // clock.SummerTime, clock.UTC, or empty
	Sets   bool          // there is a button that sets it
	ReadAt time.Time
}

// Clock returns how the clock of the device is; ok is false where it has none, or none that was read in this run.
func (d *Device) Clock() (c Clock, ok bool) {
	p := d.clock.Load()
	if p == nil {
		return c, false
	}
	d.out.mu.Lock()
	last := d.out.last[p.Key]
	d.out.mu.Unlock()
	off, ok := clock.Deviation(p.Spec, last.Value, last.ReadAt, d.cfg.Zone)
	c = Clock{Key: p.Key, Shows: last.Value.String(), Off: off, Wrong: ok && off.Abs() > clock.Limit,
		Sets: p.Write != nil && !d.cfg.ReadOnly, ReadAt: last.ReadAt}
	if c.Wrong {
		c.Why = clock.Why(off, last.ReadAt, d.cfg.Zone)
	}
	return c, ok
}

// watchClock keeps which of the points is the clock.
func (d *Device) watchClock(points []profile.Point) {
	d.clock.Store(nil)
	for _, p := range points {
		if p.IsClock() {
			d.clock.Store(&p)
		}
	}
}

// operand returns a reading as a derived value counts it: a clock is its deviation in seconds.
func (d *Device) operand(r Reading) codec.Value {
	if p := d.clock.Load(); p != nil && p.Key == r.Key {
		if off, ok := clock.Deviation(p.Spec, r.Value, r.ReadAt, d.cfg.Zone); ok {
			return codec.Number(off.Seconds())
		}
	}
	return r.Value
}

// clockChanged reports whether a clock that was set is no longer right.
func (d *Device) clockChanged(found Reading) bool {
	p := d.clock.Load()
	if p == nil || p.Key != found.Key {
		return false
	}
	off, ok := clock.Deviation(p.Spec, found.Value, found.ReadAt, d.cfg.Zone)
	return ok && off.Abs() > 2*clock.Tolerance(p.Spec)
}
