package sim

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

func TestFrame(t *testing.T) {
	req := frame{transaction: 0x1234, unit: 7}
	pdu := []byte{3, 2, 0, 42}
	for text, want := range map[string][]string{
		"":                             nil,
		"<tid> 0000 0004 01 83 02":     {"1234000000040183 02"},
		"<tid>0000<len><unit><pdu> FF": {"12340000000507030200 2aff"},
		"AA55 <reply>":                 {"aa55123400000005070302002a"},
		"01 04 02 | 03 01":             {"010402", "0301"},
		"01 83 04 <crc>":               {"01830440f3"},
		"A5*3 | 0102*2":                {"a5a5a5", "01020102"},
	} {
		f, err := ParseFrame(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		var got []string
		for _, part := range f.fill(TCP, req, pdu) {
			got = append(got, hex.EncodeToString(part))
		}
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], " ", "")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestFrameFindings(t *testing.T) {
	for _, text := range []string{"0", "xyz", "<who>", "01*0", "01*x", "01*-1", "01*5000", "01*4000 02*200"} {
		if _, err := ParseFrame(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestAFrameOfASilentUnit(t *testing.T) {
	f, _ := ParseFrame("01 <reply> <pdu>")
	if got := f.fill(TCP, frame{}, nil); !slices.EqualFunc(got, [][]byte{{1}}, slices.Equal) {
		t.Errorf("%x", got)
	}
}
