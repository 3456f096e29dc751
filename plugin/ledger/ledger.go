// Package ledger keeps the set-values of the host: what was asked for, when, and how it ended. It is a ring of the last
// 500.
package ledger

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"solarhub/plugin/host"
)

// Size is how many entries the ledger keeps: hours of an automation that writes every minute.
const Size = 500

// Prefix begins the key of each entry in the cache.
const Prefix = "ledger/"

// Entry is one set-value of the host and its end: what was asked for, and what became of it.
type Entry struct {
	Number  uint64    `json:"number"` // counts all entries since the cache began
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"` // who set it; empty: the host
	Call    string    `json:"call"`         // the host's id of the call
	Action  string    `json:"action"`
	ID      string    `json:"id"` // of the entity
	Value   any       `json:"value,omitempty"`
	Force   bool      `json:"force,omitempty"`
	Outcome string    `json:"outcome"` // one of the constants below, or the code of the failure
	Reason  string    `json:"reason,omitempty"`
	Found   string    `json:"found,omitempty"` // what was read back
	TookMS  int64     `json:"took_ms"`

	Reverted *Reversal `json:"reverted,omitempty"` // what was written did not stay
}

// Reversal is what a set-value met after its end: the device no longer held what had been confirmed.
type Reversal struct {
	Found   string  `json:"found"`
	Seconds float64 `json:"seconds"` // since the confirmation
}

// The outcomes that are no failures.
const (
	Begun      = "begun"      // no end is known: it is under way, or the process ended and nothing has been read since
	Written    = "written"    // and read back
	Unchanged  = "unchanged"  // the device held the value already
	Superseded = "superseded" // a newer value for the same register was written instead
)

// Ledger holds the last entries. It belongs to one goroutine.
type Ledger struct {
	entries []Entry // the newest last
	next    uint64
	dirty   map[uint64]bool // numbers that the cache does not know as they are
	open    map[uint64]bool // numbers of entries that an earlier process left without an end
}

// New returns a ledger that goes on behind entries, which may be in any order and more than Size.
func New(entries []Entry) *Ledger {
	sortEntries(entries)
	l := &Ledger{entries: entries[max(0, len(entries)-Size):], dirty: map[uint64]bool{}, open: map[uint64]bool{}}
	for _, e := range l.entries {
		if e.Outcome == Begun {
			l.open[e.Number] = true
		}
	}
	if n := len(entries); n > 0 {
		l.next = entries[n-1].Number + 1
	}
	return l
}

// Begin notes a call and returns the number of its entry.
func (l *Ledger) Begin(call host.Call, now time.Time) uint64 {
	e := Entry{Number: l.next, At: now, By: call.By, Call: call.CallID, Action: call.Action, ID: call.ID,
		Value: call.Value, Force: call.Force, Outcome: Begun}
	l.next++
	if len(l.entries) == Size {
		delete(l.open, l.entries[0].Number)
		l.entries = slices.Delete(l.entries, 0, 1)
	}
	l.entries = append(l.entries, e)
	l.dirty[e.Number] = true
	return e.Number
}

// Open returns the entries of an entity that an earlier process left without an end.
func (l *Ledger) Open(id string) (all []Entry) {
	if len(l.open) == 0 {
		return nil
	}
	for _, e := range l.entries {
		if e.ID == id && l.open[e.Number] {
			all = append(all, e)
		}
	}
	return all
}

// End completes an entry, if it is still there.
func (l *Ledger) End(number uint64, outcome, reason, found string, now time.Time) {
	delete(l.open, number)
	e := l.at(number)
	if e == nil {
		return
	}
	e.Outcome, e.Reason, e.Found, e.TookMS = outcome, reason, found, now.Sub(e.At).Milliseconds()
	l.dirty[number] = true
}

// Flush adds to a batch what the cache does not know.
func (l *Ledger) Flush(batch map[string][]byte) {
	for _, e := range l.entries {
		if l.dirty[e.Number] {
			batch[key(e.Number)] = encode(e)
		}
	}
	clear(l.dirty)
}

// Last returns a copy of the newest n entries, the newest last.
func (l *Ledger) Last(n int) []Entry {
	return slices.Clone(l.entries[max(0, len(l.entries)-n):])
}

// Revert marks the newest set-value that was written for one of the entities, and returns which of them it was; empty:
// none.
func (l *Ledger) Revert(ids []string, r Reversal) (id string) {
	for _, e := range slices.Backward(l.entries) {
		if e.Outcome == Written && slices.Contains(ids, e.ID) {
			l.at(e.Number).Reverted = &r
			l.dirty[e.Number] = true
			return e.ID
		}
	}
	return ""
}

// Failed returns which of the entities was set last without being confirmed; empty: none.
func (l *Ledger) Failed(ids []string) (id string) {
	for _, e := range slices.Backward(l.entries) {
		if e.Reason != "" && slices.Contains(ids, e.ID) {
			return e.ID
		}
	}
	return ""
}

// at returns the entry with a number, nil if it has left the ring.
func (l *Ledger) at(number uint64) *Entry {
	i, ok := slices.BinarySearchFunc(l.entries, number, func(e Entry, n uint64) int { return cmp.Compare(e.Number, n) })
	if !ok {
		return nil
	}
	return &l.entries[i]
}

// encode returns the JSON of an entry; its value came as JSON, so it can be encoded.
func encode(e Entry) []byte {
	text, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return text
}

// key returns the key of an entry in the cache, where it overwrites the one that leaves the ring.
func key(number uint64) string { return fmt.Sprintf("%s%03d", Prefix, number%Size) }

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
}
