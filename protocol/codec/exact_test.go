package codec_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"solarhub/protocol/codec"
)

// The edges of every width: the last number that fits comes back, the next is refused and not wrapped around.
func TestEdgesOfTheTypes(t *testing.T) {
	type edge struct {
		spec  codec.Spec
		value float64
		fits  bool
	}
	edges := []edge{
		{codec.Spec{}, 65535, true}, {codec.Spec{}, 65536, false}, {codec.Spec{}, -1, false},
		{codec.Spec{Type: codec.S16}, -32768, true}, {codec.Spec{Type: codec.S16}, -32769, false},
		{codec.Spec{Type: codec.S16}, 32768, false},
		{codec.Spec{Type: codec.U32}, math.MaxUint32, true}, {codec.Spec{Type: codec.U32}, 1 << 32, false},
		{codec.Spec{Type: codec.S32}, math.MinInt32, true}, {codec.Spec{Type: codec.S32}, math.MaxInt32 + 1, false},
		{codec.Spec{Type: codec.U64}, 1 << 53, true}, {codec.Spec{Type: codec.U64}, 1<<53 + 2, false},
		{codec.Spec{Type: codec.U64}, 1 << 64, false}, {codec.Spec{Type: codec.U64}, 1e300, false},
		{codec.Spec{Type: codec.S64}, -1 << 53, true}, {codec.Spec{Type: codec.S64}, -1<<53 - 2, false},
		{codec.Spec{Type: codec.S64}, 1 << 63, false},
		{codec.Spec{Type: codec.F32}, 3.4028235e38, true}, {codec.Spec{Type: codec.F32}, 2 * math.MaxFloat32, false},
		{codec.Spec{Type: codec.F32}, 1.1754944e-38, true},
		{codec.Spec{Type: codec.F64}, math.MaxFloat64, true}, {codec.Spec{Type: codec.F64, Scale: 0.1}, math.MaxFloat64,
			false},
		{codec.Spec{Type: codec.U64, Mask: 1<<63 - 1}, 1 << 63, false},
		{codec.Spec{Type: codec.S64, Mask: 0xFFFF_FFFF_FFFF_FFF0}, -1 << 53, true},
		{codec.Spec{Type: codec.S64, Mask: 0xFFFF_FFFF_FFFF_FFF0}, 1 << 59, false},
		{codec.Spec{Scale: -0.1}, -6553.5, true}, {codec.Spec{Scale: -0.1}, 0.1, false},
	}
	for _, e := range edges {
		words, err := e.spec.Encode(codec.Number(e.value), make([]uint16, 4)[:e.spec.Words()])
		if (err == nil) != e.fits {
			t.Errorf("%+v %v: got %04X, %v", e.spec, e.value, words, err)
			continue
		}
		if got := e.spec.Decode(words); e.fits && got != codec.Number(e.value) {
			t.Errorf("%+v: %v became %04X and %v", e.spec, e.value, words, got)
		}
	}
}

func TestEncodeRefusesWhatIsNoValue(t *testing.T) {
	kind := func(k codec.Kind, v codec.Value) codec.Value { v.Kind = k; return v }
	for _, c := range []struct {
		spec  codec.Spec
		value codec.Value
		want  string
	}{
		{codec.Spec{}, kind(codec.KindNumber, codec.Value{Num: math.NaN()}),
			"NaN is not a number that a register can hold"},
		{codec.Spec{Type: codec.F64}, kind(codec.KindNumber, codec.Value{Num: math.Inf(1)}),
			"+Inf is not a number that a register can hold"},
		{codec.Spec{}, codec.None("the device is silent"), "unknown is not a number"},
		{codec.Spec{Form: codec.TimePacked}, codec.TimeOf(1441), "1441 minutes since midnight are no time of day"},
		{codec.Spec{Form: codec.TimeDecimal}, codec.TimeOf(-1), "-1 minutes since midnight are no time of day"},
		{codec.Spec{NoValue: []codec.RawRange{{From: 0xFFFF, To: 0xFFFF}}}, codec.Number(65535),
			"65535 would be held as 0xFFFF, which the device uses for no value"},
		{codec.Spec{Type: codec.S32, NoValue: []codec.RawRange{{From: 0xFFFF_FFFF, To: 0xFFFF_FFFF}}}, codec.Number(-1),
			"-1 would be held as 0xFFFFFFFF, which the device uses for no value"},
		{codec.Spec{Scale: -1}, codec.Number(1), "1 is outside -65535 to 0, what the register can hold"},
		{codec.Spec{Scale: -0.5}, codec.Number(-0.3), "-0.3 lies between two steps of the register, each 0.5"},
		{codec.Spec{Form: codec.OptionForm, Mask: 0x30, Options: []codec.Option{{Raw: 4, Name: "x"}}},
			codec.OptionOf("x"), "x does not fit into the mask 0x30"},
		{codec.Spec{Form: codec.OptionForm, Mask: 0x8000, Options: []codec.Option{{Raw: 1 << 62, Name: "x"}}},
			codec.OptionOf("x"), "x does not fit into the mask 0x8000"},
		{codec.Spec{Form: codec.BoolForm, On: 1 << 16}, codec.BoolOf(true), "on does not fit into the mask 0xFFFF"},
		{codec.Spec{Mask: 1 << 20}, codec.Number(1), "1 is outside 0 to 0, what the register can hold"},
		{codec.Spec{Type: codec.S64, Mask: 0b1101001}, codec.Number(-61), "-61 does not fit into the mask 0x69"},
		{codec.Spec{Mask: 0b101}, codec.Number(2), "2 does not fit into the mask 0x5"},
		{codec.Spec{Type: codec.Text, Length: 2}, codec.TextOf("a\x00b"),
			`"a\x00b" has characters that cannot be printed`},
		{codec.Spec{Type: codec.Text, Length: 2}, codec.TextOf("a\n"),
			`"a\n" has characters that cannot be printed`},
		{codec.Spec{Mask: 0xF, Type: codec.U32}, codec.Number(1),
			"the words the device holds now are needed to change a part of them"},
	} {
		words, err := c.spec.Encode(c.value, []uint16{1})
		if message(err) != c.want {
			t.Errorf("%+v %+v: got %04X, %v, want %s", c.spec, c.value, words, err, c.want)
		}
	}
}

// A mask beside the register leaves nothing of it; that must not keep the line busy for ever.
func TestMaskBesideTheRegister(t *testing.T) {
	spec := codec.Spec{Mask: 1 << 20}
	if got := spec.Decode([]uint16{0xFFFF}); got != codec.Number(0) {
		t.Errorf("got %v", got)
	}
	if got := spec.CompareMask(); !reflect.DeepEqual(got, []uint16{0}) {
		t.Errorf("mask %04X", got)
	}
}

// Between two neighbours of the grid everything is refused but float noise, also where numbers are large.
func TestGrid(t *testing.T) {
	for _, c := range []struct {
		spec  codec.Spec
		value float64
		raw   uint64 // 0: refused
	}{
		{codec.Spec{Scale: 0.01}, 52.37, 5237},
		{codec.Spec{Scale: 0.01}, 52.370000009, 5237},
		{codec.Spec{Scale: 0.01}, 52.3701, 0},
		{codec.Spec{Scale: 0.01}, 52.375, 0},
		{codec.Spec{Scale: 0.1, Offset: -100}, 25.3, 1253},
		{codec.Spec{Scale: 0.1, Offset: 1000}, 1000.1, 1},
		{codec.Spec{Scale: 10}, 1230, 123},
		{codec.Spec{Scale: 10}, 1235, 0},
		{codec.Spec{Type: codec.U32, Scale: 0.1}, 429496729.5, math.MaxUint32},
		{codec.Spec{Type: codec.U32, Scale: 0.1}, 429496729.45, 0},
		{codec.Spec{Type: codec.U64}, 1e12, 1e12},
		{codec.Spec{Type: codec.U64}, 1e12 + 0.1, 0},
		{codec.Spec{Type: codec.U64}, 1e15 + 0.5, 0},
		{codec.Spec{Type: codec.U64, Scale: 0.001}, 123456789012.345, 123456789012345},
	} {
		words, err := c.spec.Encode(codec.Number(c.value), nil)
		var raw uint64
		for _, w := range words {
			raw = raw<<16 | uint64(w)
		}
		if raw != c.raw || (err == nil) != (c.raw != 0) {
			t.Errorf("%+v %v: got %d, %v, want %d", c.spec, c.value, raw, err, c.raw)
		}
	}
}

func TestScaledFloatsHaveNoNoise(t *testing.T) {
	for _, c := range []struct {
		spec codec.Spec
		raw  float64
		want float64
	}{
		{codec.Spec{Type: codec.F64, Scale: 0.1}, 3, 0.3},
		{codec.Spec{Type: codec.F64, Scale: 0.001}, 1234567.891, 1234.567891},
		{codec.Spec{Type: codec.F64, Offset: 0.1}, 0.2, 0.3},
		{codec.Spec{Type: codec.F64}, 0.1 + 0.2, 0.1 + 0.2}, // what the device says is not touched
		{codec.Spec{Type: codec.F64, Scale: -1}, 0, 0},
	} {
		plain := codec.Spec{Type: c.spec.Type}
		words, err := plain.Encode(codec.Number(c.raw), nil)
		if got := c.spec.Decode(words); err != nil || got != codec.Number(c.want) || math.Signbit(got.Num) {
			t.Errorf("%+v %v: got %v, %v, want %v", c.spec, c.raw, got, err, c.want)
		}
	}
	words, _ := codec.Spec{Type: codec.F64}.Encode(codec.Number(math.MaxFloat64), nil)
	if got := (codec.Spec{Type: codec.F64, Scale: 10}).Decode(words); got.Kind != codec.KindNone {
		t.Errorf("ten times the largest float is %v", got)
	}
	if words, err := (codec.Spec{Type: codec.F32, Scale: -1}).Encode(codec.Number(0), nil); err != nil ||
		words[0] != 0 {
		t.Errorf("zero is held as %04X, %v", words, err)
	}
}

func TestDecimals(t *testing.T) {
	for _, c := range []struct {
		spec codec.Spec
		want int
	}{{codec.Spec{}, 0}, {codec.Spec{Scale: 0.1}, 1}, {codec.Spec{Scale: 0.01, Offset: 0.5},
		2}, {codec.Spec{Scale: 1, Offset: -12.345}, 3},
		{codec.Spec{Scale: 100}, 0}, {codec.Spec{Scale: -0.001}, 3}, {codec.Spec{Type: codec.F32, Scale: 0.1}, -1}} {
		if got := c.spec.Decimals(); got != c.want {
			t.Errorf("%+v: %d, want %d", c.spec, got, c.want)
		}
	}
}

// roundForms are the forms that can be written.
var roundForms = []codec.Form{codec.Plain, codec.OptionForm, codec.BoolForm, codec.TimePacked, codec.TimeDecimal,
	codec.TimeSwapped, codec.TimePair, codec.TimeASCII, codec.TimeBCD, codec.TimeMinutes}

// What is decoded encodes to the same words, for every type, order, form, scale and mask; what has no value is no
// value.
func TestEveryFormComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := codec.Spec{
			Type:   codec.Type(rapid.IntRange(int(codec.U16), int(codec.M32)).Draw(t, "type")),
			Order:  codec.Order(rapid.IntRange(0, 3).Draw(t, "order")),
			Form:   rapid.SampledFrom(roundForms).Draw(t, "form"),
			Length: rapid.IntRange(1, 20).Draw(t, "length"),
			Off:    2, On: 3, Options: []codec.Option{{Raw: 0, Name: "a"}, {Raw: 1, Name: "b"}, {Raw: 5, Name: "c"}},
		}
		float := spec.Type == codec.F32 || spec.Type == codec.F64
		magnitude := spec.Type == codec.M16 || spec.Type == codec.M32
		switch {
		case spec.Form == codec.TimeASCII:
			spec.Type, spec.Length = codec.Text, rapid.IntRange(2, 3).Draw(t, "clock")
		case spec.Form == codec.TimePair:
			spec.Type = codec.U32
		case spec.Type == codec.Text || float || magnitude:
			spec.Form = codec.Plain
		}
		if (spec.Type < codec.F32 || magnitude) && spec.Form != codec.TimePair &&
			rapid.Bool().Draw(t, "masked") {
			spec.Mask = rapid.SampledFrom([]uint64{0x000F, 0x0FF0, 0xFF00, 0xFFFF, 0x8000}).Draw(t, "mask")
		}
		if spec.Form == codec.Plain && (spec.Type < codec.U64 || magnitude) {
			spec.ScaleWord = rapid.Bool().Draw(t, "scale word")
			spec.Scale = rapid.SampledFrom([]float64{0, 0.001, 0.01, 0.1, 1, 10}).Draw(t, "scale")
			spec.Offset = rapid.SampledFrom([]float64{0, -100, 12.5}).Draw(t, "offset")
		}
		words := make([]uint16, spec.Words())
		for i := range words {
			words[i] = rapid.OneOf(rapid.Just(uint16(0)), rapid.Uint16Range(0, 7), rapid.Uint16Range(0, 2400),
				rapid.Uint16(),
				rapid.Custom(func(t *rapid.T) uint16 {
					return rapid.Uint16Range(0x2121, 0x7E21).Draw(t,
						"text")
				})).Draw(t, "word")
		}
		if spec.ScaleWord {
			words[len(words)-1] = uint16(rapid.IntRange(-3, 3).Draw(t, "power"))
		}
		if spec.IsTime() && rapid.Bool().Draw(t, "a time") {
			if time, err := spec.Encode(codec.TimeOf(rapid.IntRange(0, 1439).Draw(t, "minutes")), words); err == nil {
				words = time
			}
		}
		v := spec.Decode(words)
		if v.Kind == codec.KindNone {
			if v.Str == "" || v.Any() != nil {
				t.Fatalf("%+v %04X: no value without a reason: %+v", spec, words, v)
			}
			return
		}
		if v.Kind == codec.KindNumber && math.Abs(v.Num) > 1<<53 && !float {
			if words, err := spec.Encode(v, words); err == nil {
				t.Fatalf("%+v: %v cannot be written for sure, but became %04X", spec, v, words)
			}
			return
		}
		if v.Kind == codec.KindNumber && v.Num-spec.Offset == 0 && (float || magnitude) {
			return // there are two zeros, and one value
		}
		back, err := spec.Encode(v, words)
		if err != nil {
			t.Fatalf("%+v: %04X decodes to %v, which is refused: %v", spec, words, v, err)
		}
		if again := spec.Decode(back); again != v {
			t.Fatalf("%+v: %04X decodes to %v, which becomes %04X and %v", spec, words, v, back, again)
		}
		if spec.Type != codec.Text && !reflect.DeepEqual(back, words) { // a text may have blanks around it
			t.Fatalf("%+v: %04X decodes to %v, which becomes %04X", spec, words, v, back)
		}
		for i, mask := range spec.CompareMask() {
			if back[i]&^mask != words[i]&^mask {
				t.Fatalf("%+v: %04X became %04X beside the mask", spec, words, back)
			}
		}
		if parsed, err := spec.Parse(v.Any()); err != nil || parsed != v {
			t.Fatalf("%+v: a host that got %v hands it back as %v, %v", spec, v.Any(), parsed, err)
		}
	})
}

// A text ends at its first NUL or 0xFF, whatever the device left behind it, and is UTF-8.
func TestTextsEnd(t *testing.T) {
	for raw, want := range map[string]string{
		"AB\x00\x00": "AB", "AB  ": "AB", "AB\xFF\xFF": "AB", "AB\x00\xFF": "AB", "  AB": "AB", "A B\x00": "A B",
		"AB\xFE\xFE": "", "A\x00B\x00": "A", "SN12\x00\x07\x1B\xC0": "SN12", "\x00XYZ": "", "AB\xFFCDE": "AB",
		"AB \x00":  "AB",
		"\xFF\xFF": "", "A\x7F": "", "\xC3\xBC": "ü", "S\xC3\xBCd\x00\x00": "Süd", "Dach S\xC3": "Dach S", "\xC3A": "",
		"\xE2\x80\xAE": "",
	} {
		words := make([]uint16, (len(raw)+1)/2)
		for i, c := range []byte(raw) {
			words[i/2] |= uint16(c) << (8 * (1 - i%2))
		}
		got := codec.Spec{Type: codec.Text, Length: len(words)}.Decode(words)
		if want == "" && got.Kind != codec.KindNone || want != "" && got != codec.TextOf(want) {
			t.Errorf("%q: got %+v, want %q", raw, got, want)
		}
	}
	long := codec.Spec{Type: codec.Text, Length: 128}
	words, err := long.Encode(codec.TextOf(strings.Repeat("x", 256)), nil)
	if got := long.Decode(words); err != nil || got.Str != strings.Repeat("x", codec.MaxText-1)+"…" {
		t.Errorf("got %d characters, %v", len(got.Str), err)
	}
}

func TestParseSpellings(t *testing.T) {
	for given, want := range map[string]string{
		"5": "5", "-0.50": "-0.5", "1e3": "1000", "+7": "7", "": "", "Inf": "", "nan": "", "1_000": "", "0x1p3": "",
		"5 kW": "", "1e999": "", "1,5": "",
	} {
		v, err := codec.Spec{}.Parse(given)
		if want == "" && err == nil || want != "" && (err != nil || v.String() != want) {
			t.Errorf("%q: got %v, %v", given, v, err)
		}
	}
	for _, given := range []any{"", "12", "12:60", "-1:00", "12:00:00.5", "12:00+01:00", 720.0, nil, false} {
		if v, err := (codec.Spec{Form: codec.TimePacked}).Parse(given); err == nil {
			t.Errorf("%v became %v", given, v)
		}
	}
	for _, given := range []any{"ON", "", 1.0, nil, []any{}} {
		if v, err := (codec.Spec{Form: codec.BoolForm}).Parse(given); err == nil {
			t.Errorf("%v became %v", given, v)
		}
	}
	_, err := codec.Spec{Form: codec.BitsForm}.Parse("Fan")
	if message(err) != `"Fan" is not writable: it is a set of bits` {
		t.Error(err)
	}
}

// FuzzEncode hands any number to any spec: it is refused, or it is held so that it reads as the number asked for.
func FuzzEncode(f *testing.F) {
	f.Add(uint8(0), uint8(0), 0.1, 0.0, uint64(0), 3.3)
	f.Add(uint8(codec.S64), uint8(2), 1.0, 0.0, uint64(0), -9.3e18)
	f.Add(uint8(codec.U32), uint8(1), -0.001, 12.5, uint64(0xFF0000), 1e6)
	f.Fuzz(func(t *testing.T, kind, order uint8, scale, offset float64, mask uint64, value float64) {
		if !(math.Abs(scale) > 1e-6 && math.Abs(scale) < 1e6 && math.Abs(offset) < 1e6) {
			return // no profile scales by more
		}
		spec := codec.Spec{Type: codec.Type(kind % 6), Order: codec.Order(order % 4), Scale: scale, Offset: offset,
			Mask: mask}
		words, err := spec.Encode(codec.Value{Kind: codec.KindNumber, Num: value}, make([]uint16, spec.Words()))
		if err != nil {
			return
		}
		got := spec.Decode(words)
		// A quarter of a step, and what floats of this size cannot tell apart.
		if d := math.Abs(got.Num - value); got.Kind != codec.KindNumber ||
			d > math.Abs(scale)/4*1.0001+(math.Abs(value)+math.Abs(offset))*1e-12 {
			t.Errorf("%+v: %v became %04X, which is %v", spec, value, words, fmt.Sprint(got))
		}
	})
}

// A whole number that a float cannot hold is shown with all its digits, handed to a host as one, and told from its
// neighbour.
func TestLargeNumbersKeepTheirDigits(t *testing.T) {
	for _, c := range []struct {
		spec  codec.Spec
		words []uint16
		text  string
		host  any
	}{
		{codec.Spec{Type: codec.U64}, []uint16{0x20, 0, 0, 0}, "9007199254740992", float64(1 << 53)},
		{codec.Spec{Type: codec.U64}, []uint16{0x20, 0, 0, 1}, "9007199254740993", int64(1<<53 + 1)},
		{codec.Spec{Type: codec.U64}, []uint16{0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF}, "18446744073709551615",
			uint64(math.MaxUint64)},
		{codec.Spec{Type: codec.S64}, []uint16{0x8000, 0, 0, 1}, "-9223372036854775807", int64(-math.MaxInt64)},
		{codec.Spec{Type: codec.S64, Scale: 1}, []uint16{0xFFDF, 0xFFFF, 0xFFFF, 0xFFFF}, "-9007199254740993",
			int64(-1<<53 - 1)},
	} {
		v := c.spec.Decode(c.words)
		if v.String() != c.text || v.Any() != c.host {
			t.Errorf("%04X: %v, for a host %v (%[3]T), want %s", c.words, v, v.Any(), c.text)
		}
		next := slices.Clone(c.words)
		next[3] ^= 2
		if c.spec.Decode(next) == v {
			t.Errorf("%04X and %04X are both %v", c.words, next, v)
		}
		if n, ok := v.Uint(); ok != (v.Num >= 0) || ok && fmt.Sprint(n) != c.text {
			t.Errorf("%v is %d, %v", v, n, ok)
		}
	}
}

// A window can end at 24:00, which GivEnergy's paper allows.
func TestEndOfDay(t *testing.T) {
	for form, raw := range map[codec.Form]uint16{codec.TimeDecimal: 2400, codec.TimePacked: 0x1800} {
		spec := codec.Spec{Form: form}
		v, err := spec.Parse("24:00")
		words, wrong := spec.Encode(v, nil)
		if err != nil || wrong != nil || words[0] != raw || spec.Decode(words).Any() != "24:00" {
			t.Errorf("%d is %v, %v, and becomes %v, %v", raw, spec.Decode([]uint16{raw}), err, words, wrong)
		}
	}
}
