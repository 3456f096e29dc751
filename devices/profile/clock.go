package profile

import "slices"

// ClockQuantity is the quantity by which a profile says that a point is the clock of the device.
const ClockQuantity = "clock"

// IsClock reports whether the point is the clock of the device: a moment or a time of day. It is written only by the
// button that sets it to the present, and in a derived value it counts as its deviation in seconds.
func (p Point) IsClock() bool {
	return p.Quantity == ClockQuantity && (p.Spec.IsMoment() || slices.Contains(timeForms, p.Spec.Form))
}

// isClock reports the same of a point that is being read.
func isClock(f fields) bool { return f.has("is") && f.text("is") == ClockQuantity }

// SetClock returns the button that sets a clock, as the vocabulary describes it.
func SetClock() Quantity {
	q, _, _ := QuantityOf("clock_set")
	return q
}
