package write

import (
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/clock"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// The clock of a device is set to the present, whatever that is when its turn comes. It runs on while it is read back,
// so it is confirmed when it is right.

// checkClock takes the press of the button that sets the clock, and refuses any value.
func (w *Writer) checkClock(p profile.Point, set Set) (profile.Point, codec.Value, *Error) {
	if set.Value != nil {
		return p, codec.Value{}, failure(StageRefused, p, CodeReadOnly,
			p.Name+" is only set to the present, with the button that does it", nil)
	}
	return p, w.present(p), nil
}

// present returns what the clock is to hold when the request arrives.
func (w *Writer) present(p profile.Point) codec.Value {
	return clock.Value(p.Spec, time.Now().Add(time.Second/2), w.cfg.Zone)
}

// isRight reports whether a clock that was read is right.
func (w *Writer) isRight(p profile.Point, found ask.Reading) bool {
	off, ok := clock.Deviation(p.Spec, found.Value, found.ReadAt, w.cfg.Zone)
	return ok && off.Abs() <= clock.Tolerance(p.Spec)
}
