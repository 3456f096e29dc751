// Package simtest is what tests want of simulated devices: the ways in which real ones fail to do what they
// acknowledge.
package simtest

import (
	"time"

	"solarhub/protocol/sim"
)

// Ignore acknowledges the write and stores nothing.
func Ignore() sim.Behaviour {
	return Alter(func(_, old, _ uint16) uint16 { return old })
}

// Alter acknowledges the write and stores what f makes of the wanted word.
func Alter(f func(addr, old, wanted uint16) uint16) sim.Behaviour { return sim.Behaviour{Store: f} }

// Clamp acknowledges the write and stores the nearest of least..most. With a negative least words count as signed.
func Clamp(least, most int) sim.Behaviour {
	return Alter(func(_, _, wanted uint16) uint16 {
		n := int(wanted)
		if least < 0 {
			n = int(int16(wanted))
		}
		return uint16(max(least, min(n, most)))
	})
}

// StoreAfter acknowledges the write and stores it d later, as a device does that settles.
func StoreAfter(d time.Duration) sim.Behaviour {
	b := Ignore()
	b.Later = func(_, _, wanted uint16) (uint16, time.Duration) { return wanted, d }
	return b
}

// RevertAfter stores the write and d later what was there before.
func RevertAfter(d time.Duration) sim.Behaviour {
	return sim.Behaviour{Later: func(_, old, _ uint16) (uint16, time.Duration) { return old, d }}
}
