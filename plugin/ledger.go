package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"solarhub/plugin/host"
)

// ledgerSize is how many entries the ledger keeps. Even an automation that writes every minute is covered for hours, and all of
// them take less than 200 KB.
const ledgerSize = 500

// Entry is one set-value of the host and its end: what was asked for, and what became of it.
type Entry struct {
	Number  uint64    `json:"number"` // counts all entries since the cache began
	At      time.Time `json:"at"`
	Call    string    `json:"call"` // the host's id of the call
	Action  string    `json:"action"`
	ID      string    `json:"id"` // of the entity
	Value   any       `json:"value,omitempty"`
	Force   bool      `json:"force,omitempty"`
	Outcome string    `json:"outcome"` // written, unchanged, superseded, or the code of the failure; begun: the process ended first
	Reason  string    `json:"reason,omitempty"`
	Found   string    `json:"found,omitempty"` // what was read back
	TookMS  int64     `json:"took_ms"`

	Reverted *Reversal `json:"reverted,omitempty"` // what was written did not stay
}

// The outcomes that are no failures.
const (
	outcomeBegun      = "begun"
	outcomeWritten    = "written"
	outcomeUnchanged  = "unchanged"
	outcomeSuperseded = "superseded"
)

// ledger holds the last entries in a ring. It belongs to the Hub's goroutine.
type ledger struct {
	entries []Entry // the newest last
	next    uint64
	dirty   map[uint64]bool // numbers that the cache does not know as they are
	open    map[uint64]bool // numbers of entries that an earlier process left without an end
}

func newLedger(entries []Entry) ledger {
	l := ledger{entries: entries[max(0, len(entries)-ledgerSize):], dirty: map[uint64]bool{},
		open: map[uint64]bool{}}
	for _, e := range l.entries {
		if e.Outcome == outcomeBegun {
			l.open[e.Number] = true
		}
	}
	if n := len(entries); n > 0 {
		l.next = entries[n-1].Number + 1
	}
	return l
}

// begin notes a call and returns the number of its entry.
func (l *ledger) begin(call host.Call, now time.Time) uint64 {
	e := Entry{Number: l.next, At: now, Call: call.CallID, Action: call.Action, ID: call.ID, Value: call.Value, Force: call.Force,
		Outcome: outcomeBegun}
	l.next++
	if len(l.entries) == ledgerSize {
		l.entries = slices.Delete(l.entries, 0, 1)
	}
	l.entries = append(l.entries, e)
	l.dirty[e.Number] = true
	return e.Number
}

// openOf returns the entries of an entity that an earlier process left without an end.
func (l *ledger) openOf(id string) (all []Entry) {
	for _, e := range l.entries {
		if e.ID == id && l.open[e.Number] {
			all = append(all, e)
		}
	}
	return all
}

// end completes an entry, if it is still there.
func (l *ledger) end(number uint64, outcome, reason, found string, now time.Time) {
	i, ok := slices.BinarySearchFunc(l.entries, number, func(e Entry, n uint64) int { return cmp.Compare(e.Number, n) })
	delete(l.open, number)
	if !ok {
		return
	}
	e := &l.entries[i]
	e.Outcome, e.Reason, e.Found, e.TookMS = outcome, reason, found, now.Sub(e.At).Milliseconds()
	l.dirty[number] = true
}

// flush adds to a batch what the cache does not know.
func (l *ledger) flush(batch map[string][]byte) {
	for _, e := range l.entries {
		if l.dirty[e.Number] {
			batch[ledgerKey(e.Number)] = encode(e)
		}
	}
	clear(l.dirty)
}

// ledgerKey returns the key of an entry in the cache, where it overwrites the one that leaves the ring.
func ledgerKey(number uint64) string { return fmt.Sprintf("%s%03d", ledgerPrefix, number%ledgerSize) }

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Number, b.Number) })
}
