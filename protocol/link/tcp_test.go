package link

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
)

func TestTCPReply(t *testing.T) {
	changed := func(change func(adu []byte)) func([]byte) []part {
		return func(adu []byte) []part {
			r := tcpReplyTo(adu)
			change(r)
			return after(turnaround, r)
		}
	}
	sound := changed(func([]byte) {})
	set := func(at int, to byte) func([]byte) []part {
		return changed(func(r []byte) { r[min(at, len(r)-1)] = to })
	}
	frame := func(pdu ...byte) func([]byte) []part { // with the right id
		return func(b []byte) []part { return after(turnaround, tcpFrame(binary.BigEndian.Uint16(b), 1, pdu...)) }
	}
	var babble []byte
	for i := range uint16(20) {
		babble = append(babble, tcpFrame(100+i, 1, 3, 4, 0, 0, 0, 0)...)
	}
	unit0 := protocol.Request{Range: protocol.Range{Table: protocol.InputRegister, Addr: 1, Count: 2}}
	tcpFraming.play(t, []replyCase{
		{"holding", readOf(4112, 45), sound, "", false},
		{"unit 0", unit0, sound, "", false},
		{"split", readOf(4112, 45), func(b []byte) []part { return inPieces(turnaround, tcpReplyTo(b), 3, 8) }, "",
			false},
		{"other transactions first", readOf(0, 2), func(b []byte) []part {
			others := append(tcpFrame(0xFFF0, 1, 3, 4, 0, 0, 0, 0), tcpFrame(0, 1, 3, 2, 0, 0)...)
			return after(turnaround, append(others, tcpReplyTo(b)...))
		}, "", false},
		{"exception", readOf(0, 2), frame(0x83, 11),
			"read holding 0+2 unit 1: exception 11 (gateway target device failed to respond)", false},
		{"silence", readOf(0, 2), silent, "read holding 0+2 unit 1: receive inverter:502: no answer within 1s", false},
		{"silence after a write", writeOf(0, 2), silent, "no answer within 1s, outcome unknown", false},
		{"wrong transaction", readOf(0, 2), changed(func(r []byte) { r[1] += 3 }), "only 1 replies to other requests",
			false},
		{"wrong unit", readOf(0, 2), set(6, 255), "from unit 255", false},
		{"wrong function", readOf(0, 2), set(7, 4), "for function 4, not 3", false},
		{"wrong byte count", readOf(0, 2), set(8, 2), "byte count of 2, not 4", false},
		{"too few registers", readOf(0, 2), frame(3, 2, 0, 9), "with a byte count of 2, not 4", false},
		{"long exception", readOf(0, 2), frame(0x83, 2, 0), "exception 2 (illegal data address)", false},
		{"wrong echo", writeOf(7, 2), set(11, 3), "echoing 00 07 00 03, not 00 07 00 02, outcome unknown", false},
		{"protocol id", readOf(0, 2), set(3, 1), "only 13 bytes that are no reply", false},
		{"length 0", readOf(0, 2), set(5, 0), "", false},
		{"length 65535", writeOf(0, 2), changed(func(r []byte) { r[4], r[5] = 255, 255 }), "", false},
		{"cut short", readOf(0, 9), func(b []byte) []part { return after(turnaround, tcpReplyTo(b)[:12]) },
			"only its first 12 bytes", false},
		{"babble", readOf(0, 2), sends(babble...), "more than 16 replies that answer nothing", true},
		{"hang-up", readOf(0, 2), sends(), "receive inverter:502: hung up by the other end", true},
		{"hang-up after a write", writeOf(0, 2), sends(), "hung up by the other end, outcome unknown", true},
	})
}

func TestTCPReopensAfterTimeouts(t *testing.T) {
	nothing := func(int, []byte) []part { return nil }
	tcpFraming.on(t, protocol.Quirks{}, 0, nothing, func(t *testing.T, l tested, p *peer) {
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

// A peer that has closed the idle connection costs nothing: it is noticed before the request goes out. Where it does so
// each time, one connection after the other is opened, also between two requests, and they count as one.
func TestTCPIdleClose(t *testing.T) {
	closed := make(chan struct{})
	address := listen(t, func(n int, c *net.TCPConn) {
		answer(c, 1)
		c.Close()
		closed <- struct{}{}
	})
	l := NewTCP(TCPConfig{Address: address})
	defer l.Close()
	exchange := func(want uint64) {
		t.Helper()
		resp, err := l.Exchange(t.Context(), readOf(0, 10))
		if err != nil || resp.Connection != want {
			t.Fatal(resp.Connection, err)
		}
		<-closed
	}
	open := func(want uint64) {
		t.Helper()
		if connection, err := l.Open(t.Context()); err != nil || connection != want {
			t.Fatal(connection, err)
		}
	}
	open(1)
	exchange(1)
	if _, err := l.Exchange(t.Context(), writeOf(0, 10)); !errors.Is(err, protocol.ErrDown) ||
		errors.Is(err, protocol.ErrOutcomeUnknown) {
		t.Errorf("a write on the closed connection: %v", err)
	}
	open(2)
	for range 3 {
		exchange(2)
	}
	open(2)
	exchange(2)
	if !l.Condition().Closes {
		t.Error("it is not said")
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
	tcpFraming.on(t, protocol.Quirks{}, 0, func(_ int, adu []byte) []part { return after(0, tcpReplyTo(adu)) },
		func(t *testing.T, l tested, p *peer) {
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

func TestTCPTransactionIDs(t *testing.T) {
	answer := func(id func(uint16) uint16) func(int, []byte) []part {
		return func(_ int, adu []byte) []part {
			return after(5*time.Millisecond, renumber(tcpReplyTo(adu), id(binary.BigEndian.Uint16(adu))))
		}
	}
	for name, script := range map[string]func(int, []byte) []part{
		"off by one":    answer(func(id uint16) uint16 { return id + 1 }),
		"swapped bytes": answer(bits.ReverseBytes16),
		"always 0":      answer(func(uint16) uint16 { return 0 }),
		"right":         answer(func(id uint16) uint16 { return id }),
	} {
		for _, mode := range []protocol.Transactions{protocol.StrictTransactions, protocol.ShapeTransactions} {
			tcpFraming.on(t, protocol.Quirks{Transactions: mode}, 0, script, func(t *testing.T, l tested, p *peer) {
				ok := mode == protocol.ShapeTransactions || name == "right"
				for i, req := range []protocol.Request{readOf(5, 10), writeOf(1, 2), readOf(60, 10)} {
					resp, err := l.Exchange(t.Context(), req)
					if (err == nil) != ok {
						t.Errorf("%s, mode %d: %v", name, mode, err)
					}
					if err == nil && req.Op == protocol.Read {
						right(t, req, resp)
					}
					if noted := l.Condition().Transactions; i == 0 && noted == ok {
						t.Errorf("%s, mode %d: noted is %v", name, mode, noted)
					}
				}
			})
		}
	}
}

// A server that sends sound replies for ever, to nobody, is left: before a request, and behind one.
func TestTCPGarbage(t *testing.T) {
	script := func(n int, adu []byte) []part {
		flood := []part{{5 * time.Millisecond, tcpReplyTo(adu)}}
		for range 200 {
			flood = append(flood, part{0, tcpFrame(9, 1, 3, 2, 0, 0)})
		}
		return flood
	}
	tcpFraming.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err := l.Exchange(t.Context(), writeOf(0, 10))
		if !fatal(err) || !errors.Is(err, protocol.ErrDown) || errors.Is(err, protocol.ErrOutcomeUnknown) ||
			!strings.Contains(err.Error(), "nobody asked for") {
			t.Error(err)
		}
		if conn := l.(*TCPLink).conn; time.Since(begun) > time.Second || conn != nil {
			t.Errorf("took %v, closed is %v", time.Since(begun), conn == nil)
		}
	})
}

// Ids of requests that may be answered at the same time are far apart, and none comes again soon.
func TestTransactions(t *testing.T) {
	var ids transactions
	now := time.Now()
	seen := make(map[uint16]int)
	for i := range 1 << 16 {
		id := ids.next(now.Add(time.Duration(i)))
		if at, again := seen[id]; again {
			t.Fatalf("id %d of request %d again for %d", id, at, i)
		}
		seen[id] = i
	}
	last := ids.last
	for back := range 64 {
		id := last - uint16(back)*transactionStep
		if back > 0 && min(id-last, last-id) < 500 {
			t.Errorf("id %d of %d requests before is next to %d", id, back, last)
		}
	}
	if kind, _ := ids.classify(last + 1); kind != foreign {
		t.Error(kind)
	}
	if kind, sent := ids.classify(last); kind != late || sent != now.Add(1<<16-1) {
		t.Error(kind, sent)
	}
	if kind, _ := ids.classify(last); kind != foreign {
		t.Error("a second reply to a late one:", kind)
	}
	id := ids.next(now)
	ids.answered()
	if kind, _ := ids.classify(id); kind != foreign {
		t.Error("a second reply:", kind)
	}
}
