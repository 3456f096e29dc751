package link

import (
	"cmp"
	"errors"
	"testing"
	"time"

	"solarhub/protocol"
)

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
	onPipe(t, script, func(t *testing.T, l tested, p *peer) {
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
	onPipe(t, script, func(t *testing.T, l tested, p *peer) {
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
			onPipe(t, script, func(t *testing.T, l tested, p *peer) {
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
	onPipe(t, script, func(t *testing.T, l tested, p *peer) {
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
	onPipe(t, script, func(t *testing.T, l tested, p *peer) {
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

// A reply that comes after its request has timed out is taken for no other one: not if it is a refusal, not where a
// reply may not say whose it is, and not if it comes while another unit is asked, which settles it.
func TestRTULateReplies(t *testing.T) {
	second := func(addr uint16) protocol.Request {
		req := readOf(addr, 10)
		req.Unit = 2
		return req
	}
	for _, tt := range []struct {
		name     string
		units    protocol.Units
		late     time.Duration
		refused  bool
		as       byte // the id of all replies; 0: their own
		then     []protocol.Request
		requests int
	}{
		{"a refusal", protocol.StrictUnits, 1010 * time.Millisecond, true, 0, []protocol.Request{readOf(50, 4)}, 2},
		{"of nobody", protocol.LaxUnits, 1200 * time.Millisecond, false, 255, []protocol.Request{second(50)}, 3},
		{"while another is asked", protocol.StrictUnits, 1010 * time.Millisecond, false, 0,
			[]protocol.Request{second(0), readOf(50, 10)}, 3},
	} {
		script := func(n int, adu []byte) []part {
			reply, wait := rtuReplyTo(adu), turnaround
			if n == 0 {
				wait = tt.late
				if tt.refused {
					reply = refusal(adu)
				}
			}
			return after(wait, rtuFraming.from(reply, cmp.Or(tt.as, adu[0])))
		}
		rtuFraming.on(t, protocol.Quirks{Units: tt.units}, 0, script, func(t *testing.T, l tested, p *peer) {
			if _, err := l.Exchange(t.Context(), readOf(0, 10)); !errors.Is(err, protocol.ErrTimeout) {
				t.Fatal(err)
			}
			for _, req := range tt.then {
				resp, err := l.Exchange(t.Context(), req)
				if err != nil {
					t.Fatalf("%s: %v", tt.name, err)
				}
				right(t, req, resp)
			}
			if n := len(p.requests()); n != tt.requests || l.Frames().Late == 0 {
				t.Errorf("%s: %d requests, %+v", tt.name, n, l.Frames())
			}
		})
	}
}
