package protocol

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// Parity of a character on a serial line.
type Parity uint8

// The parities.
const (
	NoParity Parity = iota
	EvenParity
	OddParity
)

// Serial is the setting of a serial line. The zero value is not usable; DefaultSerial is.
type Serial struct {
	Baud     int // bits per second, 1200..921600
	DataBits int // 8 for RTU
	Parity   Parity
	StopBits int // 1 or 2
}

// DefaultSerial is 9600 8N1, what nearly every solar inverter is delivered with.
var DefaultSerial = Serial{Baud: 9600, DataBits: 8, Parity: NoParity, StopBits: 1}

// Check reports a setting that no RTU line has or that this system's ports cannot be set to.
func (s Serial) Check() error {
	if _, ok := bauds[s.Baud]; !ok {
		all := slices.Sorted(maps.Keys(bauds))
		return fmt.Errorf("baud %d is not one of %v; the nearest is %d", s.Baud, all, nearest(s.Baud, all))
	}
	if s.DataBits != 8 {
		return fmt.Errorf("%d data bits, RTU has 8", s.DataBits)
	}
	if s.Parity > OddParity {
		return fmt.Errorf("parity %d is none of none, even, odd", s.Parity)
	}
	if s.StopBits != 1 && s.StopBits != 2 {
		return fmt.Errorf("%d stop bits, not 1 or 2", s.StopBits)
	}
	return nil
}

// nearest returns the number of a list that lies nearest to n, of two the smaller.
func nearest(n int, sorted []int) int {
	return slices.MinFunc(sorted, func(a, b int) int { return cmp.Compare(max(a-n, n-a), max(b-n, n-b)) })
}

// String returns the usual short form: "9600 8N1".
func (s Serial) String() string {
	return fmt.Sprintf("%d %d%c%d", s.Baud, s.DataBits, "NEO"[s.Parity], s.StopBits)
}

// Chars returns the time that n characters take on the wire.
func (s Serial) Chars(n int) time.Duration {
	bits := 1 + s.DataBits + s.StopBits
	if s.Parity != NoParity {
		bits++
	}
	return time.Duration(math.Round(float64(n*bits) * 1e9 / float64(s.Baud)))
}

// Silence returns t3.5, the silence between frames: 3.5 characters, 1.75 ms above 19200 baud.
// Source: MODBUS over Serial Line V1.02, 2.5.1.1.
func (s Serial) Silence() time.Duration {
	if s.Baud > 19200 {
		return 1750 * time.Microsecond
	}
	return s.Chars(35) / 10
}

// WireChars returns the characters of the request and of the reply of an RTU exchange.
func WireChars(op Op, r Range) (request, reply int) {
	data := readBytes(r)
	switch op {
	case Read:
		return 8, 5 + data
	case WriteMultiple:
		return 9 + data, 8
	}
	return 8, 8
}

// Timing is the wire-time model of one device on one line: what an exchange costs.
type Timing struct {
	Serial     *Serial       // nil for Modbus TCP
	Turnaround time.Duration // from the end of the request to the first byte of the reply, and the network's round trip
	Gap        time.Duration // silence the device needs behind its reply; t3.5 counts where it is longer
}

// Exchange returns the time from the first byte of a request until the next request may start.
func (t Timing) Exchange(op Op, r Range) time.Duration {
	if t.Serial == nil {
		// 0.2 us per register: measured on TCP; it only breaks ties between plans.
		return t.Turnaround + t.Gap + time.Duration(r.Count)*200*time.Nanosecond
	}
	request, reply := WireChars(op, r)
	silence := t.Serial.Silence()
	return t.Serial.Chars(request) + silence + t.Turnaround + t.Serial.Chars(reply) + max(silence, t.Gap)
}
