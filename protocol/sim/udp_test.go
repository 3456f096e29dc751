package sim

import (
	"bytes"
	"context"
	"net"
	"slices"
	"testing"
	"time"
)

// serveUDP serves a line on a free port until the test ends.
func serveUDP(t *testing.T, line *Line, framing Framing) (address string) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	untilEnd(t, func(ctx context.Context) error { return line.ServeUDP(ctx, pc, framing) })
	return pc.LocalAddr().String()
}

func dialUDP(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return c
}

// asks sends one datagram and wants to get another.
func asks(t *testing.T, c net.Conn, request, want []byte) {
	t.Helper()
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 600)
	n, err := c.Read(got)
	if err != nil || !bytes.Equal(got[:n], want) {
		t.Errorf("% x: % x, %v, not % x", request, got[:n], err, want)
	}
}

// again sends a datagram until it is answered: what comes while a connection ends is lost.
func again(t *testing.T, c net.Conn, request []byte) {
	t.Helper()
	for until := time.Now().Add(patience); ; {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 600)); err == nil {
			return
		}
		if time.Now().After(until) {
			t.Fatal("no answer any more")
		}
	}
}

// Each peer has its answers to itself, a datagram with more or less than a frame is noise, and a fault that ends a
// connection is not the end of the peer.
func TestServeUDP(t *testing.T) {
	for framing, wrap := range map[Framing]func(...byte) []byte{
		TCP: func(pdu ...byte) []byte { return tcp(7, 1, pdu...) },
		RTU: func(pdu ...byte) []byte { return rtu(1, pdu...) },
	} {
		line := NewLine(Options{}, newUnit(1))
		address := serveUDP(t, line, framing)
		one, other := dialUDP(t, address), dialUDP(t, address)
		request, reply := wrap(pdu(3, 5, 1)...), wrap(3, 2, 0x03, 0xED)
		short, long := request[:7], append(slices.Clone(request), 0)
		for _, noise := range [][]byte{short, long, slices.Concat(request, request), {0xFF}} {
			if _, err := one.Write(noise); err != nil {
				t.Fatal(err)
			}
		}
		asks(t, one, request, reply)
		asks(t, other, request, reply)
		line.Play(NewScript(1, Fault{Kind: CloseAfter, Count: 1}))
		asks(t, other, request, reply)
		again(t, other, request)
		counts := line.Journal().Counts()
		if want := len(short) + len(long) + 2*len(request) + 1; counts.Noise != want || counts.Requests < 4 {
			t.Errorf("%v: %+v, not %d bytes of noise", framing, counts, want)
		}
		if got := line.Journal().Since(0); got[0].Connection == got[1].Connection {
			t.Errorf("two peers are one connection: %v", got)
		}
	}
}

// A drip comes late but whole, and half a reply is a datagram.
func TestDatagramsAreNotSplit(t *testing.T) {
	line := NewLine(Options{Serial: &serial9600}, newUnit(1))
	line.Play(NewScript(1, Fault{Kind: Drip, Delay: 10 * time.Millisecond, Count: 1}))
	reply := tcp(7, 1, 3, 2, 0x03, 0xED)
	bubble(t, line, Datagrams(TCP), func(t *testing.T, c client) {
		c.send(tcp(7, 1, pdu(3, 5, 1)...))
		got := make([]byte, 600)
		begun := time.Now()
		n, err := c.Read(got)
		if took := time.Since(begun); !bytes.Equal(got[:n], reply) || err != nil || took < 100*time.Millisecond {
			t.Errorf("% x behind %v, %v", got[:n], took, err)
		}
	})
	if s := Datagrams(TCP).String(); s != "tcp in datagrams" {
		t.Error(s)
	}
}
