package devices

import (
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// watchFor is how long a confirmed value is watched. What takes it back does so within minutes: the maker's cloud, a
// second controller, the firmware (wills106/homeassistant-solax-modbus #1752, Pho3niX90/solis_modbus #475).
const watchFor = 10 * time.Minute

// Reverted tells of a value that was written here, read back and confirmed, and that a later poll finds changed though
// it was not written here again. It is reported once for each confirmed write.
type Reverted struct {
	Key       string
	Wanted    Reading // as it was read back
	Found     Reading
	Confirmed time.Time
}

// watched is a confirmed value.
type watched struct {
	point     profile.Point
	wanted    Reading
	confirmed time.Time
}

// watch begins to watch a confirmed value; the caller holds mu.
func (r *reporter) watch(p profile.Point, wanted Reading) {
	if wanted.Raw != nil && !p.Button() {
		r.watches[p.Key] = watched{point: p, wanted: wanted, confirmed: time.Now()}
	}
}

// unwatch ends the watches of other points that a write to the point changes; the caller holds mu.
func (r *reporter) unwatch(p profile.Point) {
	for key, w := range r.watches {
		if key != p.Key && shareBits(w.point, p) {
			delete(r.watches, key)
		}
	}
}

// reverted returns what the readings, all of them current, show to have been changed by somebody else; the caller
// holds mu.
func (r *reporter) reverted(readings []Reading) (all []Reverted) {
	for _, found := range readings {
		w, ok := r.watches[found.Key]
		if !ok || found.Raw == nil || !found.ReadAt.After(w.wanted.ReadAt) {
			continue
		}
		late := found.ReadAt.Sub(w.confirmed) > watchFor
		changed := !w.point.Spec.Same(w.wanted.Raw, found.Raw)
		if late || changed {
			delete(r.watches, found.Key)
		}
		if changed && !late {
			all = append(all, Reverted{Key: found.Key, Wanted: w.wanted, Found: found, Confirmed: w.confirmed})
		}
	}
	return all
}

// shareBits reports whether writing one point can change the other.
func shareBits(a, b profile.Point) bool {
	mine := bitsOf(a)
	for where, mask := range bitsOf(b) {
		if mine[where]&mask != 0 {
			return true
		}
	}
	return false
}

// bitsOf returns the bits of a point by their registers.
func bitsOf(p profile.Point) map[protocol.Range]uint16 {
	bits := map[protocol.Range]uint16{}
	mask := p.Spec.CompareMask()
	for _, r := range p.Ranges {
		for i := range r.Count {
			if len(mask) == 0 {
				return bits
			}
			bits[protocol.Range{Table: r.Table, Addr: r.Addr + i, Count: 1}] |= mask[0]
			mask = mask[1:]
		}
	}
	return bits
}
