package sim

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// Source of the example: every paper about Modbus ASCII.
func TestNextASCII(t *testing.T) {
	const read = ":1103006B00037E\r\n"
	for _, tt := range []struct {
		name        string
		given       string
		silent      bool
		noise, size int
	}{
		{"nothing", "", false, 0, 0},
		{"a part", read[:9], false, 0, 0},
		{"a part, then silence", read[:9], true, 0, 0},
		{"half of its end", read[:16], false, 0, 0},
		{"a carriage return, then silence", read[:16], true, 0, 16},
		{"a line feed", strings.Replace(read, "\r", "", 1), false, 0, 16},
		{"a read", read, false, 0, 17},
		{"two", read + read, false, 0, 17},
		{"lower case", strings.ToLower(read), false, 0, 17},
		{"noise in front", "\xFF\n01" + read, false, 4, 17},
		{"only noise", "\r\n0103", false, 6, 0},
		{"begun anew", ":1103" + read, false, 5, 17},
		{"a wrong LRC", ":1103006B00037F\r\n", false, 17, 0},
		{"a wrong LRC in front", ":1103006B00037F\r\n" + read, false, 17, 17},
		{"no digits", ":11x3006B00037E\r\n", false, 17, 0},
		{"an odd number of digits", ":1103006B00037\r\n", false, 16, 0},
		{"too little", ":1111\r\n", false, 7, 0},
		{"too much", ":" + strings.Repeat("00", 256) + "\r\n", false, 515, 0},
	} {
		f, noise, size, err := ASCII.next([]byte(tt.given), tt.silent)
		if noise != tt.noise || size != tt.size || err != nil {
			t.Errorf("%s: noise %d and size %d, not %d and %d", tt.name, noise, size, tt.noise, tt.size)
		} else if size > 0 && (f.unit != 0x11 || !bytes.Equal(f.pdu, pdu(3, 0x6B, 3))) {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
	if got := ASCII.encode(frame{unit: 0x11, pdu: pdu(3, 0x6B, 3)}); string(got) != read {
		t.Errorf("%q", got)
	}
}

// On a paced line each character takes its time, and no silence is waited for: 17 and 17 characters of 10 bits.
func TestASCIIKeepsThePace(t *testing.T) {
	serial := serial9600
	serial.ASCII = true
	line := NewLine(Options{Serial: &serial}, newUnit(1))
	bubble(t, line, ASCII, func(t *testing.T, c client) {
		begun := time.Now()
		c.send(ASCII.encode(frame{unit: 1, pdu: pdu(6, 5, 77)}))
		var got []byte
		for b := make([]byte, 100); len(got) < 17; {
			n, err := c.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, b[:n]...)
		}
		want := 34 * 10 * time.Second / 9600
		if took := time.Since(begun); string(got) != ":01060005004DA7\r\n" || took.Round(time.Microsecond) !=
			want.Round(time.Microsecond) {
			t.Errorf("%q in %v, not %v", got, took, want)
		}
	})
}

func FuzzNextASCII(f *testing.F) {
	f.Add([]byte(":1103006B00037E\r\n"))
	f.Add([]byte(":1103:006B00037E\r"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, silent := range []bool{false, true} {
			req, noise, size, err := ASCII.next(b, silent)
			if err != nil || noise+size > len(b) {
				t.Fatalf("%q: %d, %d, %v", b, noise, size, err)
			}
			if size == 0 {
				continue
			}
			text := strings.TrimRight(string(b[noise:noise+size]), "\r\n") + "\r\n"
			if got := ASCII.encode(req); !strings.EqualFold(string(got), text) {
				t.Errorf("%q: %q", b, got)
			}
		}
	})
}
