package profile

import (
	"strings"
	"testing"
)

func TestCheckDeviceID(t *testing.T) {
	for _, id := range []string{"2106034567", "AB-12.34:5_6#7+", "SUN2000", "0001", strings.Repeat("A", maxID)} {
		if err := CheckDeviceID(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for id, want := range map[string]string{
		"AB/0000001": `'/' is not allowed`, "AB 1": "' ' is not allowed", "AB\t1": `'\t' is not allowed`,
		"Süd":    "'ü' is not allowed",
		"a\x00b": `'\x00' is not allowed`, "<b>": "'<' is not allowed", "": "nothing but zeros",
		"0000000000":                 "nothing but zeros",
		strings.Repeat("A", maxID+1): "it has 65 characters, more than 64",
	} {
		if err := CheckDeviceID(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", id, err, want)
		}
	}
}
