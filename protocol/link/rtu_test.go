package link

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"solarhub/protocol"
)

func TestRTUReply(t *testing.T) {
	sound := func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }
	behind := func(first ...byte) func([]byte) []part {
		return func(b []byte) []part { return after(turnaround, append(first, rtuReplyTo(b)...)) }
	}
	read := func(table protocol.Table, addr, count uint16) protocol.Request {
		return protocol.Request{Unit: 1, Range: protocol.Range{Table: table, Addr: addr, Count: count}}
	}
	garbage := slices.Repeat([]part{{time.Millisecond, slices.Repeat([]byte{1, 3, 250, 9}, 100)}}, 200)
	rtuFraming.play(t, []replyCase{
		{"holding", readOf(588, 2), sound, "", false},
		{"input", read(protocol.InputRegister, 4945, 4), sound, "", false},
		{"coils", read(protocol.Coil, 3, 19), sound, "", false},
		{"discrete", read(protocol.DiscreteInput, 0, 8), sound, "", false},
		{"largest", readOf(0, 125), sound, "", false},
		{"byte by byte", readOf(7, 3), func(b []byte) []part {
			return inPieces(time.Millisecond, rtuReplyTo(b), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
		}, "", false},
		{"split with a long pause", readOf(7, 10), func(b []byte) []part {
			return inPieces(300*time.Millisecond, rtuReplyTo(b), 4)
		}, "", false},
		{"stray byte before", readOf(7, 10), behind(0), "", false},
		{"stray head before", readOf(7, 10), behind(1, 3, 200), "", false},
		{"other unit first", readOf(7, 10), func(b []byte) []part {
			return append(after(turnaround, rtuFraming.from(rtuReplyTo(b), 9)), sound(b)...)
		}, "", false},
		{"other size first", readOf(7, 10), func(b []byte) []part {
			return append(after(turnaround, rtu(1, 3, 2, 0, 0)), sound(b)...)
		}, "", false},
		{"echo", readOf(588, 2), func(b []byte) []part { return append(after(0, b), sound(b)...) }, "", false},
		{"echo in pieces", readOf(4112, 9), func(b []byte) []part {
			return append(inPieces(time.Millisecond, b, 3), sound(b)...)
		}, "", false},
		{"exception", readOf(7, 10), sends(refusal([]byte{1, 3})...), "exception 2 (illegal data address)", false},
		{"exception after 150 ms, split", readOf(7, 10), func(b []byte) []part {
			return inPieces(150*time.Millisecond, refusal(b), 2)
		}, "exception 2", false},
		{"silence", readOf(588, 2), silent, "read holding 588+2 unit 1: receive logger:4196: no answer within 1s",
			false},
		{"silence after a write", writeOf(1, 2), silent, "no answer within 1s, outcome unknown", false},
		{"noise", readOf(588, 2), sends(0xff, 0xfe, 0xfd), "only 3 bytes that are no reply", false},
		{"other unit only", readOf(588, 2), sends(rtu(9, 3, 4, 0, 0, 0, 0)...), "only 1 other frames", false},
		{"bad checksum", readOf(588, 2), sends(1, 3, 4, 0, 0, 0, 0, 1, 2), "wrong checksum", false},
		{"too short", readOf(588, 10), sends(rtu(1, 3, 4, 0, 0, 0, 0)...), "no answer within 1s", false},
		{"echo of another value", writeOf(1, 2), sends(rtu(1, 6, 0, 1, 0, 3)...), "no answer", false},
		{"slow drip", readOf(588, 1), func(b []byte) []part {
			return inPieces(400*time.Millisecond, rtuReplyTo(b), 1, 2, 3, 4, 5, 6)
		}, "no answer within 1s", false},
		{"babble", readOf(588, 2), sends(slices.Repeat(rtu(9, 3, 2, 0, 0), 17)...),
			"frames and 0 bytes that answer nothing", true},
		{"garbage", readOf(588, 2), func([]byte) []part { return garbage }, "bytes that answer nothing", true},
		{"hang-up", writeOf(1, 2), sends(), "hung up by the other end, outcome unknown", true},
	})
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
	onPipe(t, rtuFraming.soundly, func(t *testing.T, l tested, p *peer) {
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
		{"none", protocol.NoEcho, rtuFraming.soundly, nil, nil, false},
		{"told, but there is none", protocol.WithEcho, rtuFraming.soundly, protocol.ErrOutcomeUnknown,
			protocol.ErrOutcomeUnknown, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			numbered := 0
			script := func(n int, adu []byte) []part {
				if adu[1] == 6 {
					n, numbered = numbered, numbered+1
				}
				return tt.script(n, adu)
			}
			rtuFraming.on(t, protocol.Quirks{Echo: tt.echo}, 0, script, func(t *testing.T, l tested, p *peer) {
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
	rtuFraming.on(t, protocol.Quirks{Echo: protocol.WithEcho}, 0, script, func(t *testing.T, l tested, p *peer) {
		req := protocol.Request{Unit: 1, Op: protocol.WriteMultiple,
			Range: protocol.Range{Table: protocol.HoldingRegister, Addr: 500, Count: 3}, Words: []uint16{1, 2, 3}}
		if _, err := l.Exchange(t.Context(), req); err != nil || l.Frames().Damaged != 0 {
			t.Error(err, l.Frames())
		}
	})
}

// Refusals by one function are equal to the last byte, and each is the answer to its own request: none costs a second
// request or the timeout, however soon they follow one another, and also between replies that are no refusals. A device
// of another family refuses all input registers.
func TestRTURefusals(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if adu[1] == 4 {
			return after(turnaround, refusal(adu))
		}
		return rtuFraming.soundly(n, adu)
	}
	onPipe(t, script, func(t *testing.T, l tested, p *peer) {
		for i := range uint16(9) {
			table := protocol.InputRegister
			if i%4 == 0 {
				table = protocol.HoldingRegister
			}
			begun := time.Now()
			req := protocol.Request{Unit: 1, Range: protocol.Range{Table: table, Addr: 10 * i, Count: 1 + i/4}}
			_, err := l.Exchange(t.Context(), req)
			no, refused := errors.AsType[protocol.ExceptionError](err)
			if refused != (table == protocol.InputRegister) || refused && no.Code != 2 {
				t.Errorf("%v: %v", req, err)
			}
			if took, n := time.Since(begun), len(p.requests()); took > 200*time.Millisecond || n != int(i)+1 {
				t.Errorf("%v took %v; %d requests", req, took, n)
			}
		}
	})
}
