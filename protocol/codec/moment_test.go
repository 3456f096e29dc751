package codec

import (
	"slices"
	"testing"
	"time"
)

// TestMoments: the words of the clock of a device. The first are those that a Deye inverter holds in 62 to 64.
func TestMoments(t *testing.T) {
	tests := []struct {
		form  Form
		words []uint16
		text  string
	}{
		{MomentPacked, []uint16{0x1A09, 0x0D14, 0x0714}, "2026-09-13 20:07:20"},
		{MomentPacked, []uint16{0x1806, 0x0209, 0x0711}, "2024-06-02 09:07:17"},
		{MomentSwapped, []uint16{0x0819, 0x0D01, 0x2914}, "2025-08-01 13:20:41"},
		{MomentWords, []uint16{26, 9, 13, 20, 7, 20}, "2026-09-13 20:07:20"},
		{MomentFullYear, []uint16{2026, 2, 28, 23, 59, 59}, "2026-02-28 23:59:59"},
		{MomentReversed, []uint16{20, 7, 20, 13, 9, 26}, "2026-09-13 20:07:20"},
		{EpochForm, []uint16{0x6AA5, 0xB058}, "2026-09-12 20:04:40"},
	}
	for _, tt := range tests {
		s := Spec{Type: Text, Form: tt.form, Length: len(tt.words)}
		if tt.form == EpochForm {
			s = Spec{Type: U32, Form: tt.form}
		}
		if got := s.Decode(tt.words); got != TextOf(tt.text) || !s.IsMoment() || s.IsNumber() {
			t.Errorf("%v decodes to %v (%s), want %s", tt.words, got, got.Str, tt.text)
		}
		words, err := s.Encode(TextOf(tt.text), nil)
		if err != nil || !slices.Equal(words, tt.words) {
			t.Errorf("%s encodes to %v, %v, want %v", tt.text, words, err, tt.words)
		}
		if _, err := s.Encode(Number(1), nil); err == nil {
			t.Error("a number is taken for a moment")
		}
	}
}

// TestWordsThatAreNoMoment: a clock that was never set, a day that does not exist, a byte beyond its field.
func TestWordsThatAreNoMoment(t *testing.T) {
	for _, words := range [][]uint16{{0, 0, 0}, {0x1A0D, 0x0D14, 0x0714}, {0x1A02, 0x1E14, 0x0714},
		{0x1A09, 0x0D18, 0x0714}, {0xFFFF, 0xFFFF, 0xFFFF}} {
		s := Spec{Type: Text, Form: MomentPacked, Length: 3}
		if got := s.Decode(words); got.Kind != KindNone || got.Str == "" {
			t.Errorf("%v is %v", words, got)
		}
	}
	s := Spec{Type: Text, Form: MomentPacked, Length: 3}
	if _, err := s.Encode(TextOf("1999-12-31 23:59:59"), nil); err == nil {
		t.Error("a year of the last century is written")
	}
}

// TestEveryMomentReadsBack goes through a century in odd steps.
func TestEveryMomentReadsBack(t *testing.T) {
	end := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	for at := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC); at.Before(end); at = at.Add(1234567 * time.Second) {
		for _, form := range []Form{MomentPacked, MomentSwapped, MomentWords, MomentFullYear, MomentReversed} {
			s := Spec{Type: Text, Form: form, Length: MomentLength(form)}
			v := TextOf(at.Format(time.DateTime))
			if words, err := s.Encode(v, nil); err != nil || s.Decode(words) != v {
				t.Fatalf("%v in form %d: %v, %v", v, form, words, err)
			}
		}
	}
}
