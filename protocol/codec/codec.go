// Package codec turns registers into values and back. It is pure and knows nothing of lines, devices or hosts.
package codec

// Form says what the raw number means.
type Form uint8

// What a raw number can mean.
const (
	Plain       Form = iota // number: raw*Scale + Offset; text for Type Text
	OptionForm              // one of Options
	BoolForm                // On or Off
	TimePacked              // time of day, hour in the high byte, minute in the low byte
	TimeDecimal             // time of day, 100*hour + minute
	BitsForm                // a set of named bits, shown as a text
)

// Option is one named raw value, or in BitsForm one bit (Raw is then the bit's number).
type Option struct {
	Raw  uint64
	Name string
}

// Spec says how the words of a point become a Value. Scale 0 counts as 1; Mask 0 as all bits.
type Spec struct {
	Type    Type
	Order   Order
	Form    Form
	Length  int      // words of a Text
	Scale   float64  // value = raw*Scale + Offset
	Offset  float64  // in units of the value
	Mask    uint64   // bits of the raw number that belong to the point; the value is shifted down to the mask's lowest bit
	Options []Option // for OptionForm and BitsForm, in the order they are shown
	On, Off uint64   // for BoolForm: raw numbers after mask and shift; Any other raw number is no value
	NoValue []uint64 // raw patterns that mean "not available", compared before mask and scale
}
