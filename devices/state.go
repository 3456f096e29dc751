package devices

import (
	"slices"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Two things are kept across a restart, by whoever made the device: its Identity, which is given back as Config.Known,
// and what was Learned of it.

// Learned is what was found out about a device by reading it, and what its owner has chosen.
type Learned struct {
	Holes   []Hole                   `json:"holes,omitempty"`
	Longest Longest                  `json:"longest,omitzero"`
	Held    map[string][]codec.Value `json:"held,omitempty"` // by point: beyond what may be written, see write.Held
	Chosen  profile.Traits           `json:"chosen,omitempty"`
}

// Learned returns what was found out, with what the device was made with.
func (d *Device) Learned() Learned {
	d.mu.Lock()
	chosen := d.chosen
	d.mu.Unlock()
	return Learned{Holes: d.poller.Holes(), Longest: d.poller.Longest(),
		Held: d.held.All(), Chosen: chosen}
}

// Widened counts what the device was found to hold beyond what may be written: each changes its Entities.
func (d *Device) Widened() uint64 { return d.held.Version() }

// believedFor is how long it is believed what a former run has found about reads. Firmware changes, but rarely; what is
// still there is found again.
const believedFor = 7 * 24 * time.Hour

// young returns what is still believed.
func (l Learned) young() ([]Hole, Longest) {
	if time.Since(l.Longest.At) > believedFor {
		l.Longest = Longest{}
	}
	return slices.DeleteFunc(slices.Clone(l.Holes),
		func(h Hole) bool { return time.Since(h.At) > believedFor }), l.Longest
}
