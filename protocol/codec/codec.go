// Package codec turns registers into values and values into registers. It is pure: it knows no line, device or host.
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

// Option is the name of one raw number, or in BitsForm of one bit, whose number is then Raw.
type Option struct {
	Raw  uint64
	Name string
}

// Spec says how the words of a point become a Value.
type Spec struct {
	Type    Type
	Order   Order
	Form    Form
	Length  int      // of a Text, in words
	Scale   float64  // value = raw*Scale + Offset. Defaults to 1
	Offset  float64  // in the unit of the value
	Mask    uint64   // the bits that belong to the point, which are shifted down to bit 0. Defaults to all
	Options []Option // of OptionForm and BitsForm, in the order that people see
	On, Off uint64   // of BoolForm: raw numbers after mask and shift. Any other is no value
	NoValue []uint64 // raw numbers that mean "not available", before mask and scale
}
