package sim

import (
	"time"

	"solarhub/protocol"
)

// Behaviour is what a register does with a write. The zero value stores it.
type Behaviour struct {
	refuse byte
	ignore bool
	alter  func(addr, old, wanted uint16) uint16
	after  time.Duration
	revert time.Duration
}

// rule is the behaviour of a range.
type rule struct {
	over protocol.Range
	does Behaviour
}

// Refuse answers the write with an exception, or not at all for Silence; nothing of the request is stored.
func Refuse(code byte) Behaviour { return Behaviour{refuse: code} }

// Ignore acknowledges the write and stores nothing.
func Ignore() Behaviour { return Behaviour{ignore: true} }

// Alter acknowledges the write and stores what f makes of the wanted word.
func Alter(f func(addr, old, wanted uint16) uint16) Behaviour { return Behaviour{alter: f} }

// Clamp acknowledges the write and stores the nearest of least..most. With a negative least words count as signed.
func Clamp(least, most int) Behaviour {
	return Alter(func(_, _, wanted uint16) uint16 {
		n := int(wanted)
		if least < 0 {
			n = int(int16(wanted))
		}
		return uint16(max(least, min(n, most)))
	})
}

// StoreAfter acknowledges the write and stores it d later, as a device does that settles.
func StoreAfter(d time.Duration) Behaviour { return Behaviour{after: d} }

// RevertAfter stores the write and d later what was there before.
func RevertAfter(d time.Duration) Behaviour { return Behaviour{revert: d} }

// Behave says what a write to an address in r does. A later call goes over an earlier one; Behaviour{} is back to normal.
func (u *Unit) Behave(r protocol.Range, b Behaviour) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rules = append(u.rules, rule{r, b})
}

// ReadOnly has writes to an address in r refused with the exception code, which is 2 or 3 on most devices.
func (u *Unit) ReadOnly(r protocol.Range, code byte) { u.Behave(r, Refuse(code)) }

// behaviour returns what an address does. The lock is held.
func (u *Unit) behaviour(t protocol.Table, addr uint16) Behaviour {
	for i := len(u.rules) - 1; i >= 0; i-- {
		if u.rules[i].over.Contains(protocol.Range{Table: t, Addr: addr, Count: 1}) {
			return u.rules[i].does
		}
	}
	return Behaviour{}
}

// write carries out a write whose addresses exist, all or nothing, and returns an exception code or 0. The lock is held.
func (u *Unit) write(r protocol.Range, words []uint16, now time.Time) byte {
	for i := range words {
		if code := u.behaviour(r.Table, r.Addr+uint16(i)).refuse; code != 0 {
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
	old := u.tables[t][addr]
	switch {
	case b.ignore:
		return
	case b.alter != nil:
		word = b.alter(addr, old, word)
	case b.after > 0:
		u.later(stored{now.Add(b.after), t, addr, word})
		return
	case b.revert > 0:
		u.later(stored{now.Add(b.revert), t, addr, old})
	}
	u.tables[t][addr] = word
}
