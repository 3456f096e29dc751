package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"solarhub/protocol/codec"
)

var (
	modes   = []codec.Option{{Raw: 0, Name: "Selling first"}, {Raw: 2, Name: "Zero export"}}
	lithium = []codec.Option{{Raw: 2, Name: "lithium", Label: "Lithium", Fixed: true},
		{Raw: 3, Name: "lithium", Label: "Lithium, new"}, {Raw: 4, Name: "none", Label: "None", Fixed: true}}
)

func TestDecode(t *testing.T) {
	tests := []struct {
		name  string
		spec  codec.Spec
		words []uint16
		want  codec.Value
	}{
		{"unsigned", codec.Spec{}, []uint16{65535}, codec.Number(65535)},
		{"signed", codec.Spec{Type: codec.S16}, []uint16{0xFFFF}, codec.Number(-1)},
		{"scale without noise", codec.Spec{Scale: 0.1}, []uint16{3}, codec.Number(0.3)},
		{"offset", codec.Spec{Scale: 0.1, Offset: -100}, []uint16{1253}, codec.Number(25.3)},
		{"high word first", codec.Spec{Type: codec.U32}, []uint16{0xAABB, 0xCCDD}, codec.Number(0xAABBCCDD)},
		{"low word first", codec.Spec{Type: codec.U32, Order: codec.CDAB}, []uint16{0xCCDD, 0xAABB},
			codec.Number(0xAABBCCDD)},
		{"low byte first", codec.Spec{Type: codec.U32, Order: codec.BADC}, []uint16{0xBBAA, 0xDDCC},
			codec.Number(0xAABBCCDD)},
		{"all reversed", codec.Spec{Type: codec.U32, Order: codec.DCBA}, []uint16{0xDDCC, 0xBBAA},
			codec.Number(0xAABBCCDD)},
		{"a real total", codec.Spec{Type: codec.U32, Order: codec.CDAB, Scale: 0.1}, []uint16{53548, 0},
			codec.Number(5354.8)},
		{"signed 32", codec.Spec{Type: codec.S32, Scale: 0.1}, []uint16{0xFFFF, 0xD8DC}, codec.Number(-1002)},
		{"signed 64", codec.Spec{Type: codec.S64}, []uint16{0xFFFF, 0xFFFF, 0xFFFF, 0xFFFE}, codec.Number(-2)},
		{"unsigned 64", codec.Spec{Type: codec.U64}, []uint16{0, 1, 0, 0}, codec.Number(1 << 32)},
		{"float", codec.Spec{Type: codec.F32}, []uint16{0x3DCC, 0xCCCD}, codec.Number(0.1)},
		{"double", codec.Spec{Type: codec.F64}, []uint16{0x3FB9, 0x9999, 0x9999, 0x999A}, codec.Number(0.1)},
		{"masked signed", codec.Spec{Type: codec.S16, Mask: 0x0F00}, []uint16{0xAF55}, codec.Number(-1)},
		{"option", codec.Spec{Form: codec.OptionForm, Options: modes}, []uint16{2}, codec.OptionOf("Zero export")},
		{"on under a mask", codec.Spec{Form: codec.BoolForm, Mask: 0x30, On: 3, Off: 2}, []uint16{0xFF3F},
			codec.BoolOf(true)},
		{"off under a mask", codec.Spec{Form: codec.BoolForm, Mask: 0x30, On: 3, Off: 2}, []uint16{0x0020},
			codec.BoolOf(false)},
		{"packed time", codec.Spec{Form: codec.TimePacked}, []uint16{23<<8 | 59}, codec.TimeOf(23*60 + 59)},
		{"decimal time", codec.Spec{Form: codec.TimeDecimal}, []uint16{2359}, codec.TimeOf(23*60 + 59)},
		{"swapped time", codec.Spec{Form: codec.TimeSwapped}, []uint16{59<<8 | 23}, codec.TimeOf(23*60 + 59)},
		{"BCD time", codec.Spec{Form: codec.TimeBCD}, []uint16{0x2359}, codec.TimeOf(23*60 + 59)},
		{"hour and minute", codec.Spec{Type: codec.U32, Form: codec.TimePair}, []uint16{6, 30}, codec.TimeOf(390)},
		{"minute and hour", codec.Spec{Type: codec.U32, Order: codec.CDAB, Form: codec.TimePair}, []uint16{30, 6},
			codec.TimeOf(390)},
		{"ASCII time", codec.Spec{Type: codec.Text, Length: 2, Form: codec.TimeASCII}, []uint16{0x3036, 0x3330},
			codec.TimeOf(390)},
		{"ASCII time with a colon", codec.Spec{Type: codec.Text, Length: 3, Form: codec.TimeASCII},
			[]uint16{0x3036, 0x3A33, 0x3000}, codec.TimeOf(390)},
		{"version", codec.Spec{Form: codec.VersionForm, Version: []int{8, 8}}, []uint16{0x0104}, codec.TextOf("1.4")},
		{"version of three", codec.Spec{Type: codec.U32, Form: codec.VersionForm, Version: []int{4, 12, 16}},
			[]uint16{0x2003, 9}, codec.TextOf("2.3.9")},
		{"moment", codec.Spec{Type: codec.U32, Form: codec.EpochForm}, []uint16{0x6A17, 0x9F28},
			codec.TextOf("2026-05-28 01:49:28")},
		{"sign and magnitude", codec.Spec{Type: codec.M16, Scale: 0.1}, []uint16{0x8001}, codec.Number(-0.1)},
		{"magnitude", codec.Spec{Type: codec.M16}, []uint16{0x7FFF}, codec.Number(32767)},
		{"signed byte", codec.Spec{Type: codec.S16, Mask: 0xFF00}, []uint16{0xFE01}, codec.Number(-2)},
		{"power of ten", codec.Spec{ScaleWord: true}, []uint16{1234, 0xFFFE}, codec.Number(12.34)},
		{"power of ten and scale", codec.Spec{Type: codec.S32, Scale: -0.001, ScaleWord: true},
			[]uint16{0, 50, 3}, codec.Number(-50)},
		{"one of several with a name", codec.Spec{Form: codec.OptionForm, Options: lithium}, []uint16{3},
			codec.OptionOf("lithium")},
		{"labels of bits", codec.Spec{Form: codec.BitsForm, Options: lithium}, []uint16{0x000C},
			codec.TextOf("Lithium, Lithium, new")},
		{"beside a range of no values", codec.Spec{NoValue: []codec.RawRange{{From: 0xFFF0, To: 0xFFFF}}},
			[]uint16{0xFFEF}, codec.Number(0xFFEF)},
		{"bits", codec.Spec{Form: codec.BitsForm, Options: []codec.Option{{Raw: 1, Name: "Fan"}}}, []uint16{0x0082},
			codec.TextOf("Fan, bit 7")},
		{"no bits", codec.Spec{Form: codec.BitsForm}, []uint16{0}, codec.TextOf("none")},
		{"text", codec.Spec{Type: codec.Text, Length: 3}, []uint16{0x4142, 0x4300, 0x2000}, codec.TextOf("ABC")},
		{"text, a character in each low byte", codec.Spec{Type: codec.Text, Length: 3, Mask: 0xFF},
			[]uint16{0x41, 0x42, 0}, codec.TextOf("AB")},
		{"text, a character in each high byte", codec.Spec{Type: codec.Text, Length: 2, Mask: 0xFF00},
			[]uint16{0x4100, 0x4200}, codec.TextOf("AB")},
		{"text, low byte first", codec.Spec{Type: codec.Text, Length: 1, Order: codec.BADC}, []uint16{0x4241},
			codec.TextOf("AB")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.spec.Decode(test.words); got != test.want {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}

func TestNoValueIsNeverANumber(t *testing.T) {
	tests := map[string]struct {
		spec  codec.Spec
		words []uint16
		why   string
	}{
		"pattern": {codec.Spec{NoValue: []codec.RawRange{{From: 0xFFFF, To: 0xFFFF}}}, []uint16{0xFFFF},
			"0xFFFF"},
		"too few words":  {codec.Spec{Type: codec.U32}, []uint16{1}, "1 words instead of 2"},
		"neither on nor": {codec.Spec{Form: codec.BoolForm, Mask: 3, On: 3, Off: 2}, []uint16{1}, "1"},
		"25 o'clock":     {codec.Spec{Form: codec.TimePacked}, []uint16{25 << 8}, "6400"},
		"24:01 decimal":  {codec.Spec{Form: codec.TimeDecimal}, []uint16{2401}, "2401"},
		"25:00 packed":   {codec.Spec{Form: codec.TimePacked}, []uint16{0x1900}, "6400"},
		"12:60":          {codec.Spec{Form: codec.TimeDecimal}, []uint16{1260}, "1260"},
		"not a number":   {codec.Spec{Type: codec.F32}, []uint16{0x7FC0, 0}, "finite"},
		"infinite":       {codec.Spec{Type: codec.F64}, []uint16{0x7FF0, 0, 0, 0}, "finite"},
		"from a range": {codec.Spec{NoValue: []codec.RawRange{{From: 7, To: 7}, {From: 0xFFF0, To: 0xFFFF}}},
			[]uint16{0xFFF3}, "0xFFF3"},
		"no scale":  {codec.Spec{ScaleWord: true}, []uint16{1, 0x8000}, "scale 0x8000"},
		"odd scale": {codec.Spec{ScaleWord: true}, []uint16{1, 11}, "the power of ten 11"},
		"none scaled": {codec.Spec{ScaleWord: true, NoValue: []codec.RawRange{{From: 0xFFFF, To: 0xFFFF}}},
			[]uint16{0xFFFF, 0}, "0xFFFF"},
		"BCD of letters": {codec.Spec{Form: codec.TimeBCD}, []uint16{0x0A00}, "2560"},
		"60 hours":       {codec.Spec{Type: codec.U32, Form: codec.TimePair}, []uint16{0x100, 30}, "no time"},
		"ASCII 25:00": {codec.Spec{Type: codec.Text, Length: 2, Form: codec.TimeASCII}, []uint16{0x3235, 0x3030},
			"25:00"},
		"no moment":   {codec.Spec{Type: codec.U64, Form: codec.EpochForm}, []uint16{1, 0, 0, 0}, "no moment"},
		"blank text":  {codec.Spec{Type: codec.Text, Length: 1}, []uint16{0}, "no text"},
		"binary text": {codec.Spec{Type: codec.Text, Length: 2}, []uint16{0x4101, 0x4142}, "no text"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := test.spec.Decode(test.words)
			if got.Kind != codec.KindNone || !strings.Contains(got.Str, test.why) || got.Any() != nil ||
				got.String() != "unknown" {
				t.Errorf("got %+v (%v), want no value because of %q", got, got.Any(), test.why)
			}
		})
	}
}

func TestLongTextsAreCut(t *testing.T) {
	spec := codec.Spec{Type: codec.U64, Form: codec.BitsForm}
	for bit := range uint64(64) {
		spec.Options = append(spec.Options, codec.Option{Raw: bit, Name: "a fault with a name"})
	}
	got := spec.Decode([]uint16{0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF})
	if n := len([]rune(got.Str)); n != codec.MaxText || !strings.HasSuffix(got.Str, "…") {
		t.Errorf("got %d characters: %s", n, got.Str)
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := map[string]struct {
		spec  codec.Spec
		value codec.Value
		want  string
	}{
		"above": {codec.Spec{Scale: 0.1}, codec.Number(6553.6),
			"6553.6 is outside 0 to 6553.5, what the register can hold"},
		"below": {codec.Spec{}, codec.Number(-1), "-1 is outside 0 to 65535, what the register can hold"},
		"signed": {codec.Spec{Type: codec.S16}, codec.Number(32768),
			"32768 is outside -32768 to 32767, what the register can hold"},
		"off grid": {codec.Spec{Scale: 0.1}, codec.Number(0.25),
			"0.25 lies between two steps of the register, each 0.1"},
		"big float": {codec.Spec{Type: codec.F32}, codec.Number(1e39), "1e+39 does not fit into 32 bits"},
		"mask":      {codec.Spec{Mask: 0x30}, codec.Number(4), "4 is outside 0 to 3, what the register can hold"},
		"part alone": {codec.Spec{Mask: 0x30}, codec.Number(2),
			"the words the device holds now are needed to change a part of them"},
		"kind": {codec.Spec{}, codec.BoolOf(true), "on is not a number"},
		"option": {codec.Spec{Form: codec.OptionForm, Options: modes}, codec.OptionOf("x"),
			`"x" is none of Selling first, Zero export`},
		"long text": {codec.Spec{Type: codec.Text, Length: 1}, codec.TextOf("abc"),
			`"abc" is longer than 2 bytes`},
		"long narrow text": {codec.Spec{Type: codec.Text, Length: 1, Mask: 0xFF}, codec.TextOf("ab"),
			`"ab" is longer than 1 bytes`},
		"odd text": {codec.Spec{Type: codec.Text, Length: 2}, codec.TextOf("\x00\xFF"),
			`"\x00\xff" has characters that cannot be printed`},
		"no text": {codec.Spec{Type: codec.Text, Length: 2}, codec.Number(1),
			"1 is not a text of at most 4 bytes"},
		"fixed option": {codec.Spec{Form: codec.OptionForm, Options: lithium}, codec.OptionOf("none"),
			`"none" is none of lithium`},
		"magnitude": {codec.Spec{Type: codec.M16}, codec.Number(-32768),
			"-32768 is outside -32767 to 32767, what the register can hold"},
		"scale unknown": {codec.Spec{ScaleWord: true}, codec.Number(1),
			"the power of ten that the device holds now is needed to write a number"},
		"version": {codec.Spec{Form: codec.VersionForm}, codec.TextOf("1.4"), "1.4 is not writable: it is a version"},
		"moment":  {codec.Spec{Form: codec.EpochForm}, codec.TextOf("x"), "x is not writable: it is a date and time"},
		"set of bits": {codec.Spec{Form: codec.BitsForm}, codec.TextOf("Fan"),
			"Fan is not writable: it is a set of bits"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if words, err := test.spec.Encode(test.value, nil); err == nil || err.Error() != test.want {
				t.Errorf("got %v, %v; want %s", words, err, test.want)
			}
		})
	}
}

func TestFloatNoiseIsSnapped(t *testing.T) {
	for _, f := range []float64{3299.9999999999995, 3300.0000000000005} {
		words, err := codec.Spec{}.Encode(codec.Number(f), nil)
		if err != nil || words[0] != 3300 {
			t.Errorf("%v: got %v, %v", f, words, err)
		}
	}
	// int(value/scale) puts a third of these one step low.
	for n := range 1000 {
		words, err := codec.Spec{Scale: 0.1}.Encode(codec.Number(float64(n)/10), nil)
		if err != nil || int(words[0]) != n {
			t.Fatalf("%v: got %v, %v", float64(n)/10, words, err)
		}
	}
}

func TestPartKeepsTheRest(t *testing.T) {
	spec := codec.Spec{Form: codec.BoolForm, Mask: 0x0030, On: 3, Off: 2}
	words, err := spec.Encode(codec.BoolOf(true), []uint16{0xAAEA})
	if err != nil || words[0] != 0xAAFA {
		t.Errorf("got %04X, %v", words, err)
	}
	if !spec.Partial() || !reflect.DeepEqual(spec.CompareMask(), []uint16{0x30}) {
		t.Errorf("partial %v, mask %04X", spec.Partial(), spec.CompareMask())
	}
	wide := codec.Spec{Type: codec.U32, Order: codec.CDAB, Mask: 0x00FF0000}
	if !reflect.DeepEqual(wide.CompareMask(), []uint16{0, 0xFF}) {
		t.Errorf("mask of two words: %04X", wide.CompareMask())
	}
	text := codec.Spec{Type: codec.Text, Length: 2}
	if text.Partial() || !reflect.DeepEqual(text.CompareMask(), []uint16{0xFFFF, 0xFFFF}) {
		t.Errorf("text: partial %v, mask %04X", text.Partial(), text.CompareMask())
	}
}

func TestParse(t *testing.T) {
	number, onOff := codec.Spec{}, codec.Spec{Form: codec.BoolForm, On: 1}
	at, mode := codec.Spec{Form: codec.TimePacked}, codec.Spec{Form: codec.OptionForm, Options: modes}
	clock := codec.Spec{Type: codec.Text, Length: 3, Form: codec.TimeASCII}
	tests := []struct {
		spec  codec.Spec
		given any
		want  codec.Value
		err   string
	}{
		{number, 5.0, codec.Number(5), ""},
		{number, " 5.5 ", codec.Number(5.5), ""},
		{number, "abc", codec.Value{}, `"abc" is not a number`},
		{number, "0x10", codec.Value{}, `"0x10" is not a number`},
		{number, math.NaN(), codec.Value{}, "NaN is not a number"},
		{number, nil, codec.Value{}, "nothing is not a number"},
		{number, true, codec.Value{}, "true is not a number"},
		{onOff, true, codec.BoolOf(true), ""},
		{onOff, "off", codec.BoolOf(false), ""},
		{onOff, "yes", codec.Value{}, `"yes" is not on or off`},
		{at, "23:05", codec.TimeOf(1385), ""},
		{at, "23:05:00", codec.TimeOf(1385), ""},
		{at, "23:05:01", codec.Value{}, `"23:05:01" is not a time of day as HH:MM`},
		{at, "3:05", codec.Value{}, `"3:05" is not a time of day as HH:MM`},
		{at, "24:01", codec.Value{}, `"24:01" is not a time of day as HH:MM`},
		{clock, "23:05", codec.TimeOf(1385), ""},
		{clock, "x", codec.Value{}, `"x" is not a time of day as HH:MM`},
		{codec.Spec{Form: codec.OptionForm, Options: lithium}, "none", codec.Value{}, `"none" is none of lithium`},
		{mode, "Zero export", codec.OptionOf("Zero export"), ""},
		{mode, "zero export", codec.Value{}, `"zero export" is none of Selling first, Zero export`},
		{mode, 2.0, codec.Value{}, "2 is not one of Selling first, Zero export"},
		{codec.Spec{Type: codec.Text, Length: 4}, "abc", codec.TextOf("abc"), ""},
		{codec.Spec{Type: codec.Text, Length: 4}, 4.0, codec.Value{}, "4 is not a text of at most 8 bytes"},
	}
	for _, test := range tests {
		got, err := test.spec.Parse(test.given)
		if text := message(err); got != test.want || text != test.err {
			t.Errorf("%v: got %+v, %q; want %+v, %q", test.given, got, text, test.want, test.err)
		}
	}
	var option *codec.OptionError
	if _, err := mode.Parse("x"); !errors.As(err, &option) || len(option.Options) != 2 {
		t.Errorf("an unknown option is %T", err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestStrings(t *testing.T) {
	for want, v := range map[string]codec.Value{
		"75": codec.Number(75), "0.3": codec.Number(0.3), "0": codec.Number(math.Copysign(0,
			-1)), "on": codec.BoolOf(true),
		"off": codec.BoolOf(false), "00:05": codec.TimeOf(5), "x": codec.TextOf("x"), "unknown": codec.None("why"),
		"100000000000000000000000": codec.Number(1e23),
	} {
		if v.String() != want {
			t.Errorf("got %q, want %q", v.String(), want)
		}
	}
	if data, _ := json.Marshal([]any{codec.Number(75).Any(), codec.TimeOf(65).Any(), codec.None("").Any(),
		codec.BoolOf(true).Any()}); string(data) != `[75,"01:05",null,true]` {
		t.Errorf("a host gets %s", data)
	}
}

func TestStoredFormIsLossFree(t *testing.T) {
	for _, v := range []codec.Value{codec.Number(0.1), codec.None("why"), codec.TextOf("ü"), codec.OptionOf("a"),
		codec.BoolOf(true), codec.TimeOf(1439)} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back codec.Value
		if err := json.Unmarshal(data, &back); err != nil || back != v {
			t.Errorf("%s: got %+v, %v", data, back, err)
		}
	}
	for _, bad := range []string{`{"kind":9}`, `{"kind":5,"minutes":1441}`, `7`} {
		var v codec.Value
		if json.Unmarshal([]byte(bad), &v) == nil {
			t.Errorf("%s was accepted as %+v", bad, v)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), uint8(0), uint8(0), uint64(0), []byte{1, 2})
	f.Add(uint8(codec.Text), uint8(3), uint8(0), uint64(0xFF), []byte{0, 0, 0x41})
	f.Add(uint8(0), uint8(0), uint8(0x80), uint64(0), []byte{1, 2, 0, 1})
	f.Fuzz(func(t *testing.T, kind, order, form uint8, mask uint64, data []byte) {
		spec := codec.Spec{Type: codec.Type(kind % 10), Order: codec.Order(order % 4), Form: codec.Form(form % 12),
			Mask: mask, Length: len(data) / 2, Options: modes, Version: []int{8, 8}, ScaleWord: form&0x80 != 0}
		if spec.Mask<<(64-16*min(max(spec.Words(), 1), 4)) == 0 {
			spec.Mask = 0 // a mask beside the register is refused by the profile
		}
		var words []uint16
		for i := 0; i+1 < len(data); i += 2 {
			words = append(words, uint16(data[i])<<8|uint16(data[i+1]))
		}
		if v := spec.Decode(words); v.Kind == codec.KindNumber && (math.IsNaN(v.Num) || math.IsInf(v.Num, 0)) {
			t.Errorf("%+v %04X became %v", spec, words, v.Num)
		}
	})
}
