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
	TimeSwapped             // time of day, minute in the high byte, hour in the low byte
	TimePair                // time of day in two registers of a U32: hour, minute
	TimeASCII               // time of day in a Text: "0630" in two registers, "06:30" in three
	TimeBCD                 // time of day, 0x0630 is 06:30
	VersionForm             // the parts of a version, of Version bits each, shown as a text: 0x0104 is "1.4"
	TimeMinutes             // time of day, in minutes since midnight
	EpochForm               // seconds since 1970, shown as a text in UTC

	// A date with a time of day, of a Text of MomentLength registers.
	MomentPacked   // 0x1A09 0x0D14 0x0714: a byte for each of year, month, day, hour, minute, second
	MomentWords    // a register for each, the year from 2000
	MomentFullYear // a register for each, the year with its century
	MomentReversed // a register for each, the second first, the year from 2000
	MomentSwapped  // 0x091A 0x140D 0x1407: packed, with the bytes of each register the other way round
)

// Option is the name of one raw number, or in BitsForm of one bit, whose number is then Raw. Several raw numbers may
// have one name; the first that is not fixed is written.
type Option struct {
	Raw   uint64
	Name  string // the state and what is written, for machines: zero_export
	Label string // for people: "Zero export to load"; empty: the name
	Fixed bool   // can be read and is never written
}

// RawRange is a range of raw numbers with both its ends.
type RawRange struct{ From, To uint64 }

// Spec says how the words of a point become a Value.
type Spec struct {
	Type    Type
	Order   Order
	Form    Form
	Length  int        // of a Text, in words
	Scale   float64    // value = raw*Scale + Offset. Defaults to 1
	Offset  float64    // in the unit of the value
	Mask    uint64     // the bits that belong to the point, which are shifted down to bit 0; of a Text, of each word
	Options []Option   // of OptionForm and BitsForm, in the order that people see
	On, Off uint64     // of BoolForm: raw numbers after mask and shift. Any other is no value
	Version []int      // of VersionForm: the widths of the parts in bits, from high to low
	NoValue []RawRange // raw numbers that mean "not available", before mask and scale
	NoText  []string   // of a Text: texts that mean it, without blanks around them

	// ScaleWord says that the last word is the power of ten by which the number in the others is multiplied, signed.
	// It is read with them and never written.
	ScaleWord bool
}
