package link

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// testLogger is the serial number of the vectors' stick.
const testLogger = 2700000001

// solarmanFraming is a stick in front of healthy units.
var solarmanFraming = framing{
	"Solarman", solarmanSize,
	func(b []byte) []byte { return solarmanAnswer(b, rtuReplyTo(requestIn(b))) },
	func(b []byte) []byte { return solarmanAnswer(b, refusal(requestIn(b))) },
	func(r []byte, unit byte) []byte {
		return solarmanAnswer(r, rtuFraming.from(r[25:len(r)-2], unit))
	},
	0,
	func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewSolarman(SolarmanConfig{Address: "stick:8899", Serial: testLogger, Timeout: time.Second, Dial: by,
			Quirks: q, Gap: gap})
	},
	true,
}

// solarmanSize is the length of a request to a stick.
func solarmanSize(b []byte) int {
	if len(b) < 3 {
		return 0
	}
	return 13 + int(binary.LittleEndian.Uint16(b[1:]))
}

// requestIn is the RTU frame in a request to a stick.
func requestIn(b []byte) []byte { return b[26 : len(b)-2] }

// solarmanAnswer is the frame that answers a request, or another answer, with what is behind the times.
func solarmanAnswer(request []byte, behind []byte) []byte {
	b := append([]byte{0xA5, byte(14 + len(behind)), byte((14 + len(behind)) >> 8), 0x10, 0x15, request[5], 0x77},
		request[7:11]...)
	b = append(b, unhex("0201 b6a60f00 1b270000 53760763")...)
	return sealed(append(b, behind...))
}

// sealed puts the sum and the end behind a frame.
func sealed(b []byte) []byte {
	sum := byte(0)
	for _, c := range b[1:] {
		sum += c
	}
	return append(bytes.Clone(b), sum, 0x15)
}

// said is the short answer of a stick that has no reply.
func said(request []byte, code byte) []byte { return solarmanAnswer(request, []byte{code, 0}) }

// renamed is the same frame of a stick with another serial number.
func renamed(b []byte, serial uint32) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint32(b[7:], serial)
	return sealed(b[:len(b)-2])
}

// numbered is the same frame with another sequence.
func numbered(b []byte, sequence byte) []byte {
	b = bytes.Clone(b)
	b[5] = sequence
	return sealed(b[:len(b)-2])
}

func TestSolarmanReply(t *testing.T) {
	reply := solarmanFraming.reply
	changed := func(at int, by byte) func([]byte) []part {
		return func(b []byte) []part {
			r := reply(b)
			r[(at+len(r))%len(r)] ^= by
			return after(turnaround, r)
		}
	}
	inside := func(rtu func(request []byte) []byte) func([]byte) []part {
		return func(b []byte) []part { return after(turnaround, solarmanAnswer(b, rtu(requestIn(b)))) }
	}
	beside := func(other func(b []byte) []byte) func([]byte) []part {
		return func(b []byte) []part { return after(turnaround, slices.Concat(other(b), reply(b), other(b))) }
	}
	none := "no answer within 1s"
	solarmanFraming.play(t, []replyCase{
		{"holding", readOf(4112, 45), func(b []byte) []part { return after(turnaround, reply(b)) }, "", false},
		{"in pieces", readOf(0, 125), func(b []byte) []part {
			return inPieces(turnaround, reply(b), 1, 2, 11, 25, 200)
		}, "", false},
		{"in pieces behind a banner", readOf(0, 125), func(b []byte) []part {
			return inPieces(turnaround, append([]byte(banner), reply(b)...), len(banner)-1, len(banner)+30)
		}, "", false},
		{"silence", writeOf(0, 2), silent, none + ", outcome unknown", false},
		{"hang-up", readOf(0, 2), sends(), "receive stick:8899: hung up by the other end", true},
		{"wrong sum", readOf(0, 2), changed(-2, 1), none, false},
		{"wrong end", readOf(0, 2), changed(-1, 1), none, false},
		{"wrong byte", readOf(0, 2), changed(20, 1), none, false},
		{"another length", readOf(0, 2), changed(1, 1), none, false},
		{"another control code", readOf(0, 2), changed(4, 0x05), none, false},
		{"cut, then whole", readOf(0, 9), beside(func(b []byte) []byte { return reply(b)[:20] }), "", false},
		{"of the cloud", readOf(0, 9), beside(func(b []byte) []byte { return numbered(reply(b), 0) }), "", false},
		{"of another client", readOf(0, 9), beside(func(b []byte) []byte { return numbered(reply(b), b[5]+1) }), "",
			false},
		{"of another stick", readOf(0, 2), func(b []byte) []part {
			return after(turnaround, renamed(reply(b), testLogger+1))
		}, none, false},
		{"of the stick itself", readOf(0, 9), beside(func(b []byte) []byte {
			r := reply(b)
			r[11] = 1
			return sealed(r[:len(r)-2])
		}), "", false},
		{"stray bytes", readOf(0, 9), beside(func([]byte) []byte { return unhex("A5 A5 10 00 10 15") }), "", false},
		{"the request comes back", readOf(0, 9), beside(bytes.Clone), "", false},
		{"hello and report", readOf(0, 9), beside(func(b []byte) []byte {
			r := reply(b)
			r[4] = 0x41
			hello := sealed(r[:len(r)-2])
			r[4] = 0x48
			return append(hello, sealed(r[:len(r)-2])...)
		}), "", false},
		{"silent inverter", writeOf(0, 9), func(b []byte) []part { return after(turnaround, said(b, 5)) },
			"no answer from the inverter, says the stick, outcome unknown", false},
		{"code 3", readOf(0, 9), func(b []byte) []part { return after(turnaround, said(b, 3)) },
			"no answer, only code 3 of the stick", false},
		{"nothing inside", readOf(0, 9), inside(func([]byte) []byte { return nil }), "only code 0 of the stick", false},
		{"wrong serial number of the right stick", readOf(0, 9), func(b []byte) []part {
			return after(turnaround, said(b, 6))
		}, "only code 6 of the stick", false},
		{"function and checksum wrong, MichaluxPL/Sofar_LSW3 #20", writeOf(0, 9), inside(func([]byte) []byte {
			return unhex("01 90 02 00 03")
		}), "no answer but one with a wrong checksum, outcome unknown", false},
		{"refused", readOf(0, 2), inside(refusal), "exception 2 (illegal data address)", false},
		{"from another unit", readOf(0, 2), inside(func(b []byte) []byte {
			return rtuFraming.from(rtuReplyTo(b), 2)
		}), "a reply that does not fit: from unit 2", false},
		{"too few registers", writeOf(0, 2), inside(func([]byte) []byte { return rtu(1, 3, 2, 0, 9) }),
			"for function 3, not 6, outcome unknown", false},
		{"checksum twice and more", readOf(0, 2), inside(func(b []byte) []byte {
			return append(rtuReplyTo(b), 0, 0, 0)
		}), "wrong checksum", false},
	})
}

// plainStick speaks Modbus TCP on the port of a stick, and answers frames of one as several such do.
var plainStick = framing{
	name: "plain", size: func(b []byte) int {
		if len(b) > 0 && b[0] == 0xA5 {
			return solarmanSize(b)
		}
		return tcpSize(b)
	},
	reply: func(b []byte) []byte {
		if len(b) > 5 && b[0] == 0xA5 && b[3] == 0x10 {
			return []byte{b[0], b[1], b[2], b[3], b[4], 3, b[6], b[7] | 0x80, 2}
		}
		return tcpReplyTo(b)
	},
	link: solarmanFraming.link,
}

// A stick that speaks Modbus TCP is known by how it takes the first frame, answered and unanswered, and spoken to so
// from then on, on each connection; the request costs one more.
func TestSolarmanPlain(t *testing.T) {
	for name, pieces := range map[string][]int{"whole": nil, "in pieces": {5}} {
		script := func(_ int, adu []byte) []part { return inPieces(turnaround, plainStick.reply(adu), pieces...) }
		for _, serial := range []uint32{testLogger, 0} {
			f := withSerial(serial)
			f.size = plainStick.size
			f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
				for i := range uint16(6) {
					req := readOf(100*i, 20)
					if _, err := l.Open(t.Context()); err != nil {
						t.Fatal(err)
					}
					resp, err := l.Exchange(t.Context(), req)
					if err != nil {
						t.Fatal(name, err)
					}
					right(t, req, resp)
					if i == 3 {
						l.Close()
					}
				}
				if n := len(p.requests()); n != 7 || !l.Condition().Plain {
					t.Errorf("%s: %d requests, %+v", name, n, l.Condition())
				}
			})
		}
	}
}

// The replies to writes that LSE-3 sticks cut say at once that the outcome is unknown, and are read behind.
func TestCutWriteReply(t *testing.T) {
	for _, cut := range []string{"00 00 00 03 01 10 00", "00 00 00 04 01 10 01 25"} {
		script := func(n int, adu []byte) []part {
			if adu[7] == 16 {
				return after(turnaround, append(bytes.Clone(adu[:2]), unhex(cut)...))
			}
			return tcpFraming.soundly(n, adu)
		}
		tcpFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			write := protocol.Request{Unit: 1, Op: protocol.WriteMultiple, Words: []uint16{2800},
				Range: protocol.Range{Addr: 0x125, Count: 1}}
			began := time.Now()
			if _, err := l.Exchange(t.Context(), write); !errors.Is(err, protocol.ErrOutcomeUnknown) ||
				!strings.Contains(err.Error(), "cut short") || time.Since(began) > 2*turnaround {
				t.Errorf("%v after %v", err, time.Since(began))
			}
			resp, err := l.Exchange(t.Context(), readOf(0x125, 1))
			if err != nil {
				t.Fatal(err)
			}
			right(t, readOf(0x125, 1), resp)
		})
	}
}

// No sequence is the cloud's, that of a request which may still be answered, or where another client will be soon.
func TestSolarmanSequences(t *testing.T) {
	var q sequences
	var frames frameCounter
	now := time.Now()
	owed := q.next([2]byte{1, 2}, now)
	for i := range 2000 {
		now = now.Add(time.Millisecond)
		if i%3 == 0 {
			q.others(byte(i/3), &frames)
		}
		s := q.next([2]byte{}, now)
		if s == 0 || s == owed || i%3 == 0 && s-byte(i/3)-1 < clearOfOthers {
			t.Fatalf("%d after %d", s, q.heard)
		}
		q.sent[s].owed = false
	}
	if e := q.sent[owed]; !e.owed || e.transaction != [2]byte{1, 2} || frames.foreign.Load() == 0 {
		t.Errorf("%+v, %d", e, frames.foreign.Load())
	}
	for range 600 { // of which none is answered
		before := q.last
		if s := q.next([2]byte{}, now); s == before {
			t.Fatal("the newest sequence again")
		}
	}
}

// A stick that leaves requests alone has more time, up to a bound, and less again when it does well; what it says of
// its inverter is no matter of pace.
func TestPace(t *testing.T) {
	lost, said := protocol.ErrTimeout, noReply{protocol.ErrTimeout}
	p := new(pace)
	for i, want := range []time.Duration{0, paceFirst, 2 * paceFirst, 4 * paceFirst, 4 * paceFirst} {
		err := error(lost)
		if i == 0 {
			err = nil
		}
		if got := p.behind(err); got != want || got > paceMost {
			t.Errorf("%d: %v, not %v", i, got, want)
		}
	}
	n := 0
	for ; p.behind(said) > 0; n++ {
	}
	if n < 4*paceGood || n > 6*paceGood {
		t.Errorf("%d answers to be as fast as before", n)
	}
	if none := (*pace)(nil); none.behind(lost) != 0 {
		t.Error("a pace of none")
	}
}

// A new connection waits behind the last one, and so does the first request behind one that got no answer.
func TestSolarmanWaits(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 0 {
			return nil
		}
		return solarmanFraming.soundly(n, adu)
	}
	solarmanFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 1)); !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		ended := time.Now()
		resp, err := l.Exchange(t.Context(), readOf(0, 1))
		if err != nil || resp.Sent.Sub(ended) < paceFirst || l.Condition().Gap != paceFirst {
			t.Errorf("%v behind the last one, %+v: %v", resp.Sent.Sub(ended), l.Condition(), err)
		}
		l.Close()
		ended = time.Now()
		if _, err := l.Open(t.Context()); err != nil || time.Since(ended) < betweenSolarmans {
			t.Errorf("opened %v behind the last one: %v", time.Since(ended), err)
		}
		l.Close()
		ctx, cancel := context.WithTimeout(t.Context(), betweenSolarmans/2)
		defer cancel()
		if _, err := l.Open(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// What a stick says of an earlier request, when that has timed out, is not said of the one in flight.
func TestSolarmanLateCode(t *testing.T) {
	var first []byte
	script := func(n int, adu []byte) []part {
		if n == 0 {
			first = adu
			return nil
		}
		return append(after(turnaround, said(first, 5)), solarmanFraming.soundly(n, adu)...)
	}
	solarmanFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 1)); !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		resp, err := l.Exchange(t.Context(), readOf(5, 1))
		if err != nil {
			t.Fatal(err)
		}
		right(t, readOf(5, 1), resp)
	})
}

// Sequences that are answered are free again: the cloud's is never among them, however many requests go out.
func TestSolarmanKeepsOffTheCloud(t *testing.T) {
	solarmanFraming.on(t, protocol.Quirks{}, 0, solarmanFraming.soundly, func(t *testing.T, l tested, p *peer) {
		for range 600 {
			if _, err := l.Exchange(t.Context(), readOf(0, 1)); err != nil {
				t.Fatal(err)
			}
		}
		for i, adu := range p.requests() {
			if adu[5] == 0 {
				t.Fatalf("request %d of %d", i, len(p.requests()))
			}
		}
	})
}

// The other end sees an end and no reset, though there are bytes that nobody has read.
func TestSolarmanClosesCleanly(t *testing.T) {
	over, answered, more := make(chan error, 1), make(chan struct{}), make(chan struct{})
	address := listen(t, func(_ int, c *net.TCPConn) {
		buf := make([]byte, 512)
		n, _ := c.Read(buf)
		_, _ = c.Write(solarmanFraming.reply(buf[:n]))
		<-answered
		_, _ = c.Write(unhex(strings.Repeat(heartbeat, 3)))
		close(more)
		_, err := c.Read(buf)
		over <- err
	})
	l := NewSolarman(SolarmanConfig{Address: address, Serial: testLogger})
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Exchange(t.Context(), readOf(0, 1)); err != nil {
		t.Fatal(err)
	}
	close(answered)
	<-more
	l.Close()
	if err := <-over; !errors.Is(err, io.EOF) {
		t.Errorf("the stick sees %v", err)
	}
}
