package codec

import "fmt"

// Type says how many registers a value takes and how they are read.
type Type uint8

// The types of the registers' content. A Text takes Spec.Length words.
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
	M16 // sign and magnitude: the highest bit is the sign
	M32 // the same of two words
)

// types are the facts of each type: its name in a profile, its registers, and how its bits are read.
var types = [...]struct {
	name          string
	words         int
	signed, float bool
}{
	U16: {"u16", 1, false, false},
	S16: {"s16", 1, true, false},
	U32: {"u32", 2, false, false},
	S32: {"s32", 2, true, false},
	U64: {"u64", 4, false, false},
	S64: {"s64", 4, true, false},
	F32: {"f32", 2, false, true},
	F64: {"f64", 4, false, true},

	Text: {"text", 0, false, false},
	M16:  {"m16", 1, true, false},
	M32:  {"m32", 2, true, false},
}

// String returns the type's name in a profile: "u16".
func (t Type) String() string {
	if int(t) < len(types) {
		return types[t].name
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Signed reports whether the type is a whole number that can fall below 0.
func (t Type) Signed() bool { return types[t].signed }

// magnitude reports whether the highest bit is the sign and the others are the number without it.
func (t Type) magnitude() bool { return t == M16 || t == M32 }

// Float reports whether the type is a float, which has no grid and no bits of its own.
func (t Type) Float() bool { return types[t].float }

// TypeNames returns the names of all types; the index is the Type.
func TypeNames() []string {
	names := make([]string, len(types))
	for i, t := range types {
		names[i] = t.name
	}
	return names
}

// Order is the order of bytes over the words of a value, named after the bytes of the 32-bit number 0xAABBCCDD. The
// same rule holds over the four words of 64 bits.
type Order uint8

// The orders that devices use.
const (
	ABCD Order = iota // high word first, high byte first: what the standard says
	CDAB              // low word first, high byte first
	BADC              // high word first, low byte first
	DCBA              // low word first, low byte first
)

// String returns the order's name in a profile: "abcd".
func (o Order) String() string {
	if names := OrderNames(); int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("order(%d)", uint8(o))
}

// OrderNames returns the names of all orders; the index is the Order.
func OrderNames() []string { return []string{ABCD: "abcd", CDAB: "cdab", BADC: "badc", DCBA: "dcba"} }

// lowWordFirst and lowByteFirst are the two halves of an order.
func (o Order) lowWordFirst() bool { return o == CDAB || o == DCBA }
func (o Order) lowByteFirst() bool { return o == BADC || o == DCBA }
