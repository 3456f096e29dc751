package profile

import (
	"math"
	"math/bits"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// forms are the keys that say what a raw number means. A point has one of them at most.
var forms = []string{"options", "bool", "time", "bits"}

// timeWords name the two ways in which one register holds a time of day.
var timeWords = []string{"packed", "decimal"}

// spec reads how the registers of a point or field become a value. A coil or discrete input is one bit.
func (l *loader) spec(f fields, bit bool) codec.Spec {
	s := codec.Spec{Order: codec.Order(f.choice("order", codec.OrderNames(), int(l.defaults.order)))}
	s.Type = codec.Type(f.choice("type", codec.TypeNames(), int(codec.U16)))
	if bit {
		f.refuse("a coil or discrete input is one bit", "type", "length", "order", "mask", "scale", "offset",
			"no_value", "time", "bits", "options", "unit",
			"precision", "state")
		s = codec.Spec{Form: codec.BoolForm, On: 1}
	}
	l.length(f, &s)
	l.mask(f, &s)
	s.NoValue = l.noValue(f, s)
	var given []string
	for _, form := range forms {
		if f.has(form) {
			given = append(given, form)
		}
	}
	if len(given) > 1 {
		f.fail(given[1], "%s beside %s: a point has one of %s", given[1], given[0], joinWords(forms))
		return s
	}
	if len(given) == 1 && !bit || f.has("bool") {
		l.form(f, given[0], &s)
	}
	l.scale(f, &s)
	return s
}

func (l *loader) length(f fields, s *codec.Spec) {
	if s.Type != codec.Text {
		f.refuse("only a text has a length", "length")
		return
	}
	s.Length = 1
	f.need("length")
	s.Length = int(f.natural("length", 1, protocol.MaxReadRegisters, 1))
	f.refuse("a text has only a length and an order", "mask", "scale", "offset", "unit", "precision", "state",
		"no_value", "options", "bool", "time", "bits")
}

func (l *loader) mask(f fields, s *codec.Spec) {
	if !f.has("mask") || s.Type == codec.Text {
		return
	}
	if s.Type.Float() {
		f.fail("mask", "mask with %s: a float has no parts", s.Type)
		return
	}
	mask := f.natural("mask", 1, s.AllBits(), s.AllBits())
	if !contiguous(mask) {
		f.fail("mask", "mask 0x%04X has a gap between its bits", mask)
	}
	s.Mask = mask
}

func (l *loader) noValue(f fields, s codec.Spec) []codec.RawRange {
	var patterns []codec.RawRange
	if s.Type == codec.Text {
		return nil
	}
	for _, n := range f.list("no_value") {
		if raw, ok := n.Uint(s.AllBits()); ok {
			patterns = append(patterns, codec.RawRange{From: raw, To: raw})
		}
	}
	return patterns
}

func (l *loader) form(f fields, form string, s *codec.Spec) {
	if s.Type == codec.Text {
		return
	}
	if s.Type.Float() {
		f.fail(form, "%s with %s: it needs a whole number", form, s.Type)
		return
	}
	f.refuse("a number has it, "+form+" has not", "scale", "offset", "unit", "precision", "state")
	switch form {
	case "options":
		s.Form, s.Options = codec.OptionForm, l.options(f, "options", s.Largest(), "raw number")
	case "bits":
		s.Form, s.Options = codec.BitsForm, l.options(f, "bits", uint64(bits.Len64(s.Largest()))-1, "bit")
	case "bool":
		l.onOff(f.group("bool", "bool"), s)
	case "time":
		s.Form = []codec.Form{codec.TimePacked, codec.TimeDecimal}[f.choice("time", timeWords, 0)]
		if s.Type != codec.U16 || s.Mask != 0 {
			f.fail("time", "time: it takes one whole register, u16 without mask")
		}
	}
}

func (l *loader) onOff(f fields, s *codec.Spec) {
	s.Form = codec.BoolForm
	s.On = f.natural("on", 0, s.Largest(), 1)
	s.Off = f.natural("off", 0, s.Largest(), 0)
	if s.On == s.Off {
		f.fail("off", "on and off are both %d", s.On)
	}
}

// options reads the name of each raw number. No name may appear twice: a write could not tell the two apart.
func (l *loader) options(f fields, key string, high uint64, what string) []codec.Option {
	var options []codec.Option
	names, raws := map[string]uint64{}, map[uint64]bool{}
	entries := f.entries(key)
	for _, e := range entries {
		raw, ok := parseNatural(e.Key.Raw())
		if ok != nil || raw > high {
			e.Key.Fail("%s %q is not a whole number from 0 to %d", what, e.Key.Raw(), high)
			continue
		}
		if raws[raw] {
			e.Key.Fail("%s %d stands here twice", what, raw)
		}
		raws[raw] = true
		name := textOf(e.Value)
		if other, taken := names[name]; taken {
			e.Value.Fail("%q stands for %d and for %d", name, other, raw)
		} else if len(name) > maxOption {
			e.Value.Fail("the name of %s %d is longer than %d bytes", what, raw, maxOption)
		}
		names[name] = raw
		options = append(options, codec.Option{Raw: raw, Name: name})
	}
	if len(entries) == 0 {
		f.fail(key, "%s: at least one is needed", key)
	}
	return options
}

// maxOption is the longest name of an option, in bytes: well below the 255 characters of a state in the host.
const maxOption = 100

// rawKey reads a key of a mapping as a raw number that the register can hold.
func (l *loader) rawKey(e strict.Entry, s codec.Spec) (uint64, bool) {
	raw, err := parseNatural(e.Key.Raw())
	if err != nil || raw > s.Largest() {
		e.Key.Fail("raw number %q is not a whole number from 0 to %d", e.Key.Raw(), s.Largest())
		return 0, false
	}
	return raw, true
}

func (l *loader) scale(f fields, s *codec.Spec) {
	if s.Type == codec.Text || s.Form != codec.Plain {
		return
	}
	s.Scale, s.Offset = f.number("scale", 1), f.number("offset", 0)
	if s.Scale == 0 || math.Abs(s.Scale) > 1e9 || math.Abs(s.Scale) < 1e-9 {
		f.fail("scale", "scale %s is 0 or beyond all reason", number(s.Scale))
		s.Scale = 1
	}
}

// contiguous reports whether a mask has bits, and no gap between them.
func contiguous(mask uint64) bool {
	m := mask >> bits.TrailingZeros64(mask)
	return mask != 0 && m&(m+1) == 0
}
