package codec

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Kind says which field of a Value counts.
type Kind uint8

// What a value can be. The zero Value is no value, without a reason.
const (
	KindNone     Kind = iota // no value; Str says why
	KindNumber               // Num; beyond 2^53, where a float loses digits, Str has them all
	KindText                 // Str; also a set of bits, joined by ", "
	KindOption               // Str is the option's name
	KindBool                 // On
	KindTime                 // Minutes since midnight, 0..1440: a day can end at 24:00
	KindUnlisted             // a raw number that is none of the options; Str is "10 (unknown)"
)

// Value is what a person sees of a point: a number, a text, an option, on or off, or a time of day. If there is none,
// it is explicitly no value, with a reason, and never 0. Compare values with ==.
type Value struct {
	Kind    Kind    `json:"kind"`
	Num     float64 `json:"num,omitempty"`
	Str     string  `json:"str,omitempty"`
	On      bool    `json:"on,omitempty"`
	Minutes int     `json:"minutes,omitempty"`
}

// None returns no value, with the reason.
func None(reason string) Value { return Value{Kind: KindNone, Str: reason} }

// Number returns a number, or no value if f is not finite.
func Number(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return None("not a finite number")
	}
	if f == 0 {
		f = 0 // a negative zero would be another value to ==, and "-0" to a person
	}
	return Value{Kind: KindNumber, Num: f}
}

// TextOf returns a text.
func TextOf(s string) Value { return Value{Kind: KindText, Str: s} }

// OptionOf returns an option by its name.
func OptionOf(name string) Value { return Value{Kind: KindOption, Str: name} }

// unlistedForm is what is shown of a raw number that is none of the options.
const unlistedForm = "%d (unknown)"

// UnlistedOf returns a raw number that is none of the options.
func UnlistedOf(raw uint64) Value {
	return Value{Kind: KindUnlisted, Str: fmt.Sprintf(unlistedForm, raw)}
}

// unlisted returns the raw number that UnlistedOf was given.
func unlisted(text string) (raw uint64, ok bool) {
	_, err := fmt.Sscanf(text, unlistedForm, &raw)
	return raw, err == nil && UnlistedOf(raw).Str == text
}

// Known reports whether it is a value that the profile knows.
func (v Value) Known() bool { return v.Kind != KindNone && v.Kind != KindUnlisted }

// BoolOf returns on or off.
func BoolOf(on bool) Value { return Value{Kind: KindBool, On: on} }

// TimeOf returns a time of day in minutes since midnight, 0..1440.
func TimeOf(minutes int) Value { return Value{Kind: KindTime, Minutes: minutes} }

// String returns the value as logs and errors show it; no value is "unknown".
func (v Value) String() string {
	switch v.Kind {
	case KindNumber:
		if v.Str != "" {
			return v.Str
		}
		return strconv.FormatFloat(v.Num, 'f', -1, 64)
	case KindText, KindOption, KindUnlisted:
		return v.Str
	case KindBool:
		if v.On {
			return "on"
		}
		return "off"
	case KindTime:
		return fmt.Sprintf("%02d:%02d", v.Minutes/60, v.Minutes%60)
	}
	return "unknown"
}

// Any returns the value as a host accepts it: float64, string, bool or nil, or an int64 or uint64 beyond 2^53. Its JSON
// has one spelling: a whole number has no decimal point.
func (v Value) Any() any {
	switch v.Kind {
	case KindNumber:
		return v.number()
	case KindText, KindOption, KindUnlisted, KindTime:
		return v.String()
	case KindBool:
		return v.On
	}
	return nil
}

// number returns Num, or the whole number that a float cannot hold.
func (v Value) number() any {
	if n, err := strconv.ParseInt(v.Str, 10, 64); err == nil {
		return n
	}
	if n, err := strconv.ParseUint(v.Str, 10, 64); err == nil {
		return n
	}
	return v.Num
}

// Uint returns a number that is whole and not negative, with all its digits.
func (v Value) Uint() (n uint64, ok bool) {
	if v.Kind != KindNumber {
		return 0, false
	}
	n, err := strconv.ParseUint(v.String(), 10, 64)
	return n, err == nil
}

// stored is a Value without methods, for the lossless form that the cache keeps.
type stored Value

// MarshalJSON writes the lossless form that UnmarshalJSON reads. A host gets Any instead.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(stored(v)) }

// UnmarshalJSON reads what MarshalJSON writes. It refuses what MarshalJSON never writes.
func (v *Value) UnmarshalJSON(data []byte) error {
	var s stored
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if s.Kind > KindUnlisted || s.Minutes < 0 || s.Minutes > 24*60 {
		return fmt.Errorf("stored value %s: kind or minutes out of range", data)
	}
	*v = Value(s)
	return nil
}
