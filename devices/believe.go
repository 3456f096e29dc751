package devices

import (
	"context"
	"strconv"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/plausible"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Kept is the value of a number that an earlier run has read.
type Kept = plausible.Kept

// Implausible is a point whose last reading was not believed.
type Implausible = plausible.Odd

// ratedPower is what the vocabulary and the traits call the power that a device is made for, in watts.
const ratedPower = "rated_power"

// believe judges new readings: what cannot be true has no value or is left out. It returns those that count, and the
// keys of those that are to be read once more; the caller holds mu.
func (r *reporter) believe(readings []Reading) (believed []Reading, again []string) {
	believed = readings[:0]
	for _, one := range readings {
		var f plausible.Finding
		if one.Value, f = r.marks.Take(one.Key, one.Value, one.ReadAt); f.Again {
			again = append(again, one.Key)
		}
		if f.Fell {
			r.device.log.Warn().Str("point", one.Key).Float64("before", f.Before).Stringer("now", one.Value).
				Msg("a counter is lower than it was, and stays so: it was begun anew, or is another")
		}
		if one.Key == r.rated && one.Value.Kind == codec.KindNumber {
			r.marks.Rated = one.Value.Num / 1000
		}
		if f.Verdict != plausible.Held {
			believed = append(believed, one)
		}
	}
	return believed, again
}

// believed returns a reading as it counts: one that cannot be true has no value, and its reason.
func (r *reporter) believed(one Reading) Reading {
	r.mu.Lock()
	defer r.mu.Unlock()
	if reason := r.marks.Doubt(one.Key); reason != "" && one.Value.Kind == codec.KindNumber {
		one.Value = codec.None(reason)
	} else if last, ok := r.last[one.Key]; ok && last.ReadAt.Equal(one.ReadAt) {
		return last
	}
	return one
}

// watchPoints says which points there are; its caller may hold the device. traits are those of the device.
func (r *reporter) watchPoints(points []profile.Point, traits profile.Traits, zone *time.Location) {
	r.device.watchClock(points)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks.Watch(points, zone)
	if watts, err := strconv.ParseFloat(traits[ratedPower], 64); err == nil {
		r.marks.Rated = watts / 1000
	}
	for _, p := range points {
		if p.Quantity == ratedPower && p.Unit == "W" {
			r.rated = p.Key
		}
	}
}

// recall takes over what an earlier run has read of the same device.
func (r *reporter) recall(kept map[string]Kept) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks.Recall(kept)
	if k, ok := kept[r.rated]; ok {
		r.marks.Rated = k.Value / 1000
	}
}

// Implausible returns the points whose last reading was not believed, by their keys, and how many readings were not
// since the start.
func (d *Device) Implausible() (odd []Implausible, total uint64) {
	d.out.mu.Lock()
	defer d.out.mu.Unlock()
	return d.out.marks.Odd(), d.out.marks.Total()
}

// mostAgain is how many values of one report are read again at once. Where more are odd the device itself is, and the
// next poll tells.
const mostAgain = 4

// readAgain reads values once more that cannot be true.
func (d *Device) readAgain(ctx context.Context, keys []string) {
	for _, key := range keys[:min(len(keys), mostAgain)] {
		p, ok := d.point(key)
		if !ok || p.Formula != nil {
			continue
		}
		got, err := ask.Point(ctx, d.do, d.client.Request(protocol.PriorityPoll, ask.ForPoll), p)
		if err != nil {
			return // the next poll tells
		}
		d.out.polled(ctx, []Reading{got})
	}
}

// oddIdentity is how often at most what cannot be true has the device identified anew.
const oddIdentity = time.Minute

// askWhoItIs has a device identified anew of which something cannot be true: the order of its words, or a scale, that
// it told at its identification may be another by now (Kostal's falls back with an update).
func (d *Device) askWhoItIs() {
	odd, _ := d.Implausible()
	if now := time.Now(); len(odd) > 0 && len(d.cfg.Profile.Traits) > 0 && now.Sub(d.askedWho) >= oddIdentity {
		d.askedWho = now
		d.doubt()
	}
}
