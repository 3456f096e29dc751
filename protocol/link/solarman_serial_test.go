package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// withSerial is a framing whose link is given a serial number.
func withSerial(serial uint32) framing {
	f := solarmanFraming
	f.link = func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewSolarman(SolarmanConfig{Address: "stick:8899", Serial: serial, Timeout: time.Second, Dial: by})
	}
	return f
}

// A stick's serial number that nobody has given is learnt by the first answer, which costs one request more, or by
// what the stick has sent before; and again where another stick has come in its place.
func TestSolarmanLearnsSerial(t *testing.T) {
	var there atomic.Uint32
	there.Store(testLogger)
	for name, beat := range map[string]string{"by an answer": "", "by a heartbeat meanwhile": heartbeat} {
		script := func(n int, adu []byte) []part {
			right := renamed(adu, there.Load())
			if !bytes.Equal(right, adu) {
				return after(turnaround, append(unhex(beat), said(right, 6)...))
			}
			return solarmanFraming.soundly(n, adu)
		}
		withSerial(0).on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			there.Store(testLogger)
			exchanges := func(want int) {
				t.Helper()
				for range 3 {
					resp, err := l.Exchange(t.Context(), readOf(7, 9))
					if err != nil {
						t.Fatal(name, err)
					}
					right(t, readOf(7, 9), resp)
				}
				if n := len(p.requests()); n != want {
					t.Errorf("%s: %d requests, not %d", name, n, want)
				}
			}
			exchanges(4)
			there.Store(testLogger + 1)
			exchanges(8)
		})
	}
}

// A serial number that somebody has given is not exchanged for another one: who has given it is told the right one.
func TestSolarmanWrongSerial(t *testing.T) {
	script := func(_ int, adu []byte) []part { return after(turnaround, renamed(said(adu, 6), testLogger)) }
	withSerial(testLogger-1).on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		const want = "receive stick:8899: the stick's serial number is 2700000001, not 2700000000: give the right"
		_, err := l.Exchange(t.Context(), readOf(7, 9))
		if err == nil || !strings.Contains(err.Error(), want) || !fatal(err) || errors.Is(err, protocol.ErrTimeout) {
			t.Error(err)
		}
	})
}

// A stick that answers nobody who does not know its serial number is asked for it over UDP, and where that does not
// help either, the owner is.
func TestSolarmanAsksForSerial(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if binary.LittleEndian.Uint32(adu[7:]) != testLogger {
			return nil
		}
		return solarmanFraming.soundly(n, adu)
	}
	for _, found := range [][]Found{nil, {{Address: "192.168.1.50", Name: "2700000001", Serial: testLogger}}} {
		synctest.Test(t, func(t *testing.T) {
			by, _, wait := pipeTo(t, solarmanSize, script)
			defer wait()
			l, s := newSolarman(SolarmanConfig{Address: "stick:8899", Timeout: time.Second, Dial: by})
			defer l.Close()
			s.discover = func(_ context.Context, addresses ...string) ([]Found, error) {
				if !slices.Equal(addresses, []string{"stick"}) {
					t.Error(addresses)
				}
				return found, nil
			}
			if _, err := l.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Exchange(t.Context(), readOf(7, 9)); !errors.Is(err, protocol.ErrTimeout) || fatal(err) ||
				!strings.Contains(err.Error(), "no answer to a request without the stick's serial number") {
				t.Fatal(err)
			}
			_, err := l.Open(t.Context())
			if found == nil {
				if err == nil || !strings.Contains(err.Error(), "give the one on its label") {
					t.Error(err)
				}
				return
			}
			resp, err := l.Exchange(t.Context(), readOf(7, 9))
			if err != nil {
				t.Fatal(err)
			}
			right(t, readOf(7, 9), resp)
		})
	}
}
