package protocol

import (
	"math/rand/v2"
	"testing"
	"time"
)

const ms = time.Millisecond

func TestWriteBound(t *testing.T) {
	alive := WriteBound{Poll: 120 * ms, Write: 45 * ms}
	dead := WriteBound{Poll: 120 * ms, Dead: 1000 * ms, Write: 45 * ms}
	for _, tt := range []struct {
		bound  WriteBound
		before int
		want   time.Duration
	}{
		{alive, 0, 120 * ms},
		{alive, 1, (120 + 45 + 120) * ms},
		{alive, 8, (120 + 8*45 + 120) * ms},
		{alive, 9, (120 + 9*45 + 2*120) * ms},
		{dead, 0, 1000 * ms},
		{dead, 2, 4000 * ms},
		{WriteBound{Poll: 120 * ms, Dead: 1000 * ms, Late: 2000 * ms}, 0, 2000 * ms},
		{WriteBound{Poll: 120 * ms, Dead: 1000 * ms, Late: 2000 * ms}, 1, 6000 * ms},
	} {
		if got := tt.bound.Wait(tt.before); got != tt.want {
			t.Errorf("%+v with %d before: %v, want %v", tt.bound, tt.before, got, tt.want)
		}
	}
}

func TestUnanswered(t *testing.T) {
	slow := Serial{Baud: 1200, DataBits: 8, StopBits: 1}
	for _, tt := range []struct {
		name    string
		timing  Timing
		pace    Pace
		longest uint16
		want    time.Duration
	}{
		{"TCP", Timing{}, Pace{}, 100, time.Second},
		{"TCP, a slow first answer and a gap", Timing{Gap: 5 * ms},
			Pace{Timeout: 300 * ms, First: 5 * time.Second, Gap: 300 * ms}, 1, 5300 * ms},
		{"9600 baud", Timing{Serial: &DefaultSerial}, Pace{}, 40,
			DefaultSerial.Chars(8) + time.Second + DefaultSerial.Silence()},
		{"1200 baud: twice the reply's bytes are longer", Timing{Serial: &slow}, Pace{Gap: 100 * ms}, 100,
			slow.Chars(8+2*205) + 100*ms},
	} {
		if got := tt.timing.Unanswered(tt.pace, Range{Count: tt.longest}); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// Whatever comes to the queue, a write waits for no more than what is published. The exchanges of a fakeLink all take
// 120 ms.
func TestWriteBoundHolds(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	bound := WriteBound{Poll: 120 * ms, Write: 120 * ms}
	l := &fakeLink{}
	onBus(t, l, func(t *testing.T, b *Bus) {
		var c callers
		before, longest := 0, 0
		for i := range uint16(400) {
			time.Sleep(time.Duration(r.IntN(200)) * ms)
			c.do(t.Context(), b, at([]Priority{PriorityWrite, PriorityWrite, PriorityRead, PriorityPoll,
				PriorityPoll}[r.IntN(5)], i))
			b.mu.Lock()
			before = len(b.queue.waiting[PriorityWrite])
			b.mu.Unlock()
			longest = max(longest, before)
		}
		c.Wait()
		if wait := b.Stats().WriteWait.Max; wait > bound.Wait(longest) || wait < 100*ms {
			t.Errorf("a write waited %v, with up to %d before it; published are %v", wait, longest, bound.Wait(longest))
		}
	})
}
