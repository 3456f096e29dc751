package sim

import (
	"time"

	"solarhub/protocol"
)

// Behaviour is what an address does with a word that is written to it. The zero value stores it at once; see also
// package simtest.
type Behaviour struct {
	// Refuse is the exception code that the write is answered with, or Silence; nothing of the request is stored. 0: it
	// is acknowledged.
	Refuse byte
	// Store returns the word that is stored at once. Defaults to the wanted one.
	Store func(addr, old, wanted uint16) uint16
	// Later returns a word that is stored some time later, and when. Defaults to none.
	Later func(addr, old, wanted uint16) (word uint16, after time.Duration)
}

// rule is the behaviour of a range.
type rule struct {
	over protocol.Range
	does Behaviour
}

// Behave says what a write to an address in r does. A later call goes over an earlier one; Behaviour{} is back to
// normal.
func (u *Unit) Behave(r protocol.Range, b Behaviour) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rules = append(u.rules, rule{r, b})
}

// ReadOnly has writes to an address in r refused with the exception code, which is 2 or 3 on most devices.
func (u *Unit) ReadOnly(r protocol.Range, code byte) { u.Behave(r, Behaviour{Refuse: code}) }

// whole is registers that are only written together.
type whole struct {
	over protocol.Range
	code byte
}

// OnlyWhole has a write to an address in r refused with the exception code unless it writes exactly r.
func (u *Unit) OnlyWhole(r protocol.Range, code byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.wholes = append(u.wholes, whole{r, code})
}

// behaviour returns what an address does. The lock is held.
func (u *Unit) behaviour(t protocol.Table, addr uint16) Behaviour {
	for i := len(u.rules) - 1; i >= 0; i-- {
		if u.rules[i].over.Contains(protocol.Range{Table: t, Addr: addr, Count: 1}) {
			return u.rules[i].does
		}
	}
	return Behaviour{}
}

// write carries out a write whose addresses exist, all or nothing, and returns an exception code or 0. The lock is
// held.
func (u *Unit) write(r protocol.Range, words []uint16, now time.Time) byte {
	for _, w := range u.wholes {
		if w.over.Overlaps(r) && w.over != r {
			return w.code
		}
	}
	for i := range words {
		if code := u.behaviour(r.Table, r.Addr+uint16(i)).Refuse; code != 0 {
			return code
		}
	}
	for i, w := range words {
		u.store(r.Table, r.Addr+uint16(i), w, now)
	}
	return 0
}

// store gives one word to an address in the way of the address. The lock is held.
func (u *Unit) store(t protocol.Table, addr, word uint16, now time.Time) {
	b := u.behaviour(t, addr)
	old, wanted := u.tables[t][addr], word
	if b.Store != nil {
		word = b.Store(addr, old, wanted)
	}
	if b.Later != nil {
		word, after := b.Later(addr, old, wanted)
		u.later(stored{now.Add(after), t, addr, word})
	}
	u.tables[t][addr] = word
}
