package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

const turnaround = 20 * time.Millisecond

// onPipe runs f in a bubble with an RTU link to a scripted peer.
func onPipe(t *testing.T, script func(n int, adu []byte) []part, f func(t *testing.T, l *RTULink, p *peer)) {
	t.Helper()
	onQuirkyPipe(t, protocol.Quirks{}, script, f)
}

// onQuirkyPipe does so with what is known of the line.
func onQuirkyPipe(t *testing.T, quirks protocol.Quirks, script func(n int, adu []byte) []part,
	f func(t *testing.T, l *RTULink, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		by, p, wait := pipeTo(t, rtuSize, script)
		l := NewRTUOverTCP(RTUOverTCPConfig{Address: "logger:4196", Dial: by, Quirks: quirks})
		defer wait()
		defer l.Close()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, l, p)
	})
}

func after(d time.Duration, b []byte) []part { return []part{{d, b}} }

func refusal(adu []byte) []byte { return rtu(adu[0], adu[1]|0x80, 2) }

// rtuReplies are what may come behind a request, and what becomes of it.
var rtuReplies = []struct {
	name   string
	req    protocol.Request
	script func(adu []byte) []part
	err    string // part of the error; empty: the right words
}{
	{"holding", readOf(588, 2), func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
	{"input", protocol.Request{Unit: 1, Range: protocol.Range{Table: protocol.InputRegister, Addr: 4945, Count: 4}},
		func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
	{"coils", protocol.Request{Unit: 1, Range: protocol.Range{Table: protocol.Coil, Addr: 3, Count: 19}},
		func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
	{"discrete", protocol.Request{Unit: 1, Range: protocol.Range{Table: protocol.DiscreteInput, Addr: 0, Count: 8}},
		func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
	{"largest", readOf(0, 125), func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
	{"byte by byte", readOf(7, 10), func(b []byte) []part {
		var parts []part
		for _, c := range rtuReplyTo(b) {
			parts = append(parts, part{time.Millisecond, []byte{c}})
		}
		return parts
	}, ""},
	{"split with a long pause", readOf(7, 10), func(b []byte) []part {
		r := rtuReplyTo(b)
		return []part{{turnaround, r[:4]}, {300 * time.Millisecond, r[4:]}}
	}, ""},
	{"stray byte before", readOf(7, 10),
		func(b []byte) []part { return after(turnaround, append([]byte{0}, rtuReplyTo(b)...)) }, ""},
	{"stray head before", readOf(7, 10),
		func(b []byte) []part { return after(turnaround, append([]byte{1, 3, 200}, rtuReplyTo(b)...)) }, ""},
	{"other unit first", readOf(7, 10), func(b []byte) []part {
		other := append([]byte(nil), b[:6]...)
		other[0] = 9
		return []part{{turnaround, rtuReplyTo(rtu(other...))}, {turnaround, rtuReplyTo(b)}}
	}, ""},
	{"other size first", readOf(7, 10), func(b []byte) []part {
		return []part{{turnaround, rtu(1, 3, 2, 0, 0)}, {turnaround, rtuReplyTo(b)}}
	}, ""},
	{"echo", readOf(588, 2), func(b []byte) []part {
		return []part{{time.Millisecond, b},
			{turnaround, rtuReplyTo(b)}}
	}, ""},
	{"echo in pieces", readOf(4112, 9), func(b []byte) []part {
		return []part{{time.Millisecond, b[:3]}, {time.Millisecond, b[3:]}, {turnaround, rtuReplyTo(b)}}
	}, ""},
	{"exception", readOf(7, 10), func(b []byte) []part { return after(turnaround, refusal(b)) },
		"exception 2 (illegal data address)"},
	{"exception after 150 ms, split", readOf(7, 10), func(b []byte) []part {
		return []part{{150 * time.Millisecond, refusal(b)[:2]}, {time.Millisecond, refusal(b)[2:]}}
	}, "exception 2"},
	{"silence", readOf(588, 2), func([]byte) []part { return nil },
		"read holding 588+2 unit 1: receive logger:4196: no answer within 1s"},
	{"silence after a write", writeOf(1, 2), func([]byte) []part { return nil },
		"no answer within 1s, outcome unknown"},
	{"noise", readOf(588, 2), func([]byte) []part { return after(turnaround, []byte{0xff, 0xfe, 0xfd}) },
		"only 3 bytes that are no reply"},
	{"other unit only", readOf(588, 2), func([]byte) []part { return after(turnaround, rtu(9, 3, 4, 0, 0, 0, 0)) },
		"only 1 other frames"},
	{"bad checksum", readOf(588, 2), func(b []byte) []part {
		r := rtuReplyTo(b)
		r[5] ^= 1
		return after(turnaround, r)
	}, "wrong checksum"},
	{"too short", readOf(588, 10), func([]byte) []part { return after(turnaround, rtu(1, 3, 4, 0, 0, 0, 0)) },
		"no answer within 1s"},
	{"echo of another value", writeOf(1, 2), func([]byte) []part { return after(turnaround, rtu(1, 6, 0, 1, 0, 3)) },
		"no answer"},
	{"slow drip", readOf(588, 10), func(b []byte) []part {
		var parts []part
		for _, c := range rtuReplyTo(b) {
			parts = append(parts, part{400 * time.Millisecond, []byte{c}})
		}
		return parts
	}, "no answer within 1s"},
	{"babble", readOf(588, 2), func([]byte) []part {
		return after(turnaround, slices.Repeat(rtu(9, 3, 2, 0, 0), 17))
	}, "that answer nothing"},
	{"hang-up", writeOf(1, 2), func([]byte) []part { return []part{{turnaround, nil}} },
		"hung up by the other end, outcome unknown"},
}

func TestRTUReply(t *testing.T) {
	for _, tt := range rtuReplies {
		t.Run(tt.name, func(t *testing.T) {
			onPipe(t, func(_ int, adu []byte) []part { return tt.script(adu) },
				func(t *testing.T, l *RTULink, p *peer) {
					begun := time.Now()
					resp, err := l.Exchange(t.Context(), tt.req)
					if took := time.Since(begun); took > 1200*time.Millisecond {
						t.Errorf("took %v: the deadline is absolute", took)
					}
					if resp.Sent.IsZero() {
						t.Error("the request went out, but Sent is zero")
					}
					if tt.err == "" {
						if err != nil {
							t.Fatal(err)
						}
						right(t, tt.req, resp)
						return
					}
					if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Fatalf("error %q, want one with %q", fmt.Sprint(err), tt.err)
					}
					_, refused := errors.AsType[protocol.ExceptionError](err)
					_, broken := errors.AsType[*protocol.LinkError](err)
					if refused == broken {
						t.Errorf("exception %v, link error %v", refused, broken)
					}
					if unknown := errors.Is(err, protocol.ErrOutcomeUnknown); unknown != (tt.req.Op != protocol.Read) &&
						broken {
						t.Errorf("outcome unknown is %v for %v", unknown, tt.req)
					}
				})
		})
	}
}

func TestRTUWrites(t *testing.T) {
	writes := []protocol.Request{
		writeOf(108, 50),
		{Unit: 1, Op: protocol.WriteSingle, Range: protocol.Range{Table: protocol.Coil, Addr: 5, Count: 1},
			Words: []uint16{1}},
		{Unit: 1, Op: protocol.WriteMultiple,
			Range: protocol.Range{Table: protocol.HoldingRegister, Addr: 500, Count: 3}, Words: []uint16{1, 2, 3}},
		{Unit: 1, Op: protocol.WriteMultiple, Range: protocol.Range{Table: protocol.Coil, Addr: 8, Count: 10},
			Words: []uint16{1, 0, 1, 1, 0, 0, 0, 0, 1, 1}},
	}
	want := []string{"01 06 00 6c 00 32", "01 05 00 05 ff 00", "01 10 01 f4 00 03 06 00 01 00 02 00 03",
		"01 0f 00 08 00 0a 02 0d 03"}
	onPipe(t, func(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) },
		func(t *testing.T, l *RTULink, p *peer) {
			for i, req := range writes {
				if _, err := l.Exchange(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				got := p.requests()[i]
				if s := fmt.Sprintf("% x", got[:len(got)-2]); s != want[i] {
					t.Errorf("%v: sent %s, want %s", req, s, want[i])
				}
			}
		})
}

func TestRTUGap(t *testing.T) {
	onPipe(t, func(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) },
		func(t *testing.T, l *RTULink, p *peer) {
			for _, gap := range []time.Duration{0, 300 * time.Millisecond} {
				req := readOf(0, 2)
				req.Pace.Gap = gap
				first, err := l.Exchange(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				second, err := l.Exchange(t.Context(), readOf(5, 2))
				if err != nil {
					t.Fatal(err)
				}
				want := max(gap, protocol.DefaultSerial.Silence())
				if got := second.Sent.Sub(first.Done); got < want || got > want+2*time.Millisecond {
					t.Errorf("gap %v, want %v", got, want)
				}
			}
		})
}

func TestRTUNotSent(t *testing.T) {
	onPipe(t, func(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) },
		func(t *testing.T, l *RTULink, p *peer) {
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := l.Exchange(ended, readOf(0, 1)); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			old := readOf(0, 1)
			old.Deadline = time.Now()
			if _, err := l.Exchange(t.Context(), old); !errors.Is(err, protocol.ErrExpired) {
				t.Error(err)
			}
			for _, unit := range []protocol.UnitID{0, 248, 255} {
				req := readOf(0, 1)
				req.Unit = unit
				if _, err := l.Exchange(t.Context(), req); err == nil || !strings.Contains(err.Error(), "1..247") {
					t.Error(err)
				}
			}
			l.Close()
			if _, err := l.Exchange(t.Context(), writeOf(0, 1)); !errors.Is(err, protocol.ErrDown) ||
				errors.Is(err, protocol.ErrOutcomeUnknown) {
				t.Error(err)
			}
			if n := len(p.requests()); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
}

// Once the first byte is out, a cancel no longer matters.
func TestRTUFinishesWhatItBegan(t *testing.T) {
	onPipe(t, func(_ int, adu []byte) []part { return after(500*time.Millisecond, rtuReplyTo(adu)) },
		func(t *testing.T, l *RTULink, p *peer) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := l.Exchange(ctx, writeOf(0, 1)); err != nil {
				t.Error(err)
			}
		})
}

func TestRTUReopens(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 0 {
			return []part{{turnaround, rtuReplyTo(adu)}, {0, nil}}
		}
		return after(turnaround, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		for want := range uint64(2) {
			connection, err := l.Open(t.Context())
			if err != nil || connection != want+1 {
				t.Fatalf("connection %d, want %d: %v", connection, want+1, err)
			}
			resp, err := l.Exchange(t.Context(), readOf(0, 1))
			if err != nil || resp.Connection != connection {
				t.Fatal(resp, err)
			}
			synctest.Wait()
		}
	})
}
