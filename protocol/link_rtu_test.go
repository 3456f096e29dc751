package protocol

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const turnaround = 20 * time.Millisecond

// onPipe runs f in a bubble with an RTU link to a scripted peer.
func onPipe(t *testing.T, script func(n int, adu []byte) []part, f func(t *testing.T, l *RTULink, p *peer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		by, p, wait := pipeTo(t, rtuSize, script)
		l := NewRTUOverTCP(RTUOverTCPConfig{Address: "logger:4196", Dial: by, Sleep: time.Sleep})
		defer wait()
		defer l.Close()
		if _, err := l.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		f(t, l, p)
	})
}

func after(d time.Duration, b []byte) []part { return []part{{d, b}} }

func TestRTUReply(t *testing.T) {
	exception := func(adu []byte) []byte { return rtu(adu[0], adu[1]|0x80, 2) }
	tests := []struct {
		name   string
		req    Request
		script func(adu []byte) []part
		err    string // part of the error; empty: the right words
	}{
		{"holding", readOf(588, 2), func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
		{"input", Request{Unit: 1, Range: Range{InputRegister, 4945, 4}}, func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
		{"coils", Request{Unit: 1, Range: Range{Coil, 3, 19}}, func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
		{"discrete", Request{Unit: 1, Range: Range{DiscreteInput, 0, 8}}, func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
		{"largest", readOf(0, 125), func(b []byte) []part { return after(turnaround, rtuReplyTo(b)) }, ""},
		{"byte by byte", readOf(7, 10), func(b []byte) []part {
			var parts []part
			for _, c := range rtuReplyTo(b) {
				parts = append(parts, part{time.Millisecond, []byte{c}})
			}
			return parts
		}, ""},
		{"split with a long pause", readOf(7, 10), func(b []byte) []part {
			r := rtuReplyTo(b)
			return []part{{turnaround, r[:4]}, {300 * time.Millisecond, r[4:]}}
		}, ""},
		{"stray byte before", readOf(7, 10), func(b []byte) []part { return after(turnaround, append([]byte{0}, rtuReplyTo(b)...)) }, ""},
		{"stray head before", readOf(7, 10), func(b []byte) []part { return after(turnaround, append([]byte{1, 3, 200}, rtuReplyTo(b)...)) }, ""},
		{"other unit first", readOf(7, 10), func(b []byte) []part {
			other := append([]byte(nil), b[:6]...)
			other[0] = 9
			return []part{{turnaround, rtuReplyTo(rtu(other...))}, {turnaround, rtuReplyTo(b)}}
		}, ""},
		{"other size first", readOf(7, 10), func(b []byte) []part {
			return []part{{turnaround, rtu(1, 3, 2, 0, 0)}, {turnaround, rtuReplyTo(b)}}
		}, ""},
		{"echo", readOf(588, 2), func(b []byte) []part { return []part{{time.Millisecond, b}, {turnaround, rtuReplyTo(b)}} }, ""},
		{"echo in pieces", readOf(4112, 9), func(b []byte) []part {
			return []part{{time.Millisecond, b[:3]}, {time.Millisecond, b[3:]}, {turnaround, rtuReplyTo(b)}}
		}, ""},
		{"exception", readOf(7, 10), func(b []byte) []part { return after(turnaround, exception(b)) }, "exception 2 (illegal data address)"},
		{"exception after 150 ms, split", readOf(7, 10), func(b []byte) []part {
			return []part{{150 * time.Millisecond, exception(b)[:2]}, {time.Millisecond, exception(b)[2:]}}
		}, "exception 2"},
		{"silence", readOf(588, 2), func([]byte) []part { return nil }, "read holding 588+2 unit 1: receive logger:4196: no answer within 1s"},
		{"silence after a write", writeOf(1, 2), func([]byte) []part { return nil }, "no answer within 1s, outcome unknown"},
		{"noise", readOf(588, 2), func([]byte) []part { return after(turnaround, []byte{0xff, 0xfe, 0xfd}) }, "only 3 bytes that are no reply"},
		{"other unit only", readOf(588, 2), func([]byte) []part { return after(turnaround, rtu(9, 3, 4, 0, 0, 0, 0)) }, "only 1 other frames"},
		{"bad checksum", readOf(588, 2), func(b []byte) []part {
			r := rtuReplyTo(b)
			r[5] ^= 1
			return after(turnaround, r)
		}, "wrong checksum"},
		{"too short", readOf(588, 10), func([]byte) []part { return after(turnaround, rtu(1, 3, 4, 0, 0, 0, 0)) }, "no answer within 1s"},
		{"echo of another value", writeOf(1, 2), func([]byte) []part { return after(turnaround, rtu(1, 6, 0, 1, 0, 3)) }, "no answer"},
		{"slow drip", readOf(588, 10), func(b []byte) []part {
			var parts []part
			for _, c := range rtuReplyTo(b) {
				parts = append(parts, part{400 * time.Millisecond, []byte{c}})
			}
			return parts
		}, "no answer within 1s"},
		{"babble", readOf(588, 2), func([]byte) []part {
			return after(turnaround, slices.Repeat(rtu(9, 3, 2, 0, 0), 17))
		}, "that answer nothing"},
		{"hang-up", writeOf(1, 2), func([]byte) []part { return []part{{turnaround, nil}} }, "hung up by the other end, outcome unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			onPipe(t, func(_ int, adu []byte) []part { return tt.script(adu) }, func(t *testing.T, l *RTULink, p *peer) {
				begun := time.Now()
				resp, err := l.Exchange(t.Context(), tt.req)
				if took := time.Since(begun); took > 1200*time.Millisecond {
					t.Errorf("took %v: the deadline is absolute", took)
				}
				if resp.Sent.IsZero() {
					t.Error("the request went out, but Sent is zero")
				}
				if tt.err == "" {
					if err != nil {
						t.Fatal(err)
					}
					right(t, tt.req, resp)
					return
				}
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %q, want one with %q", fmt.Sprint(err), tt.err)
				}
				_, refused := errors.AsType[ExceptionError](err)
				_, broken := errors.AsType[*LinkError](err)
				if refused == broken {
					t.Errorf("exception %v, link error %v", refused, broken)
				}
				if unknown := errors.Is(err, ErrOutcomeUnknown); unknown != (tt.req.Op != Read) && broken {
					t.Errorf("outcome unknown is %v for %v", unknown, tt.req)
				}
			})
		})
	}
}

func TestRTUWrites(t *testing.T) {
	writes := []Request{
		writeOf(108, 50),
		{Unit: 1, Op: WriteSingle, Range: Range{Coil, 5, 1}, Words: []uint16{1}},
		{Unit: 1, Op: WriteMultiple, Range: Range{HoldingRegister, 500, 3}, Words: []uint16{1, 2, 3}},
		{Unit: 1, Op: WriteMultiple, Range: Range{Coil, 8, 10}, Words: []uint16{1, 0, 1, 1, 0, 0, 0, 0, 1, 1}},
	}
	want := []string{"01 06 00 6c 00 32", "01 05 00 05 ff 00", "01 10 01 f4 00 03 06 00 01 00 02 00 03", "01 0f 00 08 00 0a 02 0d 03"}
	onPipe(t, func(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) }, func(t *testing.T, l *RTULink, p *peer) {
		for i, req := range writes {
			if _, err := l.Exchange(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			got := p.requests()[i]
			if s := fmt.Sprintf("% x", got[:len(got)-2]); s != want[i] {
				t.Errorf("%v: sent %s, want %s", req, s, want[i])
			}
		}
	})
}

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
					resp, err := l.Exchange(t.Context(), req)
					if err == nil {
						right(t, req, resp)
						continue
					}
					if !errors.Is(err, ErrTimeout) {
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

// A write whose echo was late must not confirm the next write of the same registers with other values.
func TestRTULateWriteEcho(t *testing.T) {
	write := func(words ...uint16) Request {
		return Request{Unit: 1, Op: WriteMultiple, Range: Range{HoldingRegister, 500, uint16(len(words))}, Words: words}
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
		if _, err := l.Exchange(t.Context(), write(1, 2)); !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, ErrTimeout) {
			t.Fatal(err)
		}
		if _, err := l.Exchange(t.Context(), write(3, 4)); !errors.Is(err, ErrOutcomeUnknown) {
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
		if !errors.Is(err, ErrTimeout) {
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
	for name, script := range map[string]func(int, []byte) []part{"refuses": only(10, refuse), "silent": only(10, silent)} {
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
				if took := time.Since(begun); name == "refuses" && took > 4*time.Second {
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
			l.patient = true // as on a serial port: one line all the time
			answered := 0
			for range 300 {
				req := readOf(uint16(ask.IntN(60000)), uint16([]int{1, 2, 10, 10, 10, 45}[ask.IntN(6)]))
				if ask.IntN(5) == 0 {
					req.Range.Table = InputRegister
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

func TestRTUEchoLearned(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 1 {
			return after(0, adu) // the echo of the write, and no answer
		}
		return []part{{0, adu}, {turnaround, rtuReplyTo(adu)}}
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		if _, err := l.Exchange(t.Context(), readOf(0, 2)); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Exchange(t.Context(), writeOf(5, 6)); !errors.Is(err, ErrOutcomeUnknown) {
			t.Fatalf("the echo was taken for the answer: %v", err)
		}
		if _, err := l.Exchange(t.Context(), writeOf(5, 7)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRTUGap(t *testing.T) {
	onPipe(t, func(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) }, func(t *testing.T, l *RTULink, p *peer) {
		for _, gap := range []time.Duration{0, 300 * time.Millisecond} {
			req := readOf(0, 2)
			req.Pace.Gap = gap
			first, err := l.Exchange(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			second, err := l.Exchange(t.Context(), readOf(0, 2))
			if err != nil {
				t.Fatal(err)
			}
			want := max(gap, DefaultSerial.Silence())
			if got := second.Sent.Sub(first.Done); got < want || got > want+2*time.Millisecond {
				t.Errorf("gap %v, want %v", got, want)
			}
		}
	})
}

func TestRTUNotSent(t *testing.T) {
	onPipe(t, func(_ int, adu []byte) []part { return after(turnaround, rtuReplyTo(adu)) }, func(t *testing.T, l *RTULink, p *peer) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := l.Exchange(ended, readOf(0, 1)); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		old := readOf(0, 1)
		old.Deadline = time.Now()
		if _, err := l.Exchange(t.Context(), old); !errors.Is(err, ErrExpired) {
			t.Error(err)
		}
		for _, unit := range []UnitID{0, 248, 255} {
			req := readOf(0, 1)
			req.Unit = unit
			if _, err := l.Exchange(t.Context(), req); err == nil || !strings.Contains(err.Error(), "1..247") {
				t.Error(err)
			}
		}
		l.Close()
		if _, err := l.Exchange(t.Context(), writeOf(0, 1)); !errors.Is(err, ErrDown) || errors.Is(err, ErrOutcomeUnknown) {
			t.Error(err)
		}
		if n := len(p.requests()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}

// Once the first byte is out, a cancel no longer matters.
func TestRTUFinishesWhatItBegan(t *testing.T) {
	onPipe(t, func(_ int, adu []byte) []part { return after(500*time.Millisecond, rtuReplyTo(adu)) }, func(t *testing.T, l *RTULink, p *peer) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := l.Exchange(ctx, writeOf(0, 1)); err != nil {
			t.Error(err)
		}
	})
}

func TestRTUReopens(t *testing.T) {
	script := func(n int, adu []byte) []part {
		if n == 0 {
			return []part{{turnaround, rtuReplyTo(adu)}, {0, nil}}
		}
		return after(turnaround, rtuReplyTo(adu))
	}
	onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
		for want := range uint64(2) {
			connection, err := l.Open(t.Context())
			if err != nil || connection != want+1 {
				t.Fatalf("connection %d, want %d: %v", connection, want+1, err)
			}
			resp, err := l.Exchange(t.Context(), readOf(0, 1))
			if err != nil || resp.Connection != connection {
				t.Fatal(resp, err)
			}
			synctest.Wait()
		}
	})
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
		if !errors.Is(err, ErrTimeout) {
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
		if quiet := resp.Sent.Sub(heard); quiet < DefaultSerial.Silence()-2*time.Millisecond {
			t.Errorf("sent %v behind the last byte", quiet)
		}
		if f := l.Frames(); f.Noise < 3 {
			t.Errorf("%+v", f)
		}
	})
}
