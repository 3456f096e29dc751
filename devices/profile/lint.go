package profile

import (
	"fmt"
	"slices"

	"solarhub/protocol/codec"
)

// Remark is what is odd about a family although it loads.
type Remark struct {
	Key  string // of the point; empty: it is about all
	Text string // a sentence without its full stop
}

// How many entities an owner wants to see and can look through. A meter of sums tells little.
const fewestShown, mostShown = 3, 80

// away is the state of an entity that is not there (home-assistant/core, homeassistant/const.py).
const away = "unavailable"

// Remarks returns what is odd about a family in any of its forms, each once.
func (p *Profile) Remarks() (all []Remark) {
	for _, traits := range p.Cases() {
		points, _ := p.Resolve(traits) // a loaded profile resolves each of its cases
		for _, r := range p.remarksOn(points) {
			if !slices.Contains(all, r) {
				all = append(all, r)
			}
		}
	}
	return all
}

func (p *Profile) remarksOn(points []Point) (all []Remark) {
	say := func(key, format string, args ...any) {
		all = append(all, Remark{key, fmt.Sprintf(format, args...)})
	}
	shown, confirmable := 0, 0
	for _, pt := range points {
		shown += count(pt.Entity.Enabled)
		confirmable += count(confirmed(p.Level(pt.Source)))
		if slices.Contains(pt.Spec.OptionNames(), away) {
			say(pt.Key, "with the option %q Home Assistant shows it as away: name the option otherwise", away)
		}
		if w := pt.Write; w != nil && pt.Entity.Platform == "number" {
			for _, text := range pt.unwritable(*w) {
				say(pt.Key, "%s", text)
			}
		}
	}
	if shown < min(fewestShown, confirmable) || shown > mostShown {
		say("", "%d points are on at first: an owner wants to see a few dozen", shown)
	}
	return all
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// unwritable says which values of a writable number the register cannot take: its limits, and the value one step above
// the lower.
func (p Point) unwritable(w Write) (all []string) {
	for _, v := range []float64{w.Min, w.Max, w.Min + w.Step} {
		words, err := p.Spec.Encode(codec.Number(v), make([]uint16, p.Spec.Words()))
		if err != nil {
			all = append(all, fmt.Sprintf("%s cannot be written: %v", number(v), err))
			continue
		}
		if back := p.Spec.Decode(words); back.Kind != codec.KindNumber &&
			!slices.ContainsFunc(p.Spec.NoValue, func(r codec.RawRange) bool { return r.From == uint64(words[0]) }) {
			all = append(all, fmt.Sprintf("%s comes back as %v", number(v), back))
		}
	}
	return all
}
