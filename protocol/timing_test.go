package protocol

import (
	"strings"
	"testing"
	"time"
)

// The times of facts that can be worked out by hand: 10 bits for a character at 9600 8N1.
func TestTimingExchange(t *testing.T) {
	line := DefaultSerial
	for _, tt := range []struct {
		op     Op
		r      Range
		timing Timing
		want   time.Duration
	}{
		{Read, Range{Count: 100}, Timing{Serial: &line}, 229167 * time.Microsecond},
		{Read, Range{Count: 10}, Timing{Serial: &line}, 41667 * time.Microsecond},
		{Read, Range{Count: 10}, Timing{Serial: &line, Turnaround: 20 * time.Millisecond}, 61667 * time.Microsecond},
		{Read, Range{Count: 10}, Timing{Serial: &line, Gap: 300 * time.Millisecond}, 338021 * time.Microsecond},
		{Read, Range{Coil, 0, 17}, Timing{Serial: &line}, 23958 * time.Microsecond},
		{WriteSingle, Range{Count: 1}, Timing{Serial: &line}, 23958 * time.Microsecond},
		{WriteMultiple, Range{Count: 3}, Timing{Serial: &line}, 31250 * time.Microsecond},
		{Read, Range{Count: 100}, Timing{Turnaround: time.Millisecond}, 1020 * time.Microsecond},
	} {
		if got := tt.timing.Exchange(tt.op, tt.r); got.Round(time.Microsecond) != tt.want {
			t.Errorf("operation %d of %v: %v, want %v", tt.op, tt.r, got, tt.want)
		}
	}
}

func TestSerialCheck(t *testing.T) {
	for _, tt := range []struct {
		s    Serial
		want string
	}{
		{DefaultSerial, ""},
		{Serial{Baud: 115200, DataBits: 8, Parity: OddParity, StopBits: 2}, ""},
		{DefaultASCII, ""},
		{Serial{Baud: 9600, DataBits: 6, StopBits: 1, ASCII: true}, "6 data bits, ASCII has 7 or 8"},
		{Serial{Baud: 9601, DataBits: 8, StopBits: 1}, "baud 9601 is not one of [1200 "},
		{Serial{Baud: 9600, DataBits: 7, StopBits: 1}, "7 data bits, RTU has 8"},
		{Serial{Baud: 9600, DataBits: 8, Parity: 3, StopBits: 1}, "parity 3"},
		{Serial{Baud: 9600, DataBits: 8}, "0 stop bits, not 1 or 2"},
	} {
		err := tt.s.Check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.s, err)
		}
	}
}

// A read of two registers is 8 and 9 bytes in RTU, 17 and 19 characters of 10 bits in ASCII, with no silence between.
func TestTimingOfASCII(t *testing.T) {
	s := DefaultASCII
	if got, want := s.Chars(8), 17*10*time.Second/9600; got.Round(time.Microsecond) != want.Round(time.Microsecond) {
		t.Errorf("%v, not %v", got, want)
	}
	want := (17 + 19) * 10 * time.Second / 9600
	if got := (Timing{Serial: &s}).Exchange(Read, Range{Count: 2}); got.Round(10*time.Microsecond) !=
		want.Round(10*time.Microsecond) {
		t.Errorf("%v, not %v", got, want)
	}
}

func TestSilence(t *testing.T) {
	for baud, want := range map[int]time.Duration{
		9600: 3645833 * time.Nanosecond, 19200: 1822917 * time.Nanosecond, 38400: 1750 * time.Microsecond,
		115200: 1750 * time.Microsecond,
	} {
		got := Serial{Baud: baud, DataBits: 8, StopBits: 1}.Silence()
		if diff := got - want; diff < -time.Microsecond || diff > time.Microsecond {
			t.Errorf("%d baud: %v, want %v", baud, got, want)
		}
	}
}

// What an exchange takes by the model, less the silence behind it, has the model's turnaround in it.
func TestTurnaroundIn(t *testing.T) {
	r := Range{Count: 10}
	for _, tt := range []Timing{{Turnaround: 7 * time.Millisecond},
		{Serial: &DefaultSerial, Turnaround: 7 * time.Millisecond}} {
		latency := tt.Exchange(Read, r)
		if tt.Serial != nil {
			latency -= tt.Serial.Silence()
		}
		if got := tt.TurnaroundIn(Read, r, latency); got != tt.Turnaround {
			t.Errorf("%+v: %v", tt, got)
		}
	}
	if got := (Timing{}).TurnaroundIn(Read, r, 0); got != 0 {
		t.Error(got)
	}
}
