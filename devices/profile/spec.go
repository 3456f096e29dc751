package profile

import (
	"math"
	"math/bits"

	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// forms are the keys that say what a raw number means. A point has one of them at most.
var forms = []string{"options", "bool", "time", "bits", "version", "epoch", "datetime"}

// timeWords name the ways in which registers hold a time of day.
var (
	timeWords = []string{"packed", "decimal", "swapped", "hour_minute", "ascii", "bcd",
		"minutes"}
	timeForms = []codec.Form{codec.TimePacked, codec.TimeDecimal, codec.TimeSwapped, codec.TimePair, codec.TimeASCII,
		codec.TimeBCD, codec.TimeMinutes}
)

// momentWords name the ways in which registers hold a date with a time of day.
var (
	momentWords = []string{"packed", "swapped", "registers", "full_year", "reversed"}
	momentForms = []codec.Form{codec.MomentPacked, codec.MomentSwapped, codec.MomentWords, codec.MomentFullYear,
		codec.MomentReversed}
)

// narrow are the types that are one byte of a register, or a register that counts and holds 0 while it is not there.
var narrow = map[string]struct {
	is   codec.Type
	byte bool
	zero bool // 0 is no value
}{
	"u8": {codec.U16, true, false}, "s8": {codec.S16, true, false},
	"acc16": {codec.U16, false, true}, "acc32": {codec.U32, false, true}, "acc64": {codec.U64, false, true},
}

var typeWords = append(codec.TypeNames(), "u8", "s8", "acc16", "acc32", "acc64")

// spec reads how the registers of a point or field become a value. A coil or discrete input is one bit.
func (l *loader) spec(f fields, bit bool) codec.Spec {
	s := codec.Spec{Order: codec.Order(f.choice("order", codec.OrderNames(), int(l.defaults.order)))}
	l.typeOf(f, &s)
	if bit {
		f.refuse("a coil or discrete input is one bit", "type", "byte", "length", "order", "mask", "scale", "offset",
			"no_value", "time", "bits", "options", "version", "epoch", "datetime", "unit", "precision", "state")
		s = codec.Spec{Form: codec.BoolForm, On: 1}
	}
	if f.has("datetime") {
		l.moment(f, &s)
		return s
	}
	l.length(f, &s)
	l.mask(f, &s)
	l.noValue(f, &s)
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

// typeOf reads the type, and which byte of the register it is; of a text, which byte is a character.
func (l *loader) typeOf(f fields, s *codec.Spec) {
	word := typeWords[f.choice("type", typeWords, int(codec.U16))]
	n, special := narrow[word]
	if !special {
		s.Type = codec.Type(f.choice("type", typeWords, int(codec.U16)))
	} else if s.Type = n.is; n.zero {
		s.NoValue = []codec.RawRange{{}}
	}
	if n.byte {
		s.Mask = [...]uint64{0x00FF, 0xFF00}[f.choice("byte", []string{"low", "high"}, 0)]
		f.refuse("u8 and s8 are one byte already", "mask")
		return
	}
	if s.Type != codec.Text {
		f.refuse("only u8 and s8 are one byte, and each character of a text can be", "byte")
	} else if f.has("byte") {
		s.Mask = [...]uint64{0x00FF, 0xFF00}[f.choice("byte", []string{"low", "high"}, 0)]
	}
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
		"options", "bool", "bits", "version", "epoch", "scale_at")
}

func (l *loader) mask(f fields, s *codec.Spec) {
	if !f.has("mask") || s.Type == codec.Text || s.Mask != 0 {
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

// noValue reads raw numbers, and ranges of them: [0x7FFF, 0xFFF0..0xFFFF]; of a text, texts.
func (l *loader) noValue(f fields, s *codec.Spec) {
	if s.Type == codec.Text {
		s.NoText = texts(f, "no_value")
		return
	}
	if !f.has("no_value") {
		return
	}
	s.NoValue = nil
	for _, n := range f.list("no_value") {
		if !rangeForm.MatchString(n.Raw()) {
			if raw, ok := n.Uint(s.AllBits()); ok {
				s.NoValue = append(s.NoValue, codec.RawRange{From: raw, To: raw})
			}
			continue
		}
		if r, ok := rawRange(n.Raw()); ok && r.To <= s.AllBits() {
			s.NoValue = append(s.NoValue, r)
		} else {
			n.Fail("no_value: %q is not a range within 0..0x%X", n.Raw(), s.AllBits())
		}
	}
}

func (l *loader) form(f fields, form string, s *codec.Spec) {
	if s.Type == codec.Text && form != "time" {
		return
	}
	if s.Type.Float() {
		f.fail(form, "%s with %s: it needs a whole number", form, s.Type)
		return
	}
	f.refuse("a number has it, "+form+" has not", "scale", "offset", "unit", "precision", "state", "scale_at")
	switch form {
	case "options":
		s.Form, s.Options = codec.OptionForm, l.options(f, "options", s.Largest(), "raw number")
	case "bits":
		s.Form, s.Options = codec.BitsForm, l.options(f, "bits", uint64(bits.Len64(s.Largest()))-1, "bit")
	case "bool":
		l.onOff(f.group("bool", "bool"), s)
	case "time":
		l.timeOf(f, s)
	case "version":
		l.version(f, s)
	case "epoch":
		if s.Form = codec.EpochForm; s.Words() < 2 || s.Mask != 0 || !f.boolean("epoch") {
			f.fail("epoch", "epoch: true, of a u32 or u64 without mask")
		}
	}
}

// timeOf reads a time of day: in one register, as text, or in two registers.
func (l *loader) timeOf(f fields, s *codec.Spec) {
	s.Form = timeForms[f.choice("time", timeWords, 0)]
	fits, wanted := s.Type == codec.U16, "one register, u16"
	switch s.Form {
	case codec.TimePair:
		fits, wanted = s.Type == codec.U32 && s.Mask == 0, "two registers, u32 without mask"
	case codec.TimeASCII:
		fits, wanted = s.Type == codec.Text && (s.Length == 2 || s.Length == 3), "a text of 2 or 3 registers"
	}
	if !fits {
		f.fail("time", "time: it takes %s", wanted)
	}
}

// moment reads a date with a time of day, whose form says how many registers it takes.
func (l *loader) moment(f fields, s *codec.Spec) {
	f.refuse("datetime says all of it", "type", "length", "order", "byte", "mask", "scale", "offset", "no_value",
		"options", "bool", "time", "bits", "version", "epoch", "scale_at", "unit", "precision", "state")
	s.Form = momentForms[f.choice("datetime", momentWords, 0)]
	s.Type, s.Order, s.Length = codec.Text, codec.ABCD, codec.MomentLength(s.Form)
}

// version reads the widths of the parts of a version, from high to low: [8, 8].
func (l *loader) version(f fields, s *codec.Spec) {
	s.Form = codec.VersionForm
	room := bits.Len64(s.Largest())
	for _, n := range f.list("version") {
		width, ok := n.Int(1, 64)
		if ok {
			s.Version = append(s.Version, int(width))
			room -= int(width)
		}
	}
	if room < 0 || len(s.Version) == 0 {
		f.fail("version", "version: the widths are %d bits more than the register has, or there are none", -room)
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

func (l *loader) scale(f fields, s *codec.Spec) {
	if s.Type == codec.Text || s.Form != codec.Plain {
		return
	}
	s.Scale, s.Offset = l.number(f, "scale", 1), l.number(f, "offset", 0)
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
