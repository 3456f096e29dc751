package codec

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Encode returns the words that hold v. For a point with ReadFirst current must be the words that the device holds now:
// the bits outside the mask and the ScaleWord come from them. A value that is off the grid of the register
// or does not fit the type is an error. Encode rounds away the noise of floats, and nothing else; it never clamps.
func (s Spec) Encode(v Value, current []uint16) ([]uint16, error) {
	if s.ScaleWord {
		return s.encodeScaled(v, current)
	}
	if s.IsMoment() {
		return s.encodeMoment(v)
	}
	if s.Type == Text {
		return s.encodeText(v)
	}
	part, err := s.encodeRaw(v)
	if err != nil {
		return nil, err
	}
	mask := s.mask()
	if part>>(64-s.shift()) != 0 && s.shift() > 0 || part<<s.shift()&^mask != 0 {
		return nil, fmt.Errorf("%v does not fit into the mask 0x%X", v, mask)
	}
	raw := part << s.shift()
	if !s.Partial() && s.isNoValue(raw) {
		return nil, fmt.Errorf("%v would be held as 0x%X, which the device uses for no value", v, raw)
	}
	if s.Partial() {
		if len(current) != s.Words() {
			return nil, errors.New("the words the device holds now are needed to change a part of them")
		}
		raw |= s.join(current) &^ mask
	}
	words := make([]uint16, s.Words())
	s.split(words, raw)
	return words, nil
}

// encodeScaled encodes by the power of ten that the device holds now.
func (s Spec) encodeScaled(v Value, current []uint16) ([]uint16, error) {
	if len(current) != s.Words() {
		return nil, errors.New("the power of ten that the device holds now is needed to write a number")
	}
	own, held, why := s.scaled(current)
	if why != "" {
		return nil, errors.New(why)
	}
	words, err := own.Encode(v, held)
	if err != nil {
		return nil, err
	}
	return append(words, current[len(held)]), nil
}

// encodeRaw returns the raw number, not yet shifted to the mask.
func (s Spec) encodeRaw(v Value) (uint64, error) {
	switch {
	case s.Form == Plain && v.Kind == KindNumber:
		return s.encodeNumber(v.Num)
	case s.Form == OptionForm && v.Kind == KindOption:
		for _, o := range s.Options {
			if o.Name == v.Str && !o.Fixed {
				return o.Raw, nil
			}
		}
		return 0, &OptionError{Given: v.Str, Options: s.WritableOptions()}
	case s.Form == OptionForm && v.Kind == KindUnlisted:
		if raw, ok := unlisted(v.Str); ok && !s.lists(raw) {
			return raw, nil
		}
		return 0, &OptionError{Given: v.Str, Options: s.WritableOptions()}
	case s.Form == BoolForm && v.Kind == KindBool:
		if v.On {
			return s.On, nil
		}
		return s.Off, nil
	case s.IsTime() && v.Kind == KindTime:
		return s.encodeTime(v.Minutes)
	}
	return 0, &TypeError{Given: v.String(), Expected: s.Expected()}
}

func (s Spec) encodeNumber(f float64) (uint64, error) {
	raw := (f-s.Offset)/s.scale() + 0 // -0 + 0 is 0
	if math.IsNaN(raw) || math.IsInf(raw, 0) {
		return 0, fmt.Errorf("%v is not a number that a register can hold", f)
	}
	switch s.Type {
	case F32:
		if math.IsInf(float64(float32(raw)), 0) {
			return 0, fmt.Errorf("%v does not fit into 32 bits", f)
		}
		return uint64(math.Float32bits(float32(raw))), nil
	case F64:
		return math.Float64bits(raw), nil
	}
	whole := math.Round(raw)
	if math.Abs(raw-whole) > s.noise(f) {
		return 0, fmt.Errorf("%v lies between two steps of the register, each %v", Number(f), Number(s.Grid()))
	}
	low, end := s.limits()
	if whole < low || whole >= end {
		from, to := s.round(low*s.scale()+s.Offset), s.round((end-1)*s.scale()+s.Offset)
		return 0, fmt.Errorf("%v is outside %v to %v, what the register can hold", Number(f), Number(min(from, to)),
			Number(max(from, to)))
	}
	if math.Abs(whole) > exact {
		return 0, fmt.Errorf("%v is too large: a number beyond %d cannot be sent with all its digits", Number(f),
			int64(exact))
	}
	if s.Type.magnitude() && whole < 0 {
		return uint64(-whole) | 1<<(s.width()-1), nil
	}
	if s.Type.Signed() {
		return uint64(int64(whole)) & (1<<s.width() - 1), nil
	}
	return uint64(whole), nil
}

// gridNoise is how far a float may be off the grid, in steps of the register: a host that converts units sends
// 3299.9999999999995 for 3300.
const gridNoise = 1e-6

// noise returns gridNoise or, for a number so large that floats are coarser than that, a few steps of the float.
func (s Spec) noise(f float64) float64 {
	const steps = 1.0 / (1 << 48) // sixteen: subtracting, dividing and converting units cost a half each
	return min(max(gridNoise, (math.Abs(f)+math.Abs(s.Offset))/math.Abs(s.scale())*steps), 0.25)
}

func (s Spec) encodeText(v Value) ([]uint16, error) {
	if s.Form == TimeASCII && v.Kind == KindTime {
		text, err := s.encodeClock(v.Minutes)
		if err != nil {
			return nil, err
		}
		v = TextOf(text)
	} else if v.Kind != KindText || s.Form != Plain {
		return nil, &TypeError{Given: v.String(), Expected: s.Expected()}
	}
	if len(v.Str) > s.Bytes() {
		return nil, fmt.Errorf("%q is longer than %d bytes", v.Str, s.Bytes())
	}
	if slices.Contains(s.NoText, strings.TrimSpace(v.Str)) {
		return nil, fmt.Errorf("%q is what the device uses for no value", v.Str)
	}
	if !printable(v.Str) {
		return nil, fmt.Errorf("%q has characters that cannot be printed", v.Str)
	}
	raw := v.Str + strings.Repeat("\x00", 2*s.Length-len(v.Str))
	words := make([]uint16, s.Length)
	for i := range words {
		if s.Mask != 0 {
			words[i] = uint16(raw[i]) << s.textShift()
			continue
		}
		words[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		if s.Order.lowByteFirst() {
			words[i] = words[i]<<8 | words[i]>>8
		}
	}
	return words, nil
}
