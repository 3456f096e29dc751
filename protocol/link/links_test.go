package link

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"solarhub/protocol"
)

// onAll runs test with a link of each kind to a peer that answers soundly.
func onAll(t *testing.T, q protocol.Quirks, gap time.Duration, test func(t *testing.T, f framing, l tested, p *peer)) {
	for _, f := range framings {
		t.Run(f.name, func(t *testing.T) {
			f.on(t, q, gap, f.soundly, func(t *testing.T, l tested, p *peer) { test(t, f, l, p) })
		})
	}
}

// A link waits behind its opening, and behind a reply as long as the line, the link or the unit needs.
func TestConnectDelayAndGap(t *testing.T) {
	const delay, gap = 2 * time.Second, 100 * time.Millisecond
	for _, own := range []time.Duration{0, gap} {
		begun := time.Time{}
		onAll(t, protocol.Quirks{ConnectDelay: delay}, own, func(t *testing.T, f framing, l tested, p *peer) {
			begun = time.Now()
			for _, pace := range []time.Duration{0, 300 * time.Millisecond} {
				req := readOf(0, 2)
				req.Pace.Gap = pace
				first, err := l.Exchange(t.Context(), req)
				if err != nil || first.Sent.Sub(begun) < delay {
					t.Fatal(first.Sent.Sub(begun), err)
				}
				second, err := l.Exchange(t.Context(), readOf(5, 2))
				if err != nil {
					t.Fatal(err)
				}
				want := max(pace, own, f.silence)
				if got := second.Sent.Sub(first.Done); got < want || got > want+2*time.Millisecond {
					t.Errorf("gap %v, want %v", got, want)
				}
			}
		})
	}
}

// A unit that is slow to answer for the first time has more time then, and only then, and on each connection.
func TestFirst(t *testing.T) {
	for _, f := range framings {
		script := func(n int, adu []byte) []part {
			if n == 1 {
				return nil
			}
			return after(3*time.Second, f.reply(adu))
		}
		f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			req := readOf(0, 10)
			req.Pace = protocol.Pace{Timeout: 500 * time.Millisecond, First: 5 * time.Second}
			if _, err := l.Exchange(t.Context(), req); err != nil {
				t.Fatal(f.name, err)
			}
			begun := time.Now()
			if _, err := l.Exchange(t.Context(), req); !errors.Is(err, protocol.ErrTimeout) ||
				time.Since(begun) > time.Second {
				t.Errorf("%s, the second: %v after %v", f.name, err, time.Since(begun))
			}
			other := req
			other.Unit = 2
			if _, err := l.Exchange(t.Context(), other); err != nil {
				t.Errorf("%s, another unit: %v", f.name, err)
			}
			l.Close()
			if _, err := l.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			req.Range.Count = 4
			if _, err := l.Exchange(t.Context(), req); err != nil {
				t.Errorf("%s, on a new connection: %v", f.name, err)
			}
		})
	}
}

// A reply with another unit id is taken where that is allowed, and noted where it would help to allow it.
func TestUnits(t *testing.T) {
	for _, tt := range []struct {
		as    byte
		units protocol.Units
		ok    bool
		noted bool
	}{
		{255, protocol.StrictUnits, false, true}, {255, protocol.LaxUnits, true, false},
		{0, protocol.LaxUnits, true, false}, {2, protocol.LaxUnits, false, false},
		{2, protocol.StrictUnits, false, false}, {1, protocol.LaxUnits, true, false},
		{2, protocol.AlsoUnit(2), true, false}, {0, protocol.AlsoUnit(0), true, false},
		{255, protocol.AlsoUnit(255), true, false}, {1, protocol.AlsoUnit(7), true, false},
		{3, protocol.AlsoUnit(2), false, false},
	} {
		for _, f := range framings {
			script := func(_ int, adu []byte) []part { return after(turnaround, f.from(f.reply(adu), tt.as)) }
			f.on(t, protocol.Quirks{Units: tt.units}, 0, script, func(t *testing.T, l tested, p *peer) {
				req := readOf(7, 10)
				resp, err := l.Exchange(t.Context(), req)
				certain := f.numbered && !tt.ok // it is the reply all the same
				if (err == nil) != tt.ok || l.Condition().Units != (tt.noted || certain) ||
					l.Condition().Units && l.Condition().UnitID != protocol.UnitID(tt.as) {
					t.Errorf("%s as unit %d: %v, %+v", f.name, tt.as, err, l.Condition())
				}
				if err == nil {
					right(t, req, resp)
				}
			})
		}
	}
}

// What the link says of itself: the gap in force, and how late a reply came, whether somebody waited for it or not.
func TestCondition(t *testing.T) {
	for _, f := range framings {
		script := func(n int, adu []byte) []part {
			if n == 1 {
				return after(1200*time.Millisecond, f.reply(adu))
			}
			return f.soundly(n, adu)
		}
		for name, pause := range map[string]time.Duration{"while it waits": 0, "found soon": 250 * time.Millisecond,
			"found long after": time.Minute / 3} {
			f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
				if got := l.Condition(); got != (protocol.LinkCondition{Gap: f.silence}) {
					t.Errorf("%s: at first %+v", f.name, got)
				}
				slow := readOf(0, 10)
				slow.Pace.Gap = 110 * time.Millisecond
				for i := range 4 {
					_, err := l.Exchange(t.Context(), slow)
					if errors.Is(err, protocol.ErrTimeout) != (i == 1) {
						t.Fatal(f.name, name, i, err)
					}
					if i == 1 {
						time.Sleep(pause)
					}
				}
				got := l.Condition()
				if got.Gap != 110*time.Millisecond || got.Latest < time.Second || got.Latest > 1400*time.Millisecond {
					t.Errorf("%s, %s: %+v", f.name, name, got)
				}
				if frames := l.Frames(); frames.Late == 0 || frames.Noise != 0 || frames.Foreign != 0 {
					t.Errorf("%s, %s: %+v", f.name, name, frames)
				}
			})
		}
	}
}

// What is not sent says so, and no byte of it goes out.
func TestNotSent(t *testing.T) {
	onAll(t, protocol.Quirks{}, 0, func(t *testing.T, f framing, l tested, p *peer) {
		fails := func(ctx context.Context, req protocol.Request, want error) {
			t.Helper()
			if _, err := l.Exchange(ctx, req); !errors.Is(err, want) || errors.Is(err, protocol.ErrOutcomeUnknown) {
				t.Error(err)
			}
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		fails(ended, writeOf(0, 1), context.Canceled)
		old := writeOf(0, 1)
		old.Deadline = time.Now().Add(-time.Second)
		fails(t.Context(), old, protocol.ErrExpired)
		for _, unit := range []protocol.UnitID{0, 248, 255} {
			req := readOf(0, 1)
			if req.Unit = unit; f.name != rtuFraming.name {
				continue
			}
			if _, err := l.Exchange(t.Context(), req); err == nil || !strings.Contains(err.Error(), "1..247") {
				t.Error(err)
			}
		}
		l.Close()
		fails(t.Context(), writeOf(0, 1), protocol.ErrDown)
		if n := len(p.requests()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

// Once the first byte is out, a cancel no longer matters.
func TestFinishesWhatItBegan(t *testing.T) {
	onAll(t, protocol.Quirks{}, 0, func(t *testing.T, f framing, l tested, p *peer) {
		ctx, cancel := context.WithTimeout(t.Context(), turnaround/2)
		defer cancel()
		if _, err := l.Exchange(ctx, writeOf(0, 1)); err != nil || ctx.Err() == nil {
			t.Error(err)
		}
	})
}

// A peer that hangs up behind its reply is noticed before the next request. Where it does so each time, its connections
// count as one for a while; where it does so no longer, the connection stays.
func TestReopens(t *testing.T) {
	for _, f := range framings {
		closes := true
		script := func(n int, adu []byte) []part {
			if closes {
				return append(f.soundly(n, adu), part{0, nil})
			}
			return f.soundly(n, adu)
		}
		f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			exchanges := func(n int, want uint64) {
				t.Helper()
				for range n {
					if connection, err := l.Open(t.Context()); err != nil || connection != want {
						t.Fatalf("%s: connection %d, want %d: %v", f.name, connection, want, err)
					}
					for range int(want) { // within a hold the line is not opened in between
						if resp, err := l.Exchange(t.Context(), readOf(0, 1)); err != nil || resp.Connection != want {
							t.Fatal(f.name, resp, err)
						}
						synctest.Wait()
					}
				}
			}
			exchanges(1, 1)
			exchanges(10, 2)
			time.Sleep(sameFor)
			exchanges(10, 3)
			if !l.Condition().Closes {
				t.Error("it is not said")
			}
			closes = false
			time.Sleep(sameFor)
			exchanges(10, 4)
			time.Sleep(sameFor)
			exchanges(10, 4)
		})
	}
}

// A peer that hangs up a little behind each reply, when the next request is on its way, costs two requests until it is
// known and one in five minutes, and where the gap is learnt one.
func TestHangsUpWhileItIsAsked(t *testing.T) {
	for _, f := range framings {
		script := func(n int, adu []byte) []part { return append(f.soundly(n, adu), part{5 * time.Millisecond, nil}) }
		f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			failed := 0
			for range 100 {
				if _, err := l.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				_, err := l.Exchange(t.Context(), readOf(0, 1))
				if err != nil && !errors.Is(err, protocol.ErrHungUp) {
					t.Fatal(f.name, err)
				}
				if err != nil {
					failed++
				}
			}
			if failed == 0 || failed > 2 || !l.Condition().Closes {
				t.Errorf("%s: %d of 100 requests failed, %+v", f.name, failed, l.Condition())
			}
		})
	}
}

// A late answer, and the answer to the repetition as well: what comes back first after a timeout belongs to the past.
// Where replies have ids it costs its own request and no other one.
func TestLateAnswers(t *testing.T) {
	for _, tt := range []struct {
		f    framing
		late time.Duration
		most int // failures
	}{
		{rtuFraming, 1100 * time.Millisecond, 1}, {rtuFraming, 1600 * time.Millisecond, 1},
		{rtuFraming, 3 * time.Second, 4}, {tcpFraming, 1200 * time.Millisecond, 1},
		{solarmanFraming, 1200 * time.Millisecond, 1}, {solarmanFraming, 3 * time.Second, 3},
		{alwaysZero, 1500 * time.Millisecond, 1},
	} {
		script := func(n int, adu []byte) []part {
			if n == 3 {
				return after(tt.late, tt.f.reply(adu))
			}
			return tt.f.soundly(n, adu)
		}
		tt.f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			failures := 0
			for i := range uint16(30) {
				req := readOf(100*i, 10)
				if _, err := l.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				resp, err := l.Exchange(t.Context(), req)
				if err == nil {
					right(t, req, resp)
					continue
				}
				if failures++; !errors.Is(err, protocol.ErrTimeout) {
					t.Fatal(tt.f.name, err)
				}
			}
			if failures == 0 || failures > tt.most {
				t.Errorf("%s: %d failures for an answer after %v", tt.f.name, failures, tt.late)
			}
			c, frames := l.Condition(), l.Frames()
			if tt.most == 1 && (frames.Late == 0 || tt.f.numbered && frames.Late != 1 ||
				frames.Foreign != 0 || c.Latest < tt.late || c.Latest > tt.late+100*time.Millisecond) {
				t.Errorf("%s, %v: %+v, %+v", tt.f.name, tt.late, frames, c)
			}
		})
	}
}

// Random lateness, losses, refusals, damage and noise, with a unit that answers everything in order: never a wrong
// value, and no exchange takes longer than two timeouts, that of a probe and its own.
func TestNeverWrong(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	kinds := []framing{rtuFraming, alwaysZero, shapeFraming("off by one", func(id uint16) uint16 { return id + 1 })}
	for round := range uint64(30) {
		f := kinds[round%3]
		r := rand.New(rand.NewPCG(seed, 2*round))
		ask := rand.New(rand.NewPCG(seed, 2*round+1))
		var mu sync.Mutex // after a new connection the old one may still be served
		script := func(_ int, adu []byte) []part {
			mu.Lock()
			defer mu.Unlock()
			reply := f.reply(adu)
			switch p := r.IntN(100); {
			case p < 3:
				return nil
			case p < 6:
				reply = f.refuse(adu)
			case p < 8 && f.name == rtuFraming.name:
				reply[len(reply)-1] ^= 0x55
			case p < 10 && f.name == rtuFraming.name:
				reply = append([]byte{byte(r.Uint32())}, reply...)
			}
			pause := time.Duration(r.IntN(60)) * time.Millisecond
			if r.IntN(10) == 0 {
				pause = time.Duration(r.IntN(2500)) * time.Millisecond
			}
			return after(pause, reply)
		}
		f.on(t, protocol.Quirks{}, 0, script, func(t *testing.T, l tested, p *peer) {
			if rtu, ok := l.(*RTULink); ok {
				rtu.isPort = round%2 == 0 // as on a serial port: one line all the time
			}
			answered, longest := 0, time.Duration(0)
			for range 300 {
				req := readOf(uint16(ask.IntN(60000)), uint16([]int{1, 2, 10, 10, 10, 45}[ask.IntN(6)]))
				if ask.IntN(5) == 0 {
					req.Range.Table = protocol.InputRegister
				}
				if _, err := l.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				resp, err := l.Exchange(t.Context(), req)
				longest = max(longest, time.Since(begun))
				if err == nil {
					right(t, req, resp)
					answered++
				} else if fatal(err) {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(ask.IntN(200)) * time.Millisecond)
			}
			if most := 2*protocol.DefaultTimeout + 100*time.Millisecond; answered < 150 || longest > most {
				t.Errorf("%s, round %d: %d of 300 answered, the longest took %v", f.name, round, answered, longest)
			}
		})
	}
}

// Nothing that touches forbidden registers leaves a link, a probe of its own included; a unit that is not named may be
// one that is.
func TestNever(t *testing.T) {
	never := protocol.Range{Addr: 101, Count: 9}
	for _, f := range framings {
		lost := func(n int, adu []byte) []part {
			if n%3 == 0 {
				return nil
			}
			return f.soundly(n, adu)
		}
		f.on(t, protocol.Quirks{}, 0, lost, func(t *testing.T, l tested, p *peer) {
			l.(interface {
				forbid(map[protocol.UnitID][]protocol.Range)
			}).forbid(map[protocol.UnitID][]protocol.Range{1: {never}, 2: nil})
			for i := range 30 {
				_, _ = l.Open(t.Context())
				_, _ = l.Exchange(t.Context(), readOf(100-uint16(i/3%2), 1+uint16(i/3%2)))
				for _, unit := range []protocol.UnitID{1, 3} {
					for _, req := range []protocol.Request{readOf(100, 2), readOf(109, 1), writeOf(105, 1)} {
						req.Unit = unit
						_, err := l.Exchange(t.Context(), req)
						if _, ok := errors.AsType[protocol.ForbiddenError](err); !ok {
							t.Fatalf("%s: %v", f.name, err)
						}
					}
				}
			}
			req := readOf(100, 2)
			if req.Unit = 2; len(p.requests()) < 20 {
				t.Errorf("%s: %d requests", f.name, len(p.requests()))
			}
			for _, adu := range p.requests() {
				pdu := adu[1:]
				if f.size(adu) != 8 { // it has a header
					pdu = adu[mbapHeader:]
				}
				asked := protocol.Range{Addr: binary.BigEndian.Uint16(pdu[1:]), Count: binary.BigEndian.Uint16(pdu[3:])}
				if asked.Overlaps(never) {
					t.Errorf("%s: %v was asked", f.name, asked)
				}
			}
			if _, err := l.Exchange(t.Context(), req); errors.As(err, new(protocol.ForbiddenError)) {
				t.Errorf("%s: another unit: %v", f.name, err)
			}
		})
	}
}

func (l *line) forbid(never map[protocol.UnitID][]protocol.Range) { l.units.never = never }
