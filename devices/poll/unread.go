package poll

import (
	"solarhub/devices/ask"
	"solarhub/devices/profile"
)

// Unread is a point that is polled and has no value from its last reads.
type Unread struct {
	Point profile.Point
	Err   error // what its reads ended with; nil: it has not been read yet
	Known bool  // it is known that the device does not give it: it is asked for again now and then
}

// outcomes is how the reads of points ended lately: nil for those that were read.
type outcomes map[string]error

// came notes that points were read. The caller holds mu.
func (o outcomes) came(readings []ask.Reading) {
	for _, r := range readings {
		if err, known := o[r.Key]; err != nil || !known {
			o[r.Key] = nil
		}
	}
}

// missed notes why points have never been read. The caller holds mu.
func (o outcomes) missed(points []profile.Point, err error) {
	for _, p := range points {
		if last, known := o[p.Key]; !known || last != nil {
			o[p.Key] = err
		}
	}
}

// Unread returns those of the points that have no value, in their order. It may be called from any goroutine.
func (p *Poller) Unread(points []profile.Point) (all []Unread) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, point := range points {
		err, known := p.outcomes[point.Key]
		if _, refused := p.refused[point.Key]; !known || err != nil {
			all = append(all, Unread{Point: point, Err: err, Known: refused})
		}
	}
	return all
}
