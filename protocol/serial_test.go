package protocol

import (
	"strings"
	"testing"
)

func TestParseSerial(t *testing.T) {
	for text, want := range map[string]Serial{
		"9600 8N1": DefaultSerial, "19200 8e2": {Baud: 19200, DataBits: 8, Parity: EvenParity, StopBits: 2},
		"115200 8O1": {Baud: 115200, DataBits: 8, Parity: OddParity, StopBits: 1},
	} {
		if got, err := ParseSerial(text); err != nil || got != want || !strings.EqualFold(got.String(), text) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"", "9600", "9600 8N", "9600 8N3", "9600 7N1", "9601 8N1", "9600  8N1", "09600 8N1",
		"99999999 8N1"} {
		if got, err := ParseSerial(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}
