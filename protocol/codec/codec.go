// Package codec turns registers into values and back. It is pure and knows nothing of lines, devices or hosts.
package codec

// Type says how many words a number takes and how they are read.
type Type uint8

// The types. Text takes Spec.Length words.
const (
	U16 Type = iota
	S16
	U32
	S32
	U64
	S64
	F32
	F64
	Text
)

// Order is the order of bytes over the words of a value, named after the bytes of the 32-bit number 0xAABBCCDD.
type Order uint8

// The orders. For 64 bits the same rule holds over four words.
const (
	ABCD Order = iota // high word first, high byte first: what the standard says
	CDAB              // low word first, high byte first
	BADC              // high word first, low byte first
	DCBA              // low word first, low byte first
)

// Form says what the raw number means.
type Form uint8

// The forms.
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
