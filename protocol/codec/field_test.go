package codec_test

import (
	"slices"
	"testing"

	"solarhub/protocol/codec"
)

// words of registers as the devices of public reports hold them.
func TestDevicesAsTheyAre(t *testing.T) {
	flagged := codec.Spec{Form: codec.TimePacked, Mask: 0x1FFF}
	pair := codec.Spec{Type: codec.U32, Form: codec.TimePair}
	text := func(n int) codec.Spec { return codec.Spec{Type: codec.Text, Length: n} }
	blank := codec.Spec{Type: codec.Text, Length: 2, NoText: []string{"N/A", "----"}}
	for name, test := range map[string]struct {
		spec  codec.Spec
		words []uint16
		want  codec.Value // the zero Value: no value, whatever the reason
	}{
		"name with leftovers":   {text(5), []uint16{0x2056, 0x4E53, 0x4533, 0x002D, 0x3000}, codec.TextOf("VNSE3")},
		"serial with leftovers": {text(5), []uint16{0x5445, 0x5354, 0x3030, 0x0041, 0x4243}, codec.TextOf("TEST00")},
		"bytes swapped": {codec.Spec{Type: codec.Text, Length: 3, Order: codec.BADC},
			[]uint16{0x4554, 0x5453, 0x4100}, codec.TextOf("TEST")},
		"words are not swapped": {codec.Spec{Type: codec.Text, Length: 2, Order: codec.CDAB},
			[]uint16{0x4142, 0x4344}, codec.TextOf("ABCD")},
		"blanks around":     {text(4), []uint16{0x2020, 0x4142, 0x0D0A, 0x2000}, codec.TextOf("AB")},
		"nothing before 0":  {text(2), []uint16{0x0041, 0x4243}, codec.Value{}},
		"text for no value": {blank, []uint16{0x4E2F, 0x4120}, codec.Value{}},
		"another for it":    {blank, []uint16{0x2D2D, 0x2D2D}, codec.Value{}},

		"flags beside a time": {flagged, []uint16{0xAE1E}, codec.TimeOf(14*60 + 30)},
		"mode beside a time":  {flagged, []uint16{0x2E1E}, codec.TimeOf(14*60 + 30)},
		"only flags":          {flagged, []uint16{0xA000}, codec.TimeOf(0)},
		"all bits":            {flagged, []uint16{0xFFFF}, codec.Value{}},
		"hour, minute":        {pair, []uint16{23, 30}, codec.TimeOf(23*60 + 30)},
		"99 as the hour":      {pair, []uint16{99, 0}, codec.Value{}},
		"99 as the minute":    {pair, []uint16{5, 99}, codec.Value{}},
		"all bits of a pair":  {pair, []uint16{0xFFFF, 0xFFFF}, codec.Value{}},
		"blank slot":          {codec.Spec{Form: codec.TimeDecimal}, []uint16{6000}, codec.Value{}},
		"60 minutes":          {codec.Spec{Form: codec.TimeDecimal}, []uint16{60}, codec.Value{}},
		"minutes of the day":  {codec.Spec{Form: codec.TimeMinutes}, []uint16{1439}, codec.TimeOf(1439)},
		"no minute of it":     {codec.Spec{Form: codec.TimeMinutes}, []uint16{0xFFFF}, codec.Value{}},
		"time listed as none": {codec.Spec{Form: codec.TimePacked, NoValue: []codec.RawRange{{From: 0, To: 0}}},
			[]uint16{0}, codec.Value{}},

		"magnitude of two words": {codec.Spec{Type: codec.M32, Scale: 0.1}, []uint16{0x8000, 1002},
			codec.Number(-100.2)},
		"low word first": {codec.Spec{Type: codec.M32, Order: codec.CDAB}, []uint16{979, 0x8000},
			codec.Number(-979)},
		"number of a serial": {codec.Spec{Type: codec.U32}, []uint16{0x7EF6, 0x8A21}, codec.Number(2130086433)},

		"pac at dawn": {codec.Spec{Type: codec.U32, NoValue: []codec.RawRange{{From: 0xFFFFFFFF, To: 0xFFFFFFFF},
			{From: 0x80000000, To: 0x80000000}}}, []uint16{0x8000, 0}, codec.Value{}},
		"temperature at dawn": {codec.Spec{Type: codec.S16, NoValue: []codec.RawRange{{From: 0x7FFF, To: 0x8000}}},
			[]uint16{0x8000}, codec.Value{}},
		"float by words in the wrong order": {codec.Spec{Type: codec.F32}, []uint16{0, 0x4366}, codec.Value{}},
		"zero in any order":                 {codec.Spec{Type: codec.F32}, []uint16{0, 0}, codec.Number(0)},
		"-1 is -1":                          {codec.Spec{Type: codec.S16}, []uint16{0xFFFF}, codec.Number(-1)},
		"0 is neither on nor off": {codec.Spec{Form: codec.BoolForm, On: 0xAA, Off: 0x55}, []uint16{0},
			codec.Value{}},
	} {
		got := test.spec.Decode(test.words)
		if test.want.Kind == codec.KindNone && got.Kind != codec.KindNone ||
			test.want.Kind != codec.KindNone && got != test.want {
			t.Errorf("%s: %04X is %v, want %v", name, test.words, got, test.want)
		}
	}
	for name, test := range map[string]struct {
		spec       codec.Spec
		value      codec.Value
		held, want []uint16
	}{
		"flags stay":        {flagged, codec.TimeOf(6*60 + 5), []uint16{0xAE1E}, []uint16{0xA605}},
		"one write of both": {pair, codec.TimeOf(5 * 60), []uint16{23, 30}, []uint16{5, 0}},
		"magnitude": {codec.Spec{Type: codec.M32, Scale: 0.1}, codec.Number(-100.2), nil,
			[]uint16{0x8000, 1002}},
		"off": {codec.Spec{Form: codec.BoolForm, On: 0xAA, Off: 0x55}, codec.BoolOf(false), nil, []uint16{0x55}},
		"swapped float": {codec.Spec{Type: codec.F32, Order: codec.CDAB}, codec.Number(30000), nil,
			[]uint16{0x6000, 0x46EA}},
	} {
		if got, err := test.spec.Encode(test.value, test.held); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v becomes %04X, %v; want %04X", name, test.value, got, err, test.want)
		}
	}
	if words, err := blank.Encode(codec.TextOf("N/A "), nil); err == nil {
		t.Errorf("the text for no value is written: %04X", words)
	}
}
