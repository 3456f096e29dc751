package link

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// Whatever replies come late or not at all, an exchange takes two timeouts at most: that of a probe and its own.
func TestRTULongestExchange(t *testing.T) {
	const timeout = time.Second
	var longest time.Duration
	for seed := range uint64(100) {
		var mu sync.Mutex // the peer of a connection that was closed may still be at work beside the next one
		random := rand.New(rand.NewPCG(seed, 1))
		r := func(n int) int {
			mu.Lock()
			defer mu.Unlock()
			return random.IntN(n)
		}
		script := func(_ int, adu []byte) []part {
			switch r(4) {
			case 0:
				return after(time.Duration(900+r(90))*time.Millisecond, rtuReplyTo(adu))
			case 1:
				return after(time.Duration(1000+r(900))*time.Millisecond, rtuReplyTo(adu))
			case 2:
				return nil
			}
			return after(turnaround, rtuReplyTo(adu))
		}
		onPipe(t, script, func(t *testing.T, l *RTULink, p *peer) {
			for i := range uint16(40) {
				if _, err := l.Open(t.Context()); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				req := readOf(100*i, []uint16{10, 10, 2, 1}[r(4)])
				if resp, err := l.Exchange(t.Context(), req); err == nil {
					right(t, req, resp)
				}
				longest = max(longest, time.Since(begun))
			}
		})
	}
	t.Logf("the longest exchange took %v with a timeout of %v", longest, timeout)
	if longest < timeout || longest > 2*timeout+100*time.Millisecond {
		t.Errorf("the longest exchange took %v with a timeout of %v", longest, timeout)
	}
}
