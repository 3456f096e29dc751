package codec

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Encode returns the words that hold v. For a point that is a part of its registers (Partial) current are the words the
// device holds now, and the bits outside the mask are taken from them. A value that is not on the register's grid or
// does not fit the type is an error: nothing is rounded (beyond the noise of floats), truncated or clamped.
func (s Spec) Encode(v Value, current []uint16) ([]uint16, error) {
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
	if s.Partial() {
		if len(current) != s.Words() {
			return nil, errors.New("the words the device holds now are needed to change a part of them")
		}
		raw |= s.join(current) &^ mask
	}
	return s.split(raw), nil
}

// encodeRaw returns the raw number before the mask's shift.
func (s Spec) encodeRaw(v Value) (uint64, error) {
	switch {
	case s.Form == Plain && v.Kind == KindNumber:
		return s.encodeNumber(v.Num)
	case s.Form == OptionForm && v.Kind == KindOption:
		for _, o := range s.Options {
			if o.Name == v.Str {
				return o.Raw, nil
			}
		}
		return 0, &OptionError{Given: v.Str, Options: s.OptionNames()}
	case s.Form == BoolForm && v.Kind == KindBool:
		if v.On {
			return s.On, nil
		}
		return s.Off, nil
	case s.Form == TimePacked && v.Kind == KindTime:
		return uint64(v.Minutes/60)<<8 | uint64(v.Minutes%60), nil
	case s.Form == TimeDecimal && v.Kind == KindTime:
		return uint64(v.Minutes/60*100 + v.Minutes%60), nil
	}
	return 0, &TypeError{Given: v.String(), Expected: s.Expected()}
}

func (s Spec) encodeNumber(f float64) (uint64, error) {
	raw := (f - s.Offset) / s.scale()
	switch s.Type {
	case F32:
		if math.Abs(raw) > math.MaxFloat32 {
			return 0, fmt.Errorf("%v does not fit into 32 bits", f)
		}
		return uint64(math.Float32bits(float32(raw))), nil
	case F64:
		return math.Float64bits(raw), nil
	}
	whole := math.Round(raw)
	if math.Abs(raw-whole) > max(gridNoise, math.Abs(raw)*1e-12) {
		return 0, fmt.Errorf("%v is not on the register's grid of %v", Number(f), Number(s.scale()))
	}
	low, high := s.limits()
	if whole < low || whole > high {
		return 0, fmt.Errorf("%v is outside %v to %v, what the register can hold", Number(f),
			Number(s.round(low*s.scale()+s.Offset)), Number(s.round(high*s.scale()+s.Offset)))
	}
	if s.signed() {
		return uint64(int64(whole)) & (s.mask() >> s.shift()), nil
	}
	return uint64(whole), nil
}

// gridNoise is how far, in steps of the register, a float may lie beside its grid: a host that converts units hands
// over 3299.9999999999995 for 3300.
const gridNoise = 1e-6

func (s Spec) encodeText(v Value) ([]uint16, error) {
	if v.Kind != KindText {
		return nil, &TypeError{Given: v.String(), Expected: s.Expected()}
	}
	if len(v.Str) > 2*s.Length {
		return nil, fmt.Errorf("%q is longer than %d characters", v.Str, 2*s.Length)
	}
	raw := v.Str + strings.Repeat("\x00", 2*s.Length-len(v.Str))
	words := make([]uint16, s.Length)
	for i := range words {
		if c := raw[2*i]; c > '~' || raw[2*i+1] > '~' {
			return nil, fmt.Errorf("%q has characters that are not ASCII", v.Str)
		}
		words[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		if s.Order == BADC || s.Order == DCBA {
			words[i] = words[i]<<8 | words[i]>>8
		}
	}
	return words, nil
}
