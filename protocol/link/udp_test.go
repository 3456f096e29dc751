package link

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
)

// udpFraming and rtuOverUDP are as their framings, one frame in each datagram.
var (
	udpFraming = over(tcpFraming, func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewUDP(UDPConfig{Address: "inverter:502", Dial: by, Quirks: q, Gap: gap})
	})
	rtuOverUDP = over(rtuFraming, func(by DialFunc, q protocol.Quirks, gap time.Duration) tested {
		return NewRTUOverUDP(UDPConfig{Address: "logger:502", Dial: by, Quirks: q, Gap: gap})
	})
)

func over(f framing, link func(DialFunc, protocol.Quirks, time.Duration) tested) framing {
	f.name, f.link = f.name+" over UDP", link
	return f
}

// What is more or less than a frame is dropped, and the reply behind it is taken. A reply in two datagrams is none.
func TestDatagramIsOneFrame(t *testing.T) {
	for _, f := range []framing{udpFraming, rtuOverUDP} {
		for _, tt := range []struct {
			name string
			send func(reply []byte) []part
			ok   bool
		}{
			{"short", func(r []byte) []part { return append(after(1, r[:len(r)-1]), part{1, r}) }, true},
			{"long", func(r []byte) []part { return append(after(1, append(slices.Clone(r), 0)), part{1, r}) }, true},
			{"two in one", func(r []byte) []part { return append(after(1, slices.Concat(r, r)), part{1, r}) }, true},
			{"noise", func(r []byte) []part { return append(after(1, []byte{0xFF, 0, 1}), part{1, r}) }, true},
			{"split", func(r []byte) []part { return append(after(1, r[:5]), part{1, r[5:]}) }, false},
		} {
			script := func(_ int, adu []byte) []part { return tt.send(f.reply(adu)) }
			f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
				_, err := l.Exchange(t.Context(), readOf(3, 2))
				if (err == nil) != tt.ok || l.Frames().Noise == 0 {
					t.Errorf("%s, %s: %v, %+v", f.name, tt.name, err, l.Frames())
				}
			})
		}
	}
}

// What the network doubles, or brings late, is never the reply to the next request.
func TestDatagramsLate(t *testing.T) {
	for _, f := range []framing{udpFraming, rtuOverUDP} {
		script := func(n int, adu []byte) []part {
			reply := f.reply(adu)
			switch n {
			case 0:
				return append(after(1, reply), part{1, reply})
			case 1:
				return after(1500*time.Millisecond, reply)
			}
			return after(turnaround, reply)
		}
		f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			for n := range 6 {
				req := readOf(uint16(100*n), 2)
				resp, err := l.Exchange(t.Context(), req)
				if n == 1 {
					if !errors.Is(err, protocol.ErrTimeout) {
						t.Errorf("%s: %v", f.name, err)
					}
				} else if err != nil {
					t.Errorf("%s: #%d: %v", f.name, n, err)
				} else {
					right(t, req, resp)
				}
				time.Sleep(time.Second)
			}
		})
	}
}

// RTU takes another port behind a time-out, and stays the same connection to its owner.
func TestRTUOverUDPTakesAnotherPort(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ports []string
	var serving sync.WaitGroup
	serving.Go(func() {
		buf := make([]byte, 300)
		for n := 0; ; n++ {
			size, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			if ports = append(ports, from.String()); n == 1 {
				continue
			}
			if _, err := pc.WriteTo(rtuReplyTo(buf[:size]), from); err != nil {
				return
			}
		}
	})
	l := NewRTUOverUDP(UDPConfig{Address: pc.LocalAddr().String(), Timeout: 10 * time.Second})
	defer l.Close()
	first, err := l.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	short := readOf(7, 3)
	short.Pace.Timeout = 20 * time.Millisecond
	for n, req := range []protocol.Request{readOf(3, 2), short, readOf(3, 2), readOf(9, 2)} {
		if _, err := l.Exchange(t.Context(), req); (err != nil) != (n == 1) {
			t.Errorf("#%d: %v", n, err)
		}
	}
	if again, err := l.Open(t.Context()); err != nil || again != first {
		t.Errorf("connection %d, then %d, %v", first, again, err)
	}
	pc.Close()
	serving.Wait()
	if len(ports) != 4 || ports[0] != ports[1] || ports[1] == ports[2] || ports[2] != ports[3] {
		t.Error(ports)
	}
}

// A port that is closed is told at once, in words.
func TestDatagramRefused(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc.Close()
	l := NewUDP(UDPConfig{Address: pc.LocalAddr().String(), Timeout: 10 * time.Second})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = l.Exchange(t.Context(), readOf(3, 2))
	if !errors.Is(err, protocol.ErrHungUp) || !strings.Contains(err.Error(), "nothing listens on its UDP port") {
		t.Error(err)
	}
	if _, err := l.Open(t.Context()); err != nil {
		t.Error("it cannot be opened again:", err)
	}
}

// What a datagram says is a frame is one, and nothing else, whatever comes; and a link reads it as it is.
func FuzzDatagram(f *testing.F) {
	f.Add(tcpFrame(7, 1, 3, 4, 0, 1, 0, 2))
	f.Add(rtu(1, 3, 4, 0, 1, 0, 2))
	f.Add(rtu(1, 0x83, 2, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		if isMBAP(b) {
			if r := replyIn(b); r.shape.function == 0 {
				t.Errorf("% x is no reply", b)
			}
		}
		if isRTU(b) && crc16(b[:len(b)-2]) != uint16(b[len(b)-2])|uint16(b[len(b)-1])<<8 {
			t.Errorf("% x is not sound", b)
		}
	})
}
