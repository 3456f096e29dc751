package devices

import (
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/plan"
)

// Lessons are what a device has taught about its reads. They outlive a restart: what Device.Learnt returns is given to Config.Learnt.
type Lessons struct {
	Holes  []Hole    `json:"holes,omitempty"`
	Most   uint16    `json:"most,omitzero"`    // registers of the largest read that works; 0: as many as the line's settings say
	MostAt time.Time `json:"most_at,omitzero"` // when that was last seen
}

// Hole is a run of registers that the device does not read across, with the time when that was last seen.
type Hole struct {
	Range protocol.Range `json:"range"`
	At    time.Time      `json:"at"`
}

// Learnt returns what the device has taught, with what it was made with.
func (d *Device) Learnt() Lessons {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.learnt
	l.Holes = slices.Clone(l.Holes)
	return l
}

// learn keeps what reading has taught and reports whether the plan changes by it.
func (d *Device) learn(t taught) bool {
	if len(t.holes) == 0 && t.most == 0 {
		return false
	}
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range t.holes {
		d.learnt.Holes = append(slices.Clip(d.learnt.Holes), Hole{Range: r, At: now})
	}
	if t.most > 0 && (d.learnt.Most == 0 || t.most < d.learnt.Most) {
		d.learnt.Most, d.learnt.MostAt = t.most, now
	}
	d.generation++
	return true
}

// limits returns what one read of the device may have, settings and lessons together. A point goes before a lesson: what has been
// read in one go may be read so again, and that of which a point is made is no hole. The caller holds mu.
func (d *Device) limits() plan.Limits {
	limits := limitsOf(d.cfg.Line)
	for _, hole := range d.learnt.Holes {
		if !overlapsAny(d.points, hole.Range) {
			limits.Holes = append(limits.Holes, hole.Range)
		}
	}
	if d.learnt.Most > 0 {
		limits.MaxRegisters = min(limits.MaxRegisters, max(d.learnt.Most, longest(d.points)))
	}
	return limits
}

// longest returns the most registers of one range of the points.
func longest(points []profile.Point) (most uint16) {
	for _, p := range points {
		for _, r := range p.Ranges {
			if !r.Table.Bits() {
				most = max(most, r.Count)
			}
		}
	}
	return most
}
