package write

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol/codec"
)

// Held are values that a device itself was found to hold though its profile lets nobody write them: numbers beyond the
// limits or between two steps, raw numbers that are none of the options, and 24:00. They may be written back, so that
// an owner who changes such a setting, and a scene that was made before, can return to it
// (wills106/homeassistant-solax-modbus #2120, stanus74/home-assistant-saj-h2-modbus #193).
type Held struct {
	mu      sync.Mutex
	points  map[string]profile.Point // that have limits or options
	values  map[string][]codec.Value // by point, the newest last
	version uint64                   // counts the changes of values
}

// endOfDay is how some devices end a window (GivEnergy). Nothing says which others take it.
var endOfDay = codec.TimeOf(24 * 60)

// maxHeld is how many values of a point are kept, and heldPoints of how many points.
const (
	maxHeld    = 8
	heldPoints = 200
)

// NewHeld returns values that were held before, by point; it keeps a copy.
func NewHeld(values map[string][]codec.Value) *Held {
	h := &Held{values: map[string][]codec.Value{}}
	for key, all := range values {
		h.values[key] = slices.Clone(all)
	}
	return h
}

// Watch says which points the device has. If it is another device, what was held is forgotten.
func (h *Held) Watch(points []profile.Point, another bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.points = map[string]profile.Point{}
	for _, p := range points {
		limited := p.Write != nil && !p.Button() && (p.Spec.IsNumber() || p.Spec.IsTime())
		if limited || p.Spec.Form == codec.OptionForm {
			h.points[p.Key] = p
		}
	}
	if another && len(h.values) > 0 {
		clear(h.values)
		h.version++
	}
}

// See takes what the device was found to hold.
func (h *Held) See(readings []ask.Reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range readings {
		p, ok := h.points[r.Key]
		if !ok || !isBeyond(p, r.Value) || slices.Contains(h.values[r.Key], r.Value) {
			continue
		}
		if len(h.values[r.Key]) == 0 && len(h.values) >= heldPoints {
			continue
		}
		all := append(slices.Clone(h.values[r.Key]), r.Value)
		h.values[r.Key] = all[max(0, len(all)-maxHeld):]
		h.version++
	}
}

// isBeyond reports whether a value is one that a device can hold and nobody may write by itself.
func isBeyond(p profile.Point, v codec.Value) bool {
	if v.Kind == codec.KindNumber && p.Write != nil {
		_, wrong := checkNumber(p, v.Num)
		return wrong != nil && p.Plausible(v.Num) && !isBlank(p.Spec, v.Num)
	}
	return v.Kind == codec.KindUnlisted || v == endOfDay
}

// isBlank reports whether a number is one by which many devices say that they have none: all bits set, or all but the
// sign, or the sign alone.
func isBlank(s codec.Spec, f float64) bool {
	if s.Type.Float() || s.ScaleWord {
		return false
	}
	raw, all := math.Round((f-s.Offset)/cmp.Or(s.Scale, 1)), float64(s.Largest())
	half := math.Floor(all / 2)
	return raw == all || math.Abs(raw) == half || math.Abs(raw) == half+1
}

// Of returns what the point was found to hold, the newest last.
func (h *Held) Of(key string) []codec.Value {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.values[key])
}

// All returns what was held, by point; nil for nothing.
func (h *Held) All() map[string][]codec.Value {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all map[string][]codec.Value
	for key, values := range h.values {
		if all == nil {
			all = map[string][]codec.Value{}
		}
		all[key] = slices.Clone(values)
	}
	return all
}

// Version counts the changes of what is held.
func (h *Held) Version() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.version
}

// find returns the value that was held and is meant by one that may not be written by itself.
func (h *Held) find(p profile.Point, v codec.Value) (codec.Value, bool) {
	all := h.Of(p.Key)
	i := slices.IndexFunc(all, func(held codec.Value) bool {
		near := stepNoise * math.Max(p.Write.Step, p.Spec.Grid())
		return held == v || held.Kind == codec.KindNumber && v.Kind == held.Kind && math.Abs(held.Num-v.Num) <= near
	})
	if i < 0 {
		return v, false
	}
	return all[i], true
}

// Widened returns the point as a host shows it: with limits that include what was held, and with the raw numbers as
// options.
func (h *Held) Widened(p profile.Point) profile.Point {
	for _, v := range h.Of(p.Key) {
		if v.Kind == codec.KindUnlisted && p.Spec.Form == codec.OptionForm {
			p.Spec.Options = append(slices.Clone(p.Spec.Options), codec.Option{Name: v.Str, Label: v.Str, Fixed: true})
		}
		if v.Kind == codec.KindNumber && p.Write != nil {
			wider := *p.Write
			wider.Min, wider.Max = min(wider.Min, v.Num), max(wider.Max, v.Num)
			p.Write = &wider
		}
	}
	return p
}
