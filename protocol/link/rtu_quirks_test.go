package link

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

func soundly(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) }

func TestRTUConnectDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		by, _, wait := pipeTo(t, rtuSize, soundly)
		l := NewRTUOverTCP(RTUOverTCPConfig{Address: "a:502", Dial: by,
			Quirks: protocol.Quirks{ConnectDelay: 2 * time.Second}})
		defer wait()
		defer l.Close()
		begun := time.Now()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		first, err := l.Exchange(t.Context(), readOf(0, 1))
		if err != nil || first.Sent.Sub(begun) < 2*time.Second {
			t.Error(first.Sent.Sub(begun), err)
		}
		second, err := l.Exchange(t.Context(), readOf(0, 1))
		if err != nil || second.Sent.Sub(first.Done) > time.Second {
			t.Error(second.Sent.Sub(first.Done), err)
		}
	})
}

// A unit that is slow to answer for the first time has more time then, and only then, and on each connection.
func TestRTUFirst(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 1 {
			return nil
		}
		return after(3*time.Second, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		req := readOf(0, 10)
		req.Pace = protocol.Pace{Timeout: 500 * time.Millisecond, First: 5 * time.Second}
		if _, err := l.Exchange(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		if _, err := l.Exchange(t.Context(), req); !errors.Is(err, protocol.ErrTimeout) ||
			time.Since(begun) > time.Second {
			t.Errorf("the second: %v after %v", err, time.Since(begun))
		}
		other := req
		other.Unit = 2
		if _, err := l.Exchange(t.Context(), other); err != nil {
			t.Errorf("another unit: %v", err)
		}
		l.Close()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		req.Range.Count = 4
		if _, err := l.Exchange(t.Context(), req); err != nil {
			t.Errorf("on a new connection: %v", err)
		}
	})
}

// Where the line echoes and the link is told so, only the reply behind the echo confirms a write; where it is not told,
// a read tells that it should be.
func TestRTUEcho(t *testing.T) {
	echoing := func(n int, adu []byte) []part {
		reply := rtuReplyTo(adu)
		if adu[1] == 6 && n%2 == 1 {
			reply = nil // not carried out
		}
		return []part{{8 * time.Millisecond, adu[:3]}, {time.Millisecond, adu[3:]}, {turnaround, reply}}
	}
	for _, tt := range []struct {
		name   string
		echo   protocol.Echo
		script func(n int, adu []byte) []part
		first  error // of a write that is carried out
		second error // of one that is not, where the line echoes
		noted  bool
	}{
		{"told", protocol.WithEcho, echoing, nil, protocol.ErrOutcomeUnknown, true},
		{"not told", protocol.NoEcho, echoing, nil, nil, true},
		{"none", protocol.NoEcho, soundly, nil, nil, false},
		{"told, but there is none", protocol.WithEcho, soundly, protocol.ErrOutcomeUnknown, protocol.ErrOutcomeUnknown,
			false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			numbered := 0
			script := func(n int, adu []byte) []part {
				if adu[1] == 6 {
					n, numbered = numbered, numbered+1
				}
				return tt.script(n, adu)
			}
			onQuirkyPipe(t, protocol.Quirks{Echo: tt.echo}, script, func(t *testing.T, l *RTULink, p *peer) {
				if _, err := l.Exchange(t.Context(), readOf(0, 2)); err != nil {
					t.Error(err)
				}
				if got := l.Condition().Echoes; got != tt.noted {
					t.Errorf("echoes is %v", got)
				}
				if _, err := l.Exchange(t.Context(), writeOf(5, 6)); !errors.Is(err, tt.first) {
					t.Errorf("the first: %v", err)
				}
				if _, err := l.Exchange(t.Context(), writeOf(5, 7)); !errors.Is(err, tt.second) {
					t.Errorf("the second: %v", err)
				}
			})
		})
	}
}

// The echo of a long write comes in pieces that look like a damaged reply, and the answer long behind it.
func TestRTUEchoOfLongWrite(t *testing.T) {
	script := func(n int, adu []byte) []part {
		return []part{{0, adu[:8]}, {10 * time.Millisecond, adu[8:]}, {300 * time.Millisecond, rtuReplyTo(adu)}}
	}
	onQuirkyPipe(t, protocol.Quirks{Echo: protocol.WithEcho}, script, func(t *testing.T, l *RTULink, p *peer) {
		req := protocol.Request{Unit: 1, Op: protocol.WriteMultiple,
			Range: protocol.Range{Table: protocol.HoldingRegister, Addr: 500, Count: 3}, Words: []uint16{1, 2, 3}}
		if _, err := l.Exchange(t.Context(), req); err != nil || l.Frames().Damaged != 0 {
			t.Error(err, l.Frames())
		}
	})
}

func TestRTUUnits(t *testing.T) {
	for _, tt := range []struct {
		as    byte
		units protocol.Units
		ok    bool
		noted bool
	}{
		{255, protocol.StrictUnits, false, true}, {255, protocol.LaxUnits, true, false},
		{0, protocol.LaxUnits, true, false}, {2, protocol.LaxUnits, false, false},
		{2, protocol.StrictUnits, false, false}, {1, protocol.LaxUnits, true, false},
	} {
		script := func(_ int, adu []byte) []part {
			r := rtuReplyTo(adu)
			r[0] = tt.as
			return after(turnaround, rtu(r[:len(r)-2]...))
		}
		onQuirkyPipe(t, protocol.Quirks{Units: tt.units}, script, func(t *testing.T, l *RTULink, p *peer) {
			req := readOf(7, 10)
			resp, err := l.Exchange(t.Context(), req)
			if (err == nil) != tt.ok || l.Condition().Units != tt.noted {
				t.Errorf("as unit %d: %v, %+v", tt.as, err, l.Condition())
			}
			if err == nil {
				right(t, req, resp)
			}
		})
	}
}

// Where a reply may not say whose it is, a late one of one unit must not pass for that of another.
func TestRTULaxUnitsLate(t *testing.T) {
	script := func(n int, adu []byte) []part {
		r := rtuReplyTo(adu)
		r[0] = 255
		wait := turnaround
		if n == 0 {
			wait = 1200 * time.Millisecond
		}
		return after(wait, rtu(r[:len(r)-2]...))
	}
	onQuirkyPipe(t, protocol.Quirks{Units: protocol.LaxUnits}, script, func(t *testing.T, l *RTULink, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		req := readOf(50, 10)
		req.Unit = 2
		resp, err := l.Exchange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		right(t, req, resp)
	})
}

// What the link says of itself: the gap in force, and how late a reply came, whether somebody waited for it or not.
func TestRTUCondition(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 1 {
			return after(1200*time.Millisecond, rtuReplyTo(adu))
		}
		return soundly(n, adu)
	}
	for name, pause := range map[string]time.Duration{"while a probe waits": 0, "found soon": 250 * time.Millisecond,
		"found long after": time.Minute / 3} {
		t.Run(name, func(t *testing.T) {
			onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
				if got := l.Condition(); got != (protocol.LinkCondition{Gap: protocol.DefaultSerial.Silence()}) {
					t.Errorf("at first %+v", got)
				}
				slow := readOf(0, 10)
				slow.Pace.Gap = 90 * time.Millisecond
				for i := range 3 {
					_, err := l.Exchange(t.Context(), slow)
					if errors.Is(err, protocol.ErrTimeout) != (i == 1) {
						t.Fatal(err)
					}
					if i == 1 {
						time.Sleep(pause)
					}
				}
				got := l.Condition()
				if got.Gap != 90*time.Millisecond || got.Latest < time.Second || got.Latest > 1400*time.Millisecond {
					t.Errorf("%+v", got)
				}
				if f := l.Frames(); f.Late == 0 || f.Noise != 0 {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}

// Frames of a unit that answers late while another one is asked settle what that one owes.
func TestRTULateDuringAnother(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 0 {
			return after(1010*time.Millisecond, rtuReplyTo(adu))
		}
		return soundly(n, adu)
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		other := readOf(0, 10)
		other.Unit = 2
		for _, req := range []protocol.Request{other, readOf(50, 10)} {
			if _, err := l.Exchange(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(p.requests()); n != 3 || l.Frames().Late != 1 {
			t.Errorf("%d requests: there was nothing to probe for; %+v", n, l.Frames())
		}
	})
}

// A server that sends garbage for ever costs a bounded buffer and its connection, and sending to it a bounded time.
func TestRTUGarbage(t *testing.T) {
	garbage := slices.Repeat([]byte{1, 3, 250, 9}, 100)
	var parts []part
	for range 200 {
		parts = append(parts, part{time.Millisecond, garbage})
	}
	onPipe(t, func(int, []byte) []part { return parts }, func(t *testing.T, l *RTULink, p *peer) {
		begun := time.Now()
		_, err := l.Exchange(t.Context(), readOf(0, 10))
		if !fatal(err) || !strings.Contains(err.Error(), "bytes that answer nothing") ||
			time.Since(begun) > time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); !errors.Is(err, protocol.ErrDown) {
			t.Errorf("the line is still open: %v", err)
		}
	})
}
