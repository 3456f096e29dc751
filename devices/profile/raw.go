package profile

import (
	"math"
	"math/bits"

	"solarhub/protocol/codec"
)

// types are the words of the format; the index is the codec's.
var types = []string{
	codec.U16: "u16", codec.S16: "s16", codec.U32: "u32", codec.S32: "s32", codec.U64: "u64", codec.S64: "s64",
	codec.F32: "f32", codec.F64: "f64", codec.Text: "text",
}

var orders = []string{codec.ABCD: "abcd", codec.CDAB: "cdab", codec.BADC: "badc", codec.DCBA: "dcba"}

// isNumber reports whether the value is a number, not a text, option, flag, time or set of bits.
func isNumber(s codec.Spec) bool { return s.Form == codec.Plain && s.Type != codec.Text }

func isFloat(t codec.Type) bool  { return t == codec.F32 || t == codec.F64 }
func isSigned(t codec.Type) bool { return t == codec.S16 || t == codec.S32 || t == codec.S64 }

// typeMask returns all bits of a number's raw pattern. Not for texts.
func typeMask(s codec.Spec) uint64 { return math.MaxUint64 >> (64 - 16*s.Words()) }

// rawMask returns the bits of the raw pattern that belong to the point.
func rawMask(s codec.Spec) uint64 {
	if s.Mask != 0 {
		return s.Mask
	}
	return typeMask(s)
}

// maxRaw returns the largest raw pattern behind mask and shift: what options, on and off must fit in.
func maxRaw(s codec.Spec) uint64 {
	return math.MaxUint64 >> (64 - bits.OnesCount64(rawMask(s)))
}

// rawBounds returns the smallest and largest raw number of a whole-numbered type behind mask and shift.
func rawBounds(s codec.Spec) (low, high float64) {
	width := bits.OnesCount64(rawMask(s))
	if isSigned(s.Type) {
		return -math.Ldexp(1, width-1), math.Ldexp(1, width-1) - 1
	}
	return 0, math.Ldexp(1, width) - 1
}

// contiguous reports whether the bits of a mask stand together.
func contiguous(mask uint64) bool {
	m := mask >> bits.TrailingZeros64(mask)
	return mask != 0 && m&(m+1) == 0
}
