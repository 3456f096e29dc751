package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

const (
	onStick        = "Solarman V5"
	logger  uint32 = 2700000001
)

// stick serves a memory behind a stick that takes a time for each request, and returns its port and its line.
func stick(t *testing.T, m *memory, takes time.Duration) (port string, served *sim.Line) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served = sim.NewLine(sim.Options{Turnaround: takes}, m.simulated())
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := served.Serve(ctx, ln, sim.Solarman(sim.Stick{Serial: logger})); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return fmt.Sprint(ln.Addr().(*net.TCPAddr).Port), served
}

func pysolarman(t *testing.T, port string, m *memory) *process {
	t.Helper()
	p := python(t, "testdata/pysolarmanv5_client.py", port, fmt.Sprint(logger), fmt.Sprint(m.unit))
	p.hear("ready")
	return p
}

func TestPysolarman(t *testing.T) {
	pair(t, "pysolarmanv5", "our simulator", onStick, func(t *testing.T) string {
		m := newMemory(1)
		// It loses an answer that comes before it listens for it, within a millisecond or so.
		port, served := stick(t, m, 5*time.Millisecond)
		done := exercise(t, m, 300, pysolarman(t, port, m).ask, nil)
		if n := served.Journal().Counts(); n.Noise+n.Lost > 0 {
			t.Errorf("%d bytes were no request: %+v", n.Noise, n)
		}
		return done
	})
}

// How many reads of 100 registers pass in a second through a stick that takes 60 ms for each: by our link, and by
// pysolarmanv5 in turns with it. Ours takes at most 1.02 times what the stick does, in the best of its rounds.
func TestSolarmanSpeed(t *testing.T) {
	const takes, reads, rounds, most = 60 * time.Millisecond, 15, 8, 1.02
	pair(t, "our client and pysolarmanv5", "our simulator", onStick, func(t *testing.T) string {
		m := newMemory(1)
		port, served := stick(t, m, takes)
		theirs := pysolarman(t, port, m)
		l := link.NewSolarman(link.SolarmanConfig{Address: "127.0.0.1:" + port, Serial: logger})
		defer l.Close()
		ask := m.read(protocol.HoldingRegister, 0, 100)
		read := func(n int) time.Duration {
			began := time.Now()
			for range n {
				if _, err := l.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := l.Exchange(t.Context(), ask); err != nil {
					t.Fatal(err)
				}
			}
			return time.Since(began)
		}
		read(1) // with which it connects
		best, others := 10.0, 10.0
		for i := 0; i < rounds && (best > most || i < 2); i++ {
			last := served.Journal().Last()
			took := read(reads)
			best = min(best, float64(took)/float64(stickTook(served, last)))
			last = served.Journal().Last()
			took = timed(t, theirs, ask, reads)
			others = min(others, float64(took)/float64(stickTook(served, last)))
		}
		if best > most {
			t.Errorf("our reads take %.3f times what the stick takes", best)
		}
		rate := func(of float64) float64 { return 1 / takes.Seconds() / of }
		return fmt.Sprintf("%.2f and %.2f reads/s at 60 ms, %.3f and %.3f of the stick's own time", rate(best),
			rate(others), best, others)
	})
}

// stickTook is the stick's own time for the exchanges since one.
func stickTook(served *sim.Line, last uint64) (all time.Duration) {
	for _, e := range served.Journal().Since(last) {
		all += e.Replied.Sub(e.At)
	}
	return all
}

// timed has a script read n times and returns how long that took.
func timed(t *testing.T, p *process, ask protocol.Request, n int) time.Duration {
	t.Helper()
	p.say(map[string]any{"function": ask.Function(), "addr": ask.Range.Addr, "count": ask.Range.Count, "words": nil,
		"times": n})
	var r struct {
		Seconds float64
		Error   string
	}
	if err := json.Unmarshal([]byte(p.hear("{")), &r); err != nil || r.Error != "" {
		t.Fatal(err, r.Error)
	}
	return time.Duration(r.Seconds * float64(time.Second))
}
