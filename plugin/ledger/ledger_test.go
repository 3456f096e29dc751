package ledger

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"solarhub/plugin/host"
)

func TestTheLedgerIsARing(t *testing.T) {
	l := New(nil)
	now := time.Unix(1000, 0)
	for i := range Size + 3 {
		n := l.Begin(host.Call{CallID: fmt.Sprint(i), Action: host.ActionSet, ID: "e", Value: float64(i)}, now)
		l.End(n, Written, "", fmt.Sprint(i), now.Add(time.Second))
	}
	if len(l.entries) != Size || l.entries[0].Number != 3 || l.entries[0].TookMS != 1000 {
		t.Errorf("%d entries, the first is %+v", len(l.entries), l.entries[0])
	}
	l.End(0, "late", "", "", now) // it is no longer there
	batch := flushed(l)
	if len(batch) != Size {
		t.Errorf("%d records", len(batch))
	}
	if again := flushed(l); len(again) != 0 {
		t.Errorf("%d records though nothing has changed", len(again))
	}
	var kept []Entry
	for _, text := range batch { // in any order
		var e Entry
		if err := json.Unmarshal(text, &e); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, e)
	}
	back := New(kept)
	first := back.Last(Size)[0]
	if next := back.Begin(host.Call{}, now); next != Size+3 || first.Value != 3.0 || first.Outcome != Written {
		t.Errorf("next %d, the first is %+v", next, first)
	}
}

func flushed(l *Ledger) map[string][]byte {
	batch := map[string][]byte{}
	l.Flush(batch)
	return batch
}

func TestTheNewestWrittenEntryIsReverted(t *testing.T) {
	l, now := New(nil), time.Now()
	for _, outcome := range []string{Written, Written, Unchanged} {
		l.End(l.Begin(host.Call{ID: "a"}, now), outcome, "", "", now)
	}
	flushed(l)
	if id := l.Revert([]string{"b"}, Reversal{}); id != "" {
		t.Errorf("reverted %q", id)
	}
	if id := l.Revert([]string{"b", "a"}, Reversal{Found: "1"}); id != "a" || l.entries[1].Reverted == nil ||
		len(flushed(l)) != 1 {
		t.Errorf("reverted %q, entries %+v", id, l.entries)
	}
}

func TestEntriesOfAnEarlierProcessAreOpenUntilTheirEnd(t *testing.T) {
	l, now := New([]Entry{{Number: 1, ID: "a", Outcome: Begun}, {Number: 2, ID: "a", Outcome: Written}}), time.Now()
	l.Begin(host.Call{ID: "a"}, now) // of this process
	open := l.Open("a")
	if len(open) != 1 || open[0].Number != 1 || len(l.Open("b")) != 0 {
		t.Fatalf("open: %+v", open)
	}
	l.End(1, Written, "", "", now)
	if open := l.Open("a"); len(open) != 0 {
		t.Errorf("open: %+v", open)
	}
	l = New([]Entry{{Number: 1, ID: "a", Outcome: Begun}})
	for range Size {
		l.Begin(host.Call{ID: "a"}, now)
	}
	if len(l.open) != 0 {
		t.Error("an entry that has left the ring is open")
	}
}
