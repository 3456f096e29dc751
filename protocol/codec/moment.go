package codec

import (
	"fmt"
	"time"
)

// IsMoment reports whether the value is a date with a time of day, as a device's clock holds it. It is shown as a text:
// "2026-09-13 20:07:20", and that of an EpochForm in UTC.
func (s Spec) IsMoment() bool {
	switch s.Form {
	case MomentPacked, MomentSwapped, MomentWords, MomentFullYear, MomentReversed, EpochForm:
		return true
	}
	return false
}

// MomentLength returns how many registers a form of a moment takes; 0 where the type says it.
func MomentLength(form Form) int {
	switch form {
	case MomentPacked, MomentSwapped:
		return 3
	case MomentWords, MomentFullYear, MomentReversed:
		return 6
	}
	return 0
}

// century is what a year of two digits counts from.
const century = 2000

// decodeMoment reads year, month, day, hour, minute and second from bytes or registers.
func (s Spec) decodeMoment(words []uint16) Value {
	var f [6]int
	for i := range f {
		switch s.Form {
		case MomentPacked:
			f[i] = int(words[i/2] >> (8 - 8*(i%2)) & 0xFF)
		case MomentSwapped:
			f[i] = int(words[i/2] >> (8 * (i % 2)) & 0xFF)
		case MomentReversed:
			f[i] = int(words[5-i])
		default:
			f[i] = int(words[i])
		}
	}
	if f[0] < 100 {
		f[0] += century
	}
	at := time.Date(f[0], time.Month(f[1]), f[2], f[3], f[4], f[5], 0, time.UTC)
	same := at.Year() == f[0] && int(at.Month()) == f[1] && at.Day() == f[2] &&
		at.Hour() == f[3] && at.Minute() == f[4] && at.Second() == f[5]
	if !same || f[0] < century || f[0] >= century+100 {
		return None(fmt.Sprintf("the device holds %d, which is no date with a time", words))
	}
	return TextOf(at.Format(time.DateTime))
}

// encodeMoment is the inverse, and that of decodeEpoch.
func (s Spec) encodeMoment(v Value) ([]uint16, error) {
	at, err := time.Parse(time.DateTime, v.Str)
	if v.Kind != KindText || err != nil {
		return nil, &TypeError{Given: v.String(), Expected: s.Expected()}
	}
	words := make([]uint16, s.Words())
	if s.Form == EpochForm {
		if at.Unix() < 0 || uint64(at.Unix()) > s.AllBits() {
			return nil, fmt.Errorf("%v does not fit into the registers", v)
		}
		s.split(words, uint64(at.Unix()))
		return words, nil
	}
	if at.Year() < century || at.Year() >= century+100 {
		return nil, fmt.Errorf("%v is not in this century, and the registers hold no other", v)
	}
	f := [6]int{at.Year(), int(at.Month()), at.Day(), at.Hour(), at.Minute(), at.Second()}
	if s.Form != MomentFullYear {
		f[0] -= century
	}
	for i, n := range f {
		switch s.Form {
		case MomentPacked:
			words[i/2] |= uint16(n) << (8 - 8*(i%2))
		case MomentSwapped:
			words[i/2] |= uint16(n) << (8 * (i % 2))
		case MomentReversed:
			words[5-i] = uint16(n)
		default:
			words[i] = uint16(n)
		}
	}
	return words, nil
}
