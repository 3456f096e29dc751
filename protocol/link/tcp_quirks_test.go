package link

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// onQuirkyTCPPipe is onTCPPipe with what is known of the gateway.
func onQuirkyTCPPipe(t *testing.T, quirks protocol.Quirks, script func(n int, adu []byte) []part,
	f func(t *testing.T, l *TCPLink, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		by, p, wait := pipeTo(t, tcpSize, script)
		l := NewTCP(TCPConfig{Address: "gateway:502", Dial: by, Quirks: quirks})
		defer wait()
		defer l.Close()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, l, p)
	})
}

// renumber gives a reply another transaction id.
func renumber(adu []byte, id uint16) []byte {
	binary.BigEndian.PutUint16(adu, id)
	return adu
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
			onQuirkyTCPPipe(t, protocol.Quirks{Transactions: mode}, script, func(t *testing.T, l *TCPLink, p *peer) {
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

// With ids that say nothing a late answer is told by its shape, and a probe settles what may still come.
func TestTCPShapeLate(t *testing.T) {
	script := func(n int, adu []byte) []part {
		wait := 5 * time.Millisecond
		if n == 1 {
			wait = 1500 * time.Millisecond
		}
		return after(wait, renumber(tcpReplyTo(adu), 0))
	}
	onQuirkyTCPPipe(t, protocol.Quirks{Transactions: protocol.ShapeTransactions}, script,
		func(t *testing.T, l *TCPLink, p *peer) {
			for i := range uint16(6) {
				req := readOf(100*i, 10)
				resp, err := l.Exchange(t.Context(), req)
				if errors.Is(err, protocol.ErrTimeout) != (i == 1) {
					t.Fatal(i, err)
				}
				if err == nil {
					right(t, req, resp)
				}
			}
			if f, c := l.Frames(), l.Condition(); f.Late == 0 || c.Latest < 1500*time.Millisecond ||
				c.Latest > 1600*time.Millisecond {
				t.Errorf("%+v, %+v", f, c)
			}
		})
}

func TestTCPUnits(t *testing.T) {
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
		for _, mode := range []protocol.Transactions{protocol.StrictTransactions, protocol.ShapeTransactions} {
			script := func(_ int, adu []byte) []part {
				r := tcpReplyTo(adu)
				r[6] = tt.as
				return after(5*time.Millisecond, r)
			}
			onQuirkyTCPPipe(t, protocol.Quirks{Units: tt.units, Transactions: mode}, script,
				func(t *testing.T, l *TCPLink, p *peer) {
					req := readOf(7, 10)
					resp, err := l.Exchange(t.Context(), req)
					if (err == nil) != tt.ok || l.Condition().Units != tt.noted {
						t.Errorf("as unit %d, mode %d: %v, %+v", tt.as, mode, err, l.Condition())
					}
					if err == nil {
						right(t, req, resp)
					}
				})
		}
	}
}

func TestTCPFirst(t *testing.T) {
	script := func(_ int, adu []byte) []part { return after(3*time.Second, tcpReplyTo(adu)) }
	onTCPPipe(t, script, func(t *testing.T, l *TCPLink, p *peer) {
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
	})
}

func TestTCPCondition(t *testing.T) {
	script := func(n int, adu []byte) []part {
		switch r := tcpReplyTo(adu); n {
		case 0:
			return after(1200*time.Millisecond, r)
		case 2:
			return after(5*time.Millisecond, append(r, r...))
		default:
			return after(5*time.Millisecond, r)
		}
	}
	for name, pause := range map[string]time.Duration{"during the next request": 0,
		"between requests": time.Minute / 2} {
		t.Run(name, func(t *testing.T) {
			onTCPPipe(t, script, func(t *testing.T, l *TCPLink, p *peer) {
				slow := readOf(0, 10)
				slow.Pace.Gap = 90 * time.Millisecond
				for i := range 4 {
					if _, err := l.Exchange(t.Context(), slow); errors.Is(err, protocol.ErrTimeout) != (i == 0) {
						t.Fatal(i, err)
					}
					if i == 0 {
						time.Sleep(pause)
					}
				}
				got := l.Condition()
				if got.Gap != 90*time.Millisecond || got.Latest < time.Second || got.Latest > 1300*time.Millisecond {
					t.Errorf("%+v", got)
				}
				if f := l.Frames(); f.Late != 1 || f.Foreign != 1 {
					t.Errorf("%+v", f)
				}
			})
		})
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
	onTCPPipe(t, script, func(t *testing.T, l *TCPLink, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err := l.Exchange(t.Context(), writeOf(0, 10))
		if !fatal(err) || !errors.Is(err, protocol.ErrDown) || errors.Is(err, protocol.ErrOutcomeUnknown) ||
			!strings.Contains(err.Error(), "nobody asked for") {
			t.Error(err)
		}
		if time.Since(begun) > time.Second || l.conn != nil {
			t.Errorf("took %v, closed is %v", time.Since(begun), l.conn == nil)
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
}

// Whatever a gateway with ids of its own does, a unit that answers in order never gives a wrong value: late replies,
// losses, refusals.
func TestTCPShapeNeverWrong(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2*round))
		ask := rand.New(rand.NewPCG(seed, 2*round+1))
		id := func(adu []byte) uint16 {
			if round%2 == 0 {
				return 0
			}
			return binary.BigEndian.Uint16(adu) + 1
		}
		var mu sync.Mutex // after a new connection the old one may still be served
		script := func(_ int, adu []byte) []part {
			mu.Lock()
			defer mu.Unlock()
			reply := renumber(tcpReplyTo(adu), id(adu))
			p := r.IntN(100)
			switch {
			case p < 3:
				return nil
			case p < 6:
				reply = tcpFrame(id(adu), adu[6], adu[7]|0x80, 6)
			}
			pause := time.Duration(r.IntN(60)) * time.Millisecond
			if r.IntN(10) == 0 {
				pause = time.Duration(r.IntN(2500)) * time.Millisecond
			}
			return after(pause, reply)
		}
		onQuirkyTCPPipe(t, protocol.Quirks{Transactions: protocol.ShapeTransactions}, script,
			func(t *testing.T, l *TCPLink, p *peer) {
				answered := 0
				for range 300 {
					req := readOf(uint16(ask.IntN(60000)), uint16([]int{1, 2, 10, 10, 10, 45}[ask.IntN(6)]))
					if _, err := l.Open(t.Context()); err != nil {
						t.Fatal(err)
					}
					resp, err := l.Exchange(t.Context(), req)
					if err == nil {
						right(t, req, resp)
						answered++
					} else if fatal(err) {
						t.Fatal(err)
					}
					time.Sleep(time.Duration(ask.IntN(20)) * time.Millisecond)
				}
				if answered < 150 {
					t.Errorf("round %d: only %d of 300 answered", round, answered)
				}
			})
	}
}
