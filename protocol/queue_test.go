package protocol

import (
	"math/rand/v2"
	"testing"
	"time"
)

func queued(p Priority, due time.Time) *item {
	return &item{req: Request{Priority: p}, due: due, done: make(chan struct{})}
}

func TestQueueRows(t *testing.T) {
	now := time.Now()
	q := &queue{}
	for range 200 {
		for p := range PriorityPoll + 1 {
			q.push(queued(p, now))
		}
	}
	var served [PriorityPoll + 1]int
	row := 0
	for range 200 {
		it := q.next(now)
		p := it.req.Priority
		q.served(p, 1, now)
		served[p]++
		if row++; p != PriorityWrite {
			row = 0
		}
		if row > inRow {
			t.Fatalf("%d writes in a row", row)
		}
	}
	// Of 200 turns each ninth is not a write, and each ninth of these is a poll.
	if served[PriorityWrite] != 178 || served[PriorityRead] != 20 || served[PriorityPoll] != 2 {
		t.Errorf("served %v", served)
	}
}

// A hold counts for its exchanges, and rows only count while someone waits.
func TestQueueRowCounts(t *testing.T) {
	now := time.Now()
	q := &queue{}
	for range 20 {
		q.push(queued(PriorityWrite, now))
	}
	for range 10 {
		q.next(now)
		q.served(PriorityWrite, 1, now)
	}
	if q.row[PriorityWrite] != 0 {
		t.Errorf("a row of %d while nobody waited", q.row[PriorityWrite])
	}
	q.push(queued(PriorityPoll, now))
	q.served(q.next(now).req.Priority, inRow, now)
	if p := q.next(now).req.Priority; p != PriorityPoll {
		t.Errorf("priority %d went behind a hold of %d exchanges", p, inRow)
	}
	later := queued(PriorityPoll, now.Add(time.Hour))
	q.push(later)
	q.served(PriorityWrite, inRow, now)
	if p := q.next(now).req.Priority; p != PriorityWrite {
		t.Errorf("priority %d went before its time", p)
	}
	if at, ok := q.wake(); !ok || !at.Equal(now) {
		t.Error("wake", at, ok)
	}
}

// Whatever comes and goes: nothing is lost or served twice, and within a priority the first due goes first.
func TestQueueKeepsEverything(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	q, now := &queue{}, time.Now()
	in := map[*item]int{}
	last := [PriorityPoll + 1]int{}
	for i := 1; i < 5000; i++ {
		switch r.IntN(5) {
		case 0, 1:
			it := queued(Priority(r.IntN(3)), now)
			in[it] = i
			q.push(it)
		case 2:
			for it := range in {
				if !q.remove(it) || q.remove(it) {
					t.Fatal("remove")
				}
				delete(in, it)
				break
			}
		default:
			it := q.next(now)
			if it == nil {
				if len(in) > 0 {
					t.Fatalf("%d are waiting and none is due", len(in))
				}
				continue
			}
			p := it.req.Priority
			if in[it] <= last[p] {
				t.Fatalf("served %d behind %d", in[it], last[p])
			}
			last[p] = in[it]
			delete(in, it)
			q.served(p, 1, now)
		}
		if q.len() != len(in) {
			t.Fatalf("%d are queued, %d should be", q.len(), len(in))
		}
	}
}
