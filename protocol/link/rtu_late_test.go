package link

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"solarhub/protocol"
)

// A late answer, and the answer to the repetition as well: what comes back first after a timeout belongs to the past.
func TestRTULateAnswers(t *testing.T) {
	for _, late := range []time.Duration{1100 * time.Millisecond, 1600 * time.Millisecond, 3 * time.Second} {
		t.Run(late.String(), func(t *testing.T) {
			script := func(n int, adu []byte) []part {
				if n == 3 {
					return after(late, rtuReplyTo(adu))
				}
				return after(turnaround, rtuReplyTo(adu))
			}
			onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
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
					if !errors.Is(err, protocol.ErrTimeout) {
						t.Fatal(err)
					}
					failures++
				}
				if failures > 4 {
					t.Errorf("%d failures for one late answer", failures)
				}
			})
		})
	}
}

// A probe that an earlier answer has made needless is not waited for. If its own answer then comes one register short,
// that is not taken for the answer to the read behind it.
func TestRTUProbeAnsweredShort(t *testing.T) {
	script := func(n int, adu []byte) []part {
		switch n {
		case 1:
			return after(1050*time.Millisecond, rtuReplyTo(adu))
		case 2:
			whole := rtuReplyTo(adu)
			return after(turnaround, rtu(append([]byte{whole[0], whole[1], whole[2] - 2}, whole[3:len(whole)-4]...)...))
		}
		return after(turnaround, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(300, 10)); err != nil { // what probes ask for
			t.Fatal(err)
		}
		req := readOf(50, 1)
		if _, err := l.Exchange(t.Context(), req); !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		resp, err := l.Exchange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		right(t, req, resp)
		if got := p.requests(); got[2][5] != 3 {
			t.Errorf("want a probe of three registers, got % x", got[2])
		}
	})
}

// A write whose echo was late must not confirm the next write of the same registers with other values.
func TestRTULateWriteEcho(t *testing.T) {
	write := func(words ...uint16) protocol.Request {
		return protocol.Request{Unit: 1, Op: protocol.WriteMultiple,
			Range: protocol.Range{Table: protocol.HoldingRegister, Addr: 500, Count: uint16(len(words))}, Words: words}
	}
	script := func(n int, adu []byte) []part {
		if n == 0 {
			return after(1500*time.Millisecond, rtuReplyTo(adu))
		}
		if adu[1] == 16 {
			return nil
		}
		return after(turnaround, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		if _, err := l.Exchange(t.Context(), write(1, 2)); !errors.Is(err, protocol.ErrOutcomeUnknown) ||
			!errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		if _, err := l.Exchange(t.Context(), write(3, 4)); !errors.Is(err, protocol.ErrOutcomeUnknown) {
			t.Fatalf("the second write was confirmed by the first one's echo: %v", err)
		}
		if got := p.requests(); len(got) != 3 || got[1][1] != 3 {
			t.Errorf("want write, probe, write; got % x", got)
		}
	})
}

// A late exception must not be taken for the next request's refusal, whose own answer would then be late.
func TestRTULateException(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 0 {
			return after(1010*time.Millisecond, rtu(1, 0x83, 11))
		}
		return after(turnaround, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		_, err := l.Exchange(t.Context(), readOf(0, 10))
		if !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		req := readOf(50, 4)
		resp, err := l.Exchange(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		right(t, req, resp)
	})
}

// A unit that refuses probes, and one that is dead and comes back, are not locked out.
func TestRTUProbesDoNotLockOut(t *testing.T) {
	only := func(count byte, otherwise func(adu []byte) []part) func(int, []byte) []part {
		return func(n int, adu []byte) []part {
			switch {
			case n == 0:
				return nil
			case adu[5] == count:
				return after(turnaround, rtuReplyTo(adu))
			}
			return otherwise(adu)
		}
	}
	refuse := func(adu []byte) []part { return after(turnaround, rtu(adu[0], adu[1]|0x80, 2)) }
	silent := func([]byte) []part { return nil }
	for name, script := range map[string]func(int, []byte) []part{"refuses": only(10, refuse),
		"silent": only(10, silent)} {
		t.Run(name, func(t *testing.T) {
			onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
				begun := time.Now()
				for i := uint16(0); ; i++ {
					req := readOf(20*i, 10)
					resp, err := l.Exchange(t.Context(), req)
					if err == nil {
						right(t, req, resp)
						break
					}
					if time.Since(begun) > 70*time.Second {
						t.Fatal("locked out")
					}
					time.Sleep(2 * time.Second)
					if _, err := l.Open(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(begun); name == "refuses" &&
					took > 5*time.Second { // a timeout for the read and for a probe, and a pause
					t.Errorf("took %v to answer again", took)
				}
			})
		})
	}
}

// Random lateness, losses, refusals and repetitions, with a unit that answers everything in order: never a wrong value.
func TestRTUNeverWrong(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2*round))
		ask := rand.New(rand.NewPCG(seed, 2*round+1))
		script := func(_ int, adu []byte) []part {
			reply := rtuReplyTo(adu)
			switch p := r.IntN(100); {
			case p < 3:
				return nil
			case p < 6:
				reply = rtu(adu[0], adu[1]|0x80, 6)
			case p < 8:
				reply[len(reply)-1] ^= 0x55
			case p < 10:
				reply = append([]byte{byte(r.Uint32())}, reply...)
			}
			pause := time.Duration(r.IntN(60)) * time.Millisecond
			if r.IntN(10) == 0 {
				pause = time.Duration(r.IntN(2500)) * time.Millisecond
			}
			return after(pause, reply)
		}
		onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
			l.isPort = true // as on a serial port: one line all the time
			answered := 0
			for range 300 {
				req := readOf(uint16(ask.IntN(60000)), uint16([]int{1, 2, 10, 10, 10, 45}[ask.IntN(6)]))
				if ask.IntN(5) == 0 {
					req.Range.Table = protocol.InputRegister
				}
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
				time.Sleep(time.Duration(ask.IntN(200)) * time.Millisecond)
			}
			if answered < 200 {
				t.Errorf("round %d: only %d of 300 answered", round, answered)
			}
		})
	}
}

// Nothing is sent into a frame that is still coming in.
func TestRTUWaitsForSilence(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n > 0 {
			return after(turnaround, rtuReplyTo(adu))
		}
		parts := []part{{1010 * time.Millisecond, []byte{1}}}
		for range 40 {
			parts = append(parts, part{time.Millisecond, []byte{3}})
		}
		return parts
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		first, err := l.Exchange(t.Context(), readOf(0, 10))
		if !errors.Is(err, protocol.ErrTimeout) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		second, err := l.Exchange(t.Context(), readOf(0, 4))
		if err != nil {
			t.Fatal(err)
		}
		if quiet := second.Sent.Sub(first.Sent); quiet < 1050*time.Millisecond {
			t.Errorf("sent after %v, while the late frame was coming in until 1.05 s", quiet)
		}
	})
}

// The same when the bytes are found while the link is asked whether it is open.
func TestRTUOpenKeepsSilence(t *testing.T) {
	script := func(n int, adu []byte) []part {
		return []part{{turnaround, rtuReplyTo(adu)}, {50 * time.Millisecond, []byte{1, 3, 200}}}
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 10)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(60 * time.Millisecond)
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		heard := time.Now()
		resp, err := l.Exchange(t.Context(), readOf(0, 4))
		if err != nil {
			t.Fatal(err)
		}
		if quiet := resp.Sent.Sub(heard); quiet < protocol.DefaultSerial.Silence()-2*time.Millisecond {
			t.Errorf("sent %v behind the last byte", quiet)
		}
		if f := l.Frames(); f.Noise < 3 {
			t.Errorf("%+v", f)
		}
	})
}
