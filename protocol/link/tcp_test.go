package link

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// onTCPPipe runs f in a bubble with a Modbus TCP link to a scripted peer.
func onTCPPipe(t *testing.T, script func(n int, adu []byte) []part, f func(t *testing.T, l *TCPLink, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		by, p, wait := pipeTo(t, tcpSize, script)
		l := NewTCP(TCPConfig{Address: "inverter:502", Dial: by})
		defer wait()
		defer l.Close()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, l, p)
	})
}

func TestTCPReply(t *testing.T) {
	const ms5 = 5 * time.Millisecond
	reply := func(change func(adu []byte)) func([]byte) []part {
		return func(adu []byte) []part {
			r := tcpReplyTo(adu)
			change(r)
			return after(ms5, r)
		}
	}
	tests := []struct {
		name   string
		req    protocol.Request
		script func(adu []byte) []part
		err    string
		closed bool // the connection is given up
	}{
		{"holding", readOf(4112, 45), reply(func([]byte) {}), "", false},
		{"unit 0", protocol.Request{Range: protocol.Range{Table: protocol.InputRegister, Addr: 1, Count: 2}},
			reply(func([]byte) {}), "", false},
		{"split", readOf(4112, 45), func(b []byte) []part {
			r := tcpReplyTo(b)
			return []part{{ms5, r[:3]}, {ms5, r[3:8]}, {ms5, r[8:]}}
		}, "", false},
		{"other transactions first", readOf(0, 2), func(b []byte) []part {
			return after(ms5, append(tcpFrame(0xFFF0, 1, 3, 4, 0, 0, 0, 0),
				append(tcpFrame(0, 1, 3, 2, 0, 0), tcpReplyTo(b)...)...))
		}, "", false},
		{"exception", readOf(0, 2), func(b []byte) []part {
			return after(ms5, tcpFrame(binary.BigEndian.Uint16(b), 1, 0x83, 11))
		}, "read holding 0+2 unit 1: exception 11 (gateway target device failed to respond)", false},
		{"silence", readOf(0, 2), func([]byte) []part { return nil },
			"read holding 0+2 unit 1: receive inverter:502: no answer within 1s", false},
		{"silence after a write", writeOf(0, 2), func([]byte) []part { return nil },
			"no answer within 1s, outcome unknown", false},
		{"wrong transaction", readOf(0, 2), reply(func(r []byte) { r[1] += 3 }), "only 1 replies to other requests",
			false},
		{"wrong unit", readOf(0, 2), reply(func(r []byte) { r[6] = 255 }), "from unit 255", true},
		{"wrong function", readOf(0, 2), reply(func(r []byte) { r[7] = 4 }), "for function 4, not 3", true},
		{"wrong byte count", readOf(0, 2), reply(func(r []byte) { r[8] = 2 }), "byte count of 2, not 4", true},
		{"too few registers", readOf(0, 2), func(b []byte) []part {
			return after(ms5, tcpFrame(binary.BigEndian.Uint16(b), 1, 3, 2, 0, 9))
		}, "with 2 data bytes", true},
		{"long exception", readOf(0, 2), func(b []byte) []part {
			return after(ms5, tcpFrame(binary.BigEndian.Uint16(b), 1, 0x83, 2, 0))
		}, "an exception of 2 bytes", true},
		{"wrong echo", writeOf(7, 2), reply(func(r []byte) { r[11] = 3 }),
			"echoing 00 07 00 03, not 00 07 00 02, outcome unknown", true},
		{"protocol id", readOf(0, 2), reply(func(r []byte) { r[3] = 1 }), "protocol id 1, not 0", true},
		{"length 0", readOf(0, 2), reply(func(r []byte) { r[4], r[5] = 0, 0 }), "length field 0, not 3..254", true},
		{"length 65535", writeOf(0, 2), reply(func(r []byte) { r[4], r[5] = 255, 255 }),
			"length field 65535, not 3..254, outcome unknown", true},
		{"babble", readOf(0, 2), func([]byte) []part {
			var b []byte
			for i := range uint16(20) {
				b = append(b, tcpFrame(100+i, 1, 3, 4, 0, 0, 0, 0)...)
			}
			return after(ms5, b)
		}, "more than 16 replies that answer nothing", true},
		{"hang-up", readOf(0, 2), func([]byte) []part { return []part{{ms5, nil}} },
			"receive inverter:502: hung up by the other end", true},
		{"hang-up after a write", writeOf(0, 2), func([]byte) []part { return []part{{ms5, nil}} },
			"hung up by the other end, outcome unknown", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onTCPPipe(t, func(_ int, adu []byte) []part { return tt.script(adu) },
				func(t *testing.T, l *TCPLink, p *peer) {
					resp, err := l.Exchange(t.Context(), tt.req)
					if tt.err == "" {
						if err != nil {
							t.Fatal(err)
						}
						right(t, tt.req, resp)
					} else if err == nil || !strings.Contains(err.Error(), tt.err) {
						t.Fatalf("error %q, want one with %q", fmt.Sprint(err), tt.err)
					}
					if broken := fatal(err); broken != tt.closed {
						t.Errorf("fatal is %v", broken)
					}
					if (l.conn == nil) != tt.closed {
						t.Errorf("closed is %v, want %v", l.conn == nil, tt.closed)
					}
					if _, broken := errors.AsType[*protocol.LinkError](err); broken &&
						errors.Is(err, protocol.ErrOutcomeUnknown) != (tt.req.Op != protocol.Read) {
						t.Errorf("outcome unknown: %v", err)
					}
				})
		})
	}
}

// A late answer costs its own request and no other one.
func TestTCPLateAnswer(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 2 {
			return after(1200*time.Millisecond, tcpReplyTo(adu))
		}
		return after(5*time.Millisecond, tcpReplyTo(adu))
	}
	onTCPPipe(t, script, func(t *testing.T, l *TCPLink, p *peer) {
		for i := range uint16(10) {
			req := readOf(i, 10)
			resp, err := l.Exchange(t.Context(), req)
			if i == 2 {
				if !errors.Is(err, protocol.ErrTimeout) {
					t.Fatal(err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			right(t, req, resp)
		}
		if f := l.Frames(); f.Late != 1 || f.Foreign != 0 {
			t.Errorf("frames %+v", f)
		}
	})
}

func TestTCPReopensAfterTimeouts(t *testing.T) {
	onTCPPipe(t, func(int, []byte) []part { return nil }, func(t *testing.T, l *TCPLink, p *peer) {
		for range maxTimeouts {
			if connection, err := l.Open(t.Context()); err != nil || connection != 1 {
				t.Fatal(connection, err)
			}
			if _, err := l.Exchange(t.Context(), readOf(0, 1)); !errors.Is(err, protocol.ErrTimeout) {
				t.Fatal(err)
			}
		}
		if connection, err := l.Open(t.Context()); err != nil || connection != 2 {
			t.Errorf("connection %d, want 2: %v", connection, err)
		}
	})
}

func TestTCPConnectDelayAndGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		by, _, wait := pipeTo(t, tcpSize, func(_ int, adu []byte) []part { return after(0, tcpReplyTo(adu)) })
		l := NewTCP(TCPConfig{Address: "a:502", Dial: by, Quirks: protocol.Quirks{ConnectDelay: 2 * time.Second},
			Gap: 100 * time.Millisecond})
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
		if err != nil || second.Sent.Sub(first.Done) < 100*time.Millisecond {
			t.Error(second.Sent.Sub(first.Done), err)
		}
	})
}

func TestTCPNotSent(t *testing.T) {
	onTCPPipe(t, func(int, []byte) []part { return nil }, func(t *testing.T, l *TCPLink, p *peer) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Exchange(ended, writeOf(0, 1)); !errors.Is(err, context.Canceled) || fatal(err) {
			t.Error(err)
		}
		old := writeOf(0, 1)
		old.Deadline = time.Now().Add(-time.Second)
		if _, err := l.Exchange(t.Context(), old); !errors.Is(err, protocol.ErrExpired) ||
			errors.Is(err, protocol.ErrOutcomeUnknown) {
			t.Error(err)
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

// listen serves real connections, one after another, with what serve does.
func listen(t *testing.T, serve func(n int, c *net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for n := 0; ; n++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serve(n, c.(*net.TCPConn))
			c.Close()
		}
	})
	t.Cleanup(func() {
		ln.Close()
		done.Wait()
	})
	return ln.Addr().String()
}

// answer replies to up to n requests of a real connection.
func answer(c net.Conn, n int) {
	buf := make([]byte, 512)
	for range n {
		got, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(tcpReplyTo(buf[:got])); err != nil {
			return
		}
	}
}

// A peer that has closed the idle connection costs nothing: it is noticed before the request goes out.
func TestTCPIdleClose(t *testing.T) {
	closed := make(chan struct{})
	address := listen(t, func(n int, c *net.TCPConn) {
		answer(c, 1)
		c.Close()
		closed <- struct{}{}
	})
	l := NewTCP(TCPConfig{Address: address})
	defer l.Close()
	for want := range uint64(3) {
		connection, err := l.Open(t.Context())
		if err != nil || connection != want+1 {
			t.Fatal(connection, err)
		}
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); err != nil {
			t.Fatal(err)
		}
		<-closed
	}
	if _, err := l.Exchange(t.Context(), writeOf(0, 10)); !errors.Is(err, protocol.ErrDown) ||
		errors.Is(err, protocol.ErrOutcomeUnknown) {
		t.Errorf("a write on the closed connection: %v", err)
	}
}

func TestTCPReset(t *testing.T) {
	address := listen(t, func(n int, c *net.TCPConn) {
		if n == 0 {
			_, _ = c.Read(make([]byte, 5))
			_ = c.SetLinger(0)
			return
		}
		answer(c, 1)
	})
	l := NewTCP(TCPConfig{Address: address})
	defer l.Close()
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Exchange(t.Context(), writeOf(0, 10)); !fatal(err) || !errors.Is(err, protocol.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	if _, err := l.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Exchange(t.Context(), readOf(0, 10)); err != nil {
		t.Fatal(err)
	}
}

func TestTCPRefused(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	_, err = NewTCP(TCPConfig{Address: ln.Addr().String(), Name: "roof"}).Open(t.Context())
	if !fatal(err) || !strings.HasPrefix(err.Error(), "open roof: ") {
		t.Error(err)
	}
}

// Units on one connection share its transaction ids, each its own, and Modbus TCP addresses any byte.
func TestTCPTransactions(t *testing.T) {
	onTCPPipe(t, func(_ int, adu []byte) []part { return after(0, tcpReplyTo(adu)) },
		func(t *testing.T, l *TCPLink, p *peer) {
			for _, unit := range []protocol.UnitID{1, 2, 0, 255, 1, 2} {
				req := readOf(9, 3)
				req.Unit = unit
				resp, err := l.Exchange(t.Context(), req)
				if err != nil {
					t.Fatal(err)
				}
				right(t, req, resp)
			}
			seen := make(map[uint16]bool)
			for i, adu := range p.requests() {
				id := binary.BigEndian.Uint16(adu)
				if seen[id] || seen[id-1] || seen[id+1] {
					t.Errorf("request %d has transaction id %d, and there are %v", i, id, seen)
				}
				seen[id] = true
			}
		})
}
