package codec

import (
	"math"
	"math/bits"
)

// Words returns how many registers the value takes: 1, 2, 4, or Length for a text; one more with a ScaleWord.
func (s Spec) Words() int {
	if s.ScaleWord {
		return s.own() + 1
	}
	return s.own()
}

// own returns how many registers the value itself takes.
func (s Spec) own() int {
	if s.Type == Text {
		return s.Length
	}
	return types[s.Type].words
}

// IsNumber reports whether the value is a number, not a text, option, flag, time, version or set of bits.
func (s Spec) IsNumber() bool { return s.Form == Plain && s.Type != Text }

// AllBits returns the largest raw number of the type, before the mask. A text has none.
func (s Spec) AllBits() uint64 { return ^uint64(0) >> (64 - 16*s.own()) }

// Largest returns the largest raw number after mask and shift. An option, on or off cannot be larger.
func (s Spec) Largest() uint64 { return s.mask() >> s.shift() }

// Grid returns the distance between neighbouring values that the registers can hold; 0 where that is not known: for a
// float, which has no grid, and with a ScaleWord.
func (s Spec) Grid() float64 {
	if s.Type.Float() || s.ScaleWord {
		return 0
	}
	return math.Abs(s.scale())
}

// mask returns the bits of the raw number that belong to the point.
func (s Spec) mask() uint64 {
	if s.Mask == 0 {
		return s.AllBits()
	}
	return s.Mask & s.AllBits()
}

// Partial reports whether the point is only part of its registers.
func (s Spec) Partial() bool {
	return s.Type != Text && s.Mask != 0 && s.mask() != s.AllBits()
}

// ReadFirst reports whether a write has to know what the registers hold: the other bits, or the power of ten.
func (s Spec) ReadFirst() bool { return s.Partial() || s.ScaleWord }

// Bytes returns how many bytes a Text can have. With a Mask only one byte of each register is a character.
func (s Spec) Bytes() int {
	if s.Mask != 0 {
		return s.Length
	}
	return 2 * s.Length
}

// textShift returns by how much the byte of a Text with a Mask lies above bit 0.
func (s Spec) textShift() int {
	if s.Mask > 0xFF {
		return 8
	}
	return 0
}

// CompareMask returns the bits that belong to the point, for each word as it arrives on the wire. Of a ScaleWord, which
// several points share, none does.
func (s Spec) CompareMask() []uint16 {
	mask := make([]uint16, s.own(), s.Words())
	if s.Type == Text {
		for i := range mask {
			if mask[i] = 0xFFFF; s.Mask != 0 {
				mask[i] = uint16(s.Mask)
			}
		}
	} else {
		s.split(mask, s.mask())
	}
	return mask[:s.Words()]
}

// Same reports whether two runs of words hold the same in the bits of the point, by the same power of ten; words of
// another length never do.
func (s Spec) Same(a, b []uint16) bool {
	mask := s.CompareMask()
	if len(a) != len(mask) || len(b) != len(mask) {
		return false
	}
	if s.ScaleWord {
		mask[len(mask)-1] = 0xFFFF
	}
	for i, m := range mask {
		if a[i]&m != b[i]&m {
			return false
		}
	}
	return true
}

// join makes the raw number from the words, in the order of the spec.
func (s Spec) join(words []uint16) uint64 {
	var raw uint64
	for i := range words {
		w := words[i]
		if s.Order.lowWordFirst() {
			w = words[len(words)-1-i]
		}
		if s.Order.lowByteFirst() {
			w = w<<8 | w>>8
		}
		raw = raw<<16 | uint64(w)
	}
	return raw
}

// split is the inverse of join.
func (s Spec) split(words []uint16, raw uint64) {
	for i := range words {
		w := uint16(raw >> (16 * (len(words) - 1 - i)))
		if s.Order.lowByteFirst() {
			w = w<<8 | w>>8
		}
		if s.Order.lowWordFirst() {
			words[len(words)-1-i] = w
		} else {
			words[i] = w
		}
	}
}

// shift returns the number of the lowest bit of the mask, or 64 if it has no bit.
func (s Spec) shift() int { return bits.TrailingZeros64(s.mask()) }

// width returns how many bits the raw number has after the mask.
func (s Spec) width() int { return bits.Len64(s.Largest()) }

// Bounds returns the smallest and the largest value that the registers of a number can hold. A float holds all.
func (s Spec) Bounds() (low, high float64) {
	if s.Type.Float() {
		return math.Inf(-1), math.Inf(1)
	}
	first, end := s.limits()
	low, high = s.round(first*s.scale()+s.Offset), s.round((end-1)*s.scale()+s.Offset)
	return min(low, high), max(low, high)
}

// limits returns the smallest raw number that the point can hold, after the mask, and the largest one plus 1. That is a
// power of two, which a float holds exactly at any width.
func (s Spec) limits() (low, end float64) {
	if s.Type.magnitude() {
		return 1 - math.Ldexp(1, s.width()-1), math.Ldexp(1, s.width()-1)
	}
	if s.Type.Signed() {
		return -math.Ldexp(1, s.width()-1), math.Ldexp(1, s.width()-1)
	}
	return 0, math.Ldexp(1, s.width())
}
