package codec

import "math"

// Words returns how many registers the value takes: 1, 2, 4, or Length for a text.
func (s Spec) Words() int {
	switch s.Type {
	case U32, S32, F32:
		return 2
	case U64, S64, F64:
		return 4
	case Text:
		return s.Length
	}
	return 1
}

// bits returns the width of the raw number.
func (s Spec) bits() int { return 16 * s.Words() }

func (s Spec) float() bool { return s.Type == F32 || s.Type == F64 }

func (s Spec) signed() bool { return s.Type == S16 || s.Type == S32 || s.Type == S64 }

// mask returns the bits of the raw number that belong to the point.
func (s Spec) mask() uint64 {
	all := ^uint64(0) >> (64 - s.bits())
	if s.Mask == 0 {
		return all
	}
	return s.Mask & all
}

// Partial reports whether the point is only a part of its registers: writing it takes a read-modify-write.
func (s Spec) Partial() bool {
	return s.Type != Text && s.Mask != 0 && s.mask() != ^uint64(0)>>(64-s.bits())
}

// CompareMask returns, word by word as they stand on the wire, the bits that belong to the point.
func (s Spec) CompareMask() []uint16 {
	if s.Type == Text {
		mask := make([]uint16, s.Length)
		for i := range mask {
			mask[i] = 0xFFFF
		}
		return mask
	}
	return s.split(s.mask())
}

// join puts the words together to the raw number, in the order of the spec.
func (s Spec) join(words []uint16) uint64 {
	var raw uint64
	for i := range words {
		w := words[i]
		if s.Order == CDAB || s.Order == DCBA {
			w = words[len(words)-1-i]
		}
		if s.Order == BADC || s.Order == DCBA {
			w = w<<8 | w>>8
		}
		raw = raw<<16 | uint64(w)
	}
	return raw
}

// split is the inverse of join.
func (s Spec) split(raw uint64) []uint16 {
	words := make([]uint16, s.Words())
	for i := range words {
		w := uint16(raw >> (16 * (len(words) - 1 - i)))
		if s.Order == BADC || s.Order == DCBA {
			w = w<<8 | w>>8
		}
		if s.Order == CDAB || s.Order == DCBA {
			words[len(words)-1-i] = w
		} else {
			words[i] = w
		}
	}
	return words
}

// shift returns the number of the mask's lowest bit.
func (s Spec) shift() int {
	n := 0
	for m := s.mask(); m&1 == 0; m >>= 1 {
		n++
	}
	return n
}

// limits returns the smallest and the largest raw number the point can hold, after the mask.
func (s Spec) limits() (low, high float64) {
	width := 0
	for m := s.mask() >> s.shift(); m != 0; m >>= 1 {
		width++
	}
	if s.signed() {
		return -math.Ldexp(1, width-1), math.Ldexp(1, width-1) - 1
	}
	return 0, math.Ldexp(1, width) - 1
}
