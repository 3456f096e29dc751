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
		c.send(readTwo)
		if got := c.within(time.Second); got != nil {
			t.Errorf("heard at once: % x", got)
		}
		c.send(readTwo)
		if got := c.within(300*time.Millisecond - 1); got != nil {
			t.Errorf("awake at once: % x", got)
		}
		if got := c.within(2); !bytes.Equal(got, twoWords) {
			t.Errorf("the first reply: % x", got)
		}
		c.send(readTwo)
		if got := c.within(1); !bytes.Equal(got, twoWords) {
			t.Errorf("the second reply: % x", got)
		}
	})
}

// An adapter that hears itself repeats every request, also where nobody answers.
func TestEchoingLine(t *testing.T) {
	line := NewLine(Options{Echo: true}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		for range 2 {
			c.send(readTwo)
			if got := c.within(1); !bytes.Equal(got, slices.Concat(readTwo, twoWords)) {
				t.Errorf("% x", got)
			}
		}
		line.Off()
		c.send(writeOne)
		if got := c.within(1); !bytes.Equal(got, writeOne) {
			t.Errorf("off: % x", got)
		}
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
			c.send(rtu(1, silent...))
			if got := c.within(time.Second); got != nil {
				t.Errorf("% x: % x", silent, got)
			}
		}
		c.send(readTwo)
		if got := c.within(1); !bytes.Equal(got, twoWords) {
			t.Errorf("afterwards: % x", got)
		}
	})
	if e := line.Journal().Since(0)[0]; e.Fault != "silent" || e.CarriedOut || e.Exception != 0 {
		t.Errorf("%+v", e)
	}
}
