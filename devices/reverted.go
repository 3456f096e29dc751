package devices

import (
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/write"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// watchFor is how long a confirmed value is watched. What takes it back does so within minutes: the maker's cloud, a
// second controller, the firmware (wills106/homeassistant-solax-modbus #1752, Pho3niX90/solis_modbus #475).
const watchFor = 10 * time.Minute

// takesOver is how long a value that a device did not hold at the end of its set-value is watched for. Some take over a
// setting exactly five minutes later (wills106/homeassistant-solax-modbus #942), and it may be read as rarely.
const takesOver = 15 * time.Minute

// Changed tells that a later poll finds another value than a set-value left behind, though it was not set here again:
// what was confirmed is no longer held, or what was missing is held now. It is reported once for each set-value.
type Changed struct {
	Key       string
	TakenOver bool // the set-value had failed, and the device holds what was wanted now
	Wanted    codec.Value
	Found     Reading
	Ended     time.Time // the set-value
}

// watched is a value that was set.
type watched struct {
	point     profile.Point
	wanted    codec.Value
	held      Reading // as it was read back; of a value that is missing its Raw is nil
	confirmed bool
	ended     time.Time
}

// watch begins to watch a value that was set; the caller holds mu.
func (r *reporter) watch(p profile.Point, end write.End) {
	w := watched{point: p, wanted: end.Wanted, confirmed: end.Confirmed, ended: time.Now()}
	if end.Found != nil {
		w.held = *end.Found
	}
	if p.HasValue() && (w.held.Raw != nil || !w.confirmed) {
		r.watches[p.Key] = w
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

// changed returns what the readings, all of them current, show to have changed since it was set; the caller holds mu.
func (r *reporter) changed(readings []Reading) (all []Changed) {
	for _, found := range readings {
		w, ok := r.watches[found.Key]
		if !ok || found.Raw == nil || !found.ReadAt.After(w.held.ReadAt) {
			continue
		}
		changed, most := write.Holds(w.point, w.wanted, found), takesOver
		if w.confirmed {
			changed, most = !w.point.Spec.Same(w.held.Raw, found.Raw), watchFor
		}
		if w.point.IsClock() {
			changed = w.confirmed == r.device.clockChanged(found)
		}
		late := found.ReadAt.Sub(w.ended) > most
		if late || changed {
			delete(r.watches, found.Key)
		}
		if changed && !late {
			all = append(all, Changed{found.Key, !w.confirmed, w.wanted, found, w.ended})
		}
	}
	return all
}

// shareBits reports whether writing the second point can change what is read of the first.
func shareBits(a, b profile.Point) bool {
	if b.Write != nil && b.Write.Apart {
		return false
	}
	mine := bitsOf(a.Ranges, a.Spec)
	ranges, spec := b.WriteTo()
	for where, mask := range bitsOf(ranges, spec) {
		if mine[where]&mask != 0 {
			return true
		}
	}
	return false
}

// bitsOf returns the bits of a value by their registers.
func bitsOf(ranges []protocol.Range, spec codec.Spec) map[protocol.Range]uint16 {
	bits := map[protocol.Range]uint16{}
	mask := spec.CompareMask()
	for _, r := range ranges {
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
