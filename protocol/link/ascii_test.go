package link

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"solarhub/protocol"
)

// asciiFraming is RTU in ASCII.
var asciiFraming = framing{
	"ASCII", func(b []byte) int { return bytes.IndexByte(b, '\n') + 1 },
	inText(rtuReplyTo), inText(refusal),
	func(r []byte, unit byte) []byte { return asASCIIText(rtuFraming.from(rtuOf(r), unit)) },
	0,
	func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewASCIIOverTCP(RTUOverTCPConfig{Address: "logger:4196", Dial: by, Quirks: q, Gap: gap})
	},
	false,
}

// inText has f answer in ASCII.
func inText(f func(adu []byte) []byte) func([]byte) []byte {
	return func(adu []byte) []byte { return asASCIIText(f(rtuOf(adu))) }
}

// asASCIIText is an RTU frame in ASCII, made by hand.
func asASCIIText(adu []byte) []byte {
	body, sum := adu[:len(adu)-2], 0
	for _, c := range body {
		sum += int(c)
	}
	return fmt.Appendf(nil, ":%s%02X\r\n", strings.ToUpper(hex.EncodeToString(body)), byte(256-sum%256))
}

// rtuOf is the way back.
func rtuOf(text []byte) []byte {
	b, err := hex.DecodeString(string(bytes.TrimSpace(text[1:])))
	if err != nil {
		panic(err)
	}
	return rtu(b[:len(b)-1]...)
}

// Source: the example that all papers have, and MODBUS over Serial Line V1.02, 2.5.2.
func TestASCIIFrame(t *testing.T) {
	for want, adu := range map[string][]byte{
		":1103006B00037E\r\n": rtu(0x11, 3, 0, 0x6B, 0, 3),
		":0103000A0001F1\r\n": rtu(1, 3, 0, 10, 0, 1),
		":F7831373\r\n":       rtu(0xF7, 0x83, 0x13),
	} {
		if got := asciiFrame(adu); string(got) != want || string(asASCIIText(adu)) != want {
			t.Errorf("%q, %q, not %q", got, asASCIIText(adu), want)
		}
		var parsed []byte
		var p asciiText
		for _, c := range []byte(want) {
			frame, _ := p.add(c)
			parsed = append(parsed, frame...)
		}
		if !bytes.Equal(parsed, adu) {
			t.Errorf("%q: % x", want, parsed)
		}
	}
	if n := len(asciiFrame(make([]byte, rtuMax))); n != 513 {
		t.Errorf("the longest frame has %d characters", n)
	}
}

// What begins a reply to a read, ends it, stands before it or in it.
func TestASCIIReplies(t *testing.T) {
	reply := func(change func(string) string) func([]byte) []part {
		return func(adu []byte) []part { return after(turnaround, []byte(change(string(asciiFraming.reply(adu))))) }
	}
	as := func(from, to string) func(string) string {
		return func(s string) string { return strings.Replace(s, from, to, 1) }
	}
	wrong := func(s string) string { return s[:len(s)-3] + string(s[len(s)-3]^1) + s[len(s)-2:] }
	cases := []replyCase{
		{"as it should be", readOf(3, 2), reply(as("", "")), "", false},
		{"in lower case", readOf(3, 2), reply(strings.ToLower), "", false},
		{"carriage return alone", readOf(3, 2), reply(as("\r\n", "\r")), "", false},
		{"line feed alone", readOf(3, 2), reply(as("\r\n", "\n")), "", false},
		{"noise before it", readOf(3, 2), reply(as(":", "\xFF0103\x00:")), "", false},
		{"begun twice", readOf(3, 2), reply(as(":", ":0103040D:")), "", false},
		{"a blank in it", readOf(3, 2), reply(as(":0103", ":01 03")), "no answer", false},
		{"no end", readOf(3, 2), reply(as("\r\n", "")), "no answer", false},
		{"no colon", readOf(3, 2), reply(as(":", "")), "no answer", false},
		{"a digit too many", readOf(3, 2), reply(as("\r", "0\r")), "no answer", false},
		{"a wrong LRC", readOf(3, 2), reply(wrong), "a wrong checksum", false},
		{"a wrong LRC of a write", writeOf(3, 2), reply(wrong), "a wrong checksum", false},
		{"nothing", readOf(3, 2), silent, "no answer", false},
		{"only a colon", readOf(3, 2), sends(':'), "no answer", false},
		{"RTU", readOf(3, 2), func(adu []byte) []part { return after(turnaround, rtuReplyTo(rtuOf(adu))) }, "no answer",
			false},
	}
	cases = append(cases, replyCase{"character by character", readOf(3, 2), func(adu []byte) []part {
		b := asciiFraming.reply(adu)
		ends := make([]int, len(b)-1)
		for i := range ends {
			ends[i] = i + 1
		}
		return inPieces(30*time.Millisecond, b, ends...)
	}, "", false})
	asciiFraming.play(t, cases)
}

// A late reply that is on its way when the next request is due is heard out.
func TestASCIIHearsOut(t *testing.T) {
	script := func(n int, adu []byte) []part {
		b := asciiFraming.reply(adu)
		if n > 0 {
			return after(turnaround, b)
		}
		return append(after(1100*time.Millisecond, b[:5]), inPieces(20*time.Millisecond, b[5:], 3, 5, 9)...)
	}
	asciiFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(3, 2)); err == nil {
			t.Error("it came in time")
		}
		time.Sleep(110 * time.Millisecond)
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		req := readOf(100, 2)
		resp, err := l.Exchange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		right(t, req, resp)
		if f := l.Frames(); len(p.requests()) != 2 || f.Late != 1 || f.Noise != 0 {
			t.Errorf("%d requests, %+v", len(p.requests()), f)
		}
	})
}

// However the characters come, the same frames are found, none is longer than a frame may be, and each character is of
// a frame, of an end, or wasted.
func FuzzASCIIText(f *testing.F) {
	f.Add(uint64(1), []byte(":1103006B00037E\r\n"))
	f.Add(uint64(2), []byte("\xff:11:1103006b00037e\r:0103\n\r"))
	f.Add(uint64(3), bytes.Repeat([]byte("A:"), 10))
	f.Add(uint64(4), append([]byte(":"), bytes.Repeat([]byte("0"), 600)...))
	f.Fuzz(func(t *testing.T, seed uint64, b []byte) {
		var p asciiText
		var frames [][]byte
		wasted, ends := 0, 0
		for _, c := range b {
			if (c == '\r' || c == '\n') && !p.begun() {
				ends++
			}
			frame, n := p.add(c)
			wasted += n
			if frame != nil {
				frames = append(frames, frame)
			}
		}
		wasted += p.drop()
		total := wasted + ends
		for _, frame := range frames {
			total += 2 + 2*(len(frame)-1)
			if len(frame) > rtuMax || len(frame) < 4 {
				t.Errorf("% x", frame)
			}
			var again asciiText
			sound := crc16(frame[:len(frame)-2]) == uint16(frame[len(frame)-2])|uint16(frame[len(frame)-1])<<8
			var back []byte
			for _, c := range asciiFrame(frame) {
				found, _ := again.add(c)
				back = append(back, found...)
			}
			if sound && !bytes.Equal(back, frame) {
				t.Errorf("% x comes back as % x", frame, back)
			}
		}
		if total != len(b) {
			t.Errorf("%d characters of %d", total, len(b))
		}
		r := rand.New(rand.NewPCG(seed, 0))
		stream := &ascii{noise: func(int) {}}
		var got []byte
		for len(b) > 0 {
			n := copy(stream.buf[:1+r.IntN(20)], b)
			b = b[n:]
			stream.take(n)
			piece := make([]byte, 1+r.IntN(300))
			got = append(got, piece[:stream.give(piece)]...)
		}
		rest := make([]byte, len(stream.ready))
		got = append(got, rest[:stream.give(rest)]...)
		if want := bytes.Join(frames, nil); !bytes.Equal(got, want) {
			t.Errorf("in pieces % x, not % x", got, want)
		}
	})
}
