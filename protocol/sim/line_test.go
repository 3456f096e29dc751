package sim

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

var (
	readTwo  = rtu(1, pdu(3, 5, 2)...)
	twoWords = rtu(1, 3, 4, 0x03, 0xED, 0x03, 0xEE)
	writeOne = rtu(1, pdu(6, 5, 77)...)
)

// On a clock of its own a paced line is exact: the request's characters, t3.5, the turnaround, and each character of
// the reply.
func TestPace(t *testing.T) {
	for _, tt := range []struct {
		serial     protocol.Serial
		turnaround time.Duration
	}{
		{serial9600, 0}, {serial9600, 20 * time.Millisecond},
		{protocol.Serial{Baud: 19200, DataBits: 8, Parity: protocol.EvenParity, StopBits: 1}, 5 * time.Millisecond},
		{protocol.Serial{Baud: 115200, DataBits: 8, StopBits: 1}, time.Millisecond},
	} {
		t.Run(tt.serial.String(), func(t *testing.T) {
			line := NewLine(Options{Serial: &tt.serial, Turnaround: tt.turnaround}, newUnit(1))
			bubble(t, line, RTU, func(t *testing.T, c client) {
				request, reply := rtu(1, pdu(3, 5, 100)...), 205
				for range 3 {
					begun := time.Now()
					c.send(request)
					buf := make([]byte, 1)
					if _, err := io.ReadFull(c, buf); err != nil {
						t.Fatal(err)
					}
					first := time.Since(begun)
					if _, err := io.ReadFull(c, make([]byte, reply-1)); err != nil {
						t.Fatal(err)
					}
					heard := tt.serial.Chars(8) + tt.serial.Silence() + tt.turnaround
					if want := heard + tt.serial.Chars(1); first < want || first > want+time.Millisecond {
						t.Errorf("first byte behind %v, not %v", first, want)
					}
					if got, want := time.Since(begun), heard+tt.serial.Chars(reply); got != want {
						t.Errorf("last byte behind %v, not %v", got, want)
					}
					time.Sleep(tt.serial.Silence())
				}
			})
			for _, e := range line.Journal().Since(0) {
				if got := e.Received.Sub(e.At); got != tt.serial.Chars(8) || e.TooShort {
					t.Errorf("the request took %v, gap %v", got, e.Gap)
				}
			}
		})
	}
}

// Modbus TCP with a pace is a gateway: the reply comes whole when its last character has come in over the serial line.
func TestPaceBehindGateway(t *testing.T) {
	line := NewLine(Options{Serial: &serial9600, Turnaround: time.Millisecond}, newUnit(1))
	bubble(t, line, TCP, func(t *testing.T, c client) {
		begun := time.Now()
		c.send(tcp(1, 1, pdu(3, 5, 2)...))
		buf := make([]byte, 100)
		n, err := c.Read(buf)
		if want := tcp(1, 1, 3, 4, 0x03, 0xED, 0x03, 0xEE); err != nil || !bytes.Equal(buf[:n], want) {
			t.Errorf("% x, %v", buf[:n], err)
		}
		if got, want := time.Since(begun), serial9600.Chars(8+9)+serial9600.Silence()+time.Millisecond; got != want {
			t.Errorf("behind %v, not %v", got, want)
		}
		c.send(tcp(2, 1, pdu(3, 5, 2)...))
		c.within(time.Second)
	})
	if got := line.Journal().Counts(); got.Requests != 2 || got.TooShort != 0 {
		t.Errorf("a gateway keeps t3.5 by itself: %+v", got)
	}
}

// A request that waited behind another goes over the wire when that is done.
func TestPaceOfQueued(t *testing.T) {
	line := NewLine(Options{Serial: &serial9600, Turnaround: 20 * time.Millisecond}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		begun := time.Now()
		c.send(slices.Concat(readTwo, readTwo))
		if _, err := io.ReadFull(c, make([]byte, 2*len(twoWords))); err != nil {
			t.Fatal(err)
		}
		one := serial9600.Chars(8) + serial9600.Silence() + 20*time.Millisecond + serial9600.Chars(9)
		if got := time.Since(begun); got != 2*one {
			t.Errorf("behind %v, not %v", got, 2*one)
		}
	})
	if got := line.Journal().Counts(); got.TooShort != 1 {
		t.Errorf("%+v", got)
	}
}

func TestUnpaced(t *testing.T) {
	slow := newUnit(2)
	slow.Turnaround(time.Second)
	line := NewLine(Options{}, newUnit(1), slow)
	bubble(t, line, RTU, func(t *testing.T, c client) {
		c.gets("at once", readTwo, 1, twoWords)
		c.gets("before the unit's own turnaround", rtu(2, pdu(3, 5, 1)...), time.Second-1, nil)
		if got := c.within(1 + time.Nanosecond); len(got) != 7 {
			t.Errorf("behind the unit's own turnaround: % x", got)
		}
	})
}

func TestSplitAndNoise(t *testing.T) {
	line := NewLine(Options{}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		for _, b := range readTwo {
			c.send([]byte{b})
			time.Sleep(40 * time.Millisecond) // below Stall
		}
		if got := c.within(1); !bytes.Equal(got, twoWords) {
			t.Errorf("split: % x", got)
		}
		c.send([]byte{0, 0xFF, 0})
		c.gets("behind noise", readTwo, 1, twoWords)
		c.send(readTwo[:5])
		time.Sleep(51 * time.Millisecond)
		c.gets("behind half a request", readTwo, 1, twoWords)
		c.gets("unknown function", rtu(1, 0x2B, 14, 1, 0), 60*time.Millisecond, rtu(1, 0xAB, 1))
	})
	if got := line.Journal().Counts(); got.Noise != 8 || got.Requests != 4 || got.Exceptions != 1 {
		t.Errorf("%+v", got)
	}
	split := line.Journal().Since(0)[0]
	if got := split.Arrived.Sub(split.At); got != 7*40*time.Millisecond {
		t.Errorf("arrived in %v", got)
	}
}

func TestUnits(t *testing.T) {
	one, two := newUnit(1), newUnit(2)
	for _, tt := range []struct {
		name    string
		options Options
		framing Framing
		given   []byte
		want    []byte
		done    bool
	}{
		{"another unit on RTU", Options{}, RTU, rtu(9, pdu(3, 5, 2)...), nil, false},
		{"another unit on TCP", Options{}, TCP, tcp(4, 9, pdu(3, 5, 2)...), tcp(4, 9, 0x83, 11), false},
		{"another unit on a silent gateway", Options{SilentTCP: true}, TCP, tcp(4, 9, pdu(3, 5, 2)...), nil, false},
		{"unit 0 on TCP is as any", Options{}, TCP, tcp(4, 0, pdu(3, 5, 2)...), tcp(4, 0, 0x83, 11), false},
		{"the second unit", Options{}, RTU, rtu(2, pdu(3, 5, 1)...), rtu(2, 3, 2, 0x03, 0xED), true},
		{"an unknown function on TCP", Options{}, TCP, tcp(4, 1, 99), tcp(4, 1, 99|0x80, 1), false},
		{"a broadcast read", Options{}, RTU, rtu(0, pdu(3, 5, 1)...), nil, false},
		{"a broadcast write", Options{}, RTU, rtu(0, pdu(6, 5, 77)...), nil, true},
	} {
		line := NewLine(tt.options, one, two)
		bubble(t, line, tt.framing, func(t *testing.T, c client) {
			c.gets(tt.name, tt.given, time.Second, tt.want)
		})
		e := line.Journal().Since(0)[0]
		if e.CarriedOut != tt.done || (e.Exception != 0) != (tt.want != nil && !tt.done) {
			t.Errorf("%s: %+v", tt.name, e)
		}
	}
	if one.ID() != 1 || word(t, one, 5) != 77 || word(t, two, 5) != 77 {
		t.Error("the broadcast was not carried out by all")
	}
}

func TestOffAndRemove(t *testing.T) {
	u := newUnit(1)
	line := NewLine(Options{}, u)
	bubble(t, line, RTU, func(t *testing.T, c client) {
		line.Off()
		c.gets("off", writeOne, time.Second, nil)
		line.On()
		c.gets("on", writeOne, time.Second, writeOne)
		line.Remove(1)
		c.gets("removed", readTwo, time.Second, nil)
	})
	got := line.Journal().Since(0)
	if len(got) != 3 || got[0].Fault != "off" || got[0].CarriedOut || !got[1].CarriedOut ||
		got[2].Fault != "foreign unit" {
		t.Errorf("%v", got)
	}
}

// A request that comes while the unit still answers is answered behind it, or nobody has heard it.
func TestBusy(t *testing.T) {
	other := rtu(1, pdu(3, 7, 1)...)
	for busy, want := range map[Busy][]byte{
		Queues: slices.Concat(twoWords, rtu(1, 3, 2, 0x03, 0xEF)),
		Loses:  twoWords,
	} {
		line := NewLine(Options{Busy: busy, Turnaround: time.Millisecond}, newUnit(1))
		line.Play(NewScript(1, Fault{Kind: Late, Delay: time.Second, Count: 1}))
		bubble(t, line, RTU, func(t *testing.T, c client) {
			c.gets("half a second later", readTwo, 500*time.Millisecond, nil)
			c.gets("while it is busy", other, time.Second, want)
			c.gets("then idle", other, time.Second, rtu(1, 3, 2, 0x03, 0xEF))
		})
		if got := line.Journal().Counts().Lost; busy == Loses && got != 8 || busy == Queues && got != 0 {
			t.Errorf("busy %d: %d bytes lost", busy, got)
		}
	}
}

func TestMinGap(t *testing.T) {
	line := NewLine(Options{Serial: &serial9600, MinGap: 300 * time.Millisecond}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		for _, tt := range []struct {
			pause time.Duration
			heard bool
		}{{0, true}, {299 * time.Millisecond, false}, {300 * time.Millisecond, true}} {
			time.Sleep(tt.pause)
			c.send(readTwo)
			if _, err := io.ReadFull(c, make([]byte, 1)); (err == nil) != tt.heard {
				t.Errorf("behind %v: %v", tt.pause, err)
			}
			if err := c.SetReadDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			if tt.heard {
				_, _ = io.ReadFull(c, make([]byte, len(twoWords)-1))
			}
			if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got := line.Journal().Since(0); len(got) != 3 || got[1].Fault != "too soon" ||
		got[1].Gap != 299*time.Millisecond {
		t.Errorf("%v", got)
	}
}

// Requests sooner than t3.5 behind the last byte of a reply are counted; exactly t3.5 is right.
func TestTooShort(t *testing.T) {
	line := NewLine(Options{Serial: &serial9600}, newUnit(1))
	silence := serial9600.Silence()
	bubble(t, line, RTU, func(t *testing.T, c client) {
		for _, pause := range []time.Duration{0, silence, silence - 1, 2 * silence} {
			time.Sleep(pause)
			c.send(readTwo)
			if _, err := io.ReadFull(c, make([]byte, len(twoWords))); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got := line.Journal().Counts(); got.TooShort != 1 || got.ShortestGap != silence-1 {
		t.Errorf("%+v", got)
	}
}

// The faults on the wire: what comes, when, and what was carried out.
func TestFaultsOnTheLine(t *testing.T) {
	for _, tt := range []struct {
		fault  Fault
		want   []byte
		behind time.Duration // when the last byte comes
		stored bool
		closed bool
	}{
		{Fault{Kind: Drop}, nil, 0, false, false},
		{Fault{Kind: ReplyLost}, nil, 0, true, false},
		{Fault{Kind: Late, Delay: time.Second}, writeOne, time.Second, true, false},
		{Fault{Kind: Exception, Code: 6}, rtu(1, 0x86, 6), 0, false, false},
		{Fault{Kind: Echo}, slices.Concat(writeOne, writeOne), 0, true, false},
		{Fault{Kind: Drip, Delay: 100 * time.Millisecond}, writeOne, 800 * time.Millisecond, true, false},
		{Fault{Kind: HangUp}, writeOne[:4], 0, true, true},
		{Fault{Kind: CloseBefore}, nil, 0, true, true},
		{Fault{Kind: CloseAfter}, writeOne, 0, true, true},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			u := newUnit(1)
			line := NewLine(Options{}, u)
			tt.fault.Match.Functions = WriteFunctions
			line.Play(NewScript(1, tt.fault))
			bubble(t, line, RTU, func(t *testing.T, c client) {
				begun := time.Now()
				c.gets("under a fault", writeOne, 2*time.Second, tt.want)
				if got := word(t, u, 5) == 77; got != tt.stored {
					t.Errorf("stored: %v", got)
				}
				e := line.Journal().Since(0)[0]
				if e.Fault != string(tt.fault.Kind) || e.CarriedOut != tt.stored || !bytes.Equal(e.Reply, tt.want) {
					t.Errorf("journal: %+v", e)
				}
				if len(tt.want) > 0 && e.Replied.Sub(begun) != tt.behind {
					t.Errorf("came behind %v, not %v", e.Replied.Sub(begun), tt.behind)
				}
				line.Play(nil)
				_, err := c.Write(rtu(1, pdu(3, 7, 1)...))
				if (err != nil) != tt.closed {
					t.Errorf("afterwards: %v", err)
				}
				if err == nil {
					if got := c.within(time.Second); !bytes.Equal(got, rtu(1, 3, 2, 0x03, 0xEF)) {
						t.Errorf("afterwards: % x", got)
					}
				}
			})
			if got := line.Journal().Counts(); got.Faults != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// What is not Modbus TCP ends the connection with an error that says why.
func TestNonsenseOnTCP(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := NewLine(Options{}, newUnit(1))
		here, there := net.Pipe()
		served := make(chan error, 1)
		go func() { served <- line.ServeConn(t.Context(), there, TCP) }()
		if _, err := here.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
			t.Fatal(err)
		}
		if err := <-served; err == nil ||
			err.Error() != "serve connection 1: not Modbus TCP: protocol id 21536, not 0" {
			t.Error(err)
		}
		if line.Journal().Counts().Noise != 16 {
			t.Errorf("%+v", line.Journal().Counts())
		}
	})
}

// A client that reads no replies does not hold up an RTU line for ever: the bytes are lost.
func TestNobodyReads(t *testing.T) {
	line := NewLine(Options{}, newUnit(1))
	bubble(t, line, RTU, func(t *testing.T, c client) {
		c.send(readTwo)
		time.Sleep(writeWithin)
		synctest.Wait()
		c.gets("behind a reply that nobody read", writeOne, time.Second, writeOne)
	})
}
