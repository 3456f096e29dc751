package sim

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// Nobody listens for a while behind the opening, and the first reply takes longer.
func TestDeafAndWaking(t *testing.T) {
	line := NewLine(Options{Deaf: time.Second, Waking: 300 * time.Millisecond}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		c.gets("deaf", readTwo, time.Second, nil)
		c.gets("not awake yet", readTwo, 300*time.Millisecond-1, nil)
		if got := c.within(2); !bytes.Equal(got, twoWords) {
			t.Errorf("the first reply: % x", got)
		}
		c.gets("the second reply", readTwo, 1, twoWords)
	})
}

// An adapter that hears itself repeats every request, also where nobody answers.
func TestEchoingLine(t *testing.T) {
	line := NewLine(Options{Echo: true}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		for range 2 {
			c.gets("echoed", readTwo, 1, slices.Concat(readTwo, twoWords))
		}
		line.Off()
		c.gets("off", writeOne, 1, writeOne)
	})
}

// Some devices say nothing where others refuse.
func TestSilence(t *testing.T) {
	u := newUnit(1)
	u.Limit(Limits{ReadRegisters: 40, TooLong: Silence, Undefined: Silence})
	u.ReadOnly(holding(7, 1), Silence)
	line := NewLine(Options{}, u)
	bubble(t, line, RTU, func(t *testing.T, c client) {
		for _, silent := range [][]byte{pdu(3, 0, 41), pdu(3, 199, 2), pdu(6, 200, 1), pdu(6, 7, 1)} {
			c.gets("silent", rtu(1, silent...), time.Second, nil)
		}
		c.gets("afterwards", readTwo, 1, twoWords)
	})
	if e := line.Journal().Since(0)[0]; e.Fault != "silent" || e.CarriedOut || e.Exception != 0 {
		t.Errorf("%+v", e)
	}
}
