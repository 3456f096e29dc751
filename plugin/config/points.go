package config

import (
	"fmt"
	"strings"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// checkHoles refuses a hole of the configuration that cuts a point of every variant.
func (p *deviceEntry) checkHoles() {
	n := p.keys.Get("holes")
	if n == nil {
		return
	}
	items := []*strict.Node{n}
	if n.IsList() {
		items = n.Items()
	}
	for _, item := range items {
		hole, err := profile.ParseHole(strings.TrimSpace(item.Raw()))
		if err != nil {
			continue // told already
		}
		if keys, whole := cutPoints(p.device.Profile, hole); len(keys) > 0 {
			item.Fail("hole %s cuts %s: the nearest that works is %s", profile.HoleText(hole), firstKeys(keys), whole)
		}
	}
}

// cutPoints returns the points that a hole cuts, and the rest of the hole beside them. It returns none if some variant
// has no such point.
func cutPoints(family *profile.Profile, hole protocol.Range) (keys []string, rest string) {
	for _, traits := range family.Cases() {
		points, _ := family.Resolve(traits) // the cases of a loaded profile resolve
		var read []protocol.Range
		keys = nil
		for _, point := range points {
			touches := false
			for _, r := range point.Ranges {
				touches = touches || hole.Overlaps(r) && point.HasValue()
			}
			if touches {
				keys, read = append(keys, point.Key), append(read, point.Ranges...)
			}
		}
		if len(keys) == 0 {
			return nil, ""
		}
		rest = "to leave it out"
		if left := profile.SubtractRanges(hole, read...); len(left) > 0 {
			rest = profile.HolesText(left)
		}
	}
	return keys, rest
}

// firstKeys names the first of several keys.
func firstKeys(keys []string) string {
	if len(keys) > 2 {
		return fmt.Sprintf("%s, %s and %d more", keys[0], keys[1], len(keys)-2)
	}
	return strings.Join(keys, " and ")
}

// longestPoint returns the longest point that must be read at once, for the variant in which that is shortest.
func longestPoint(family *profile.Profile) (key string, most protocol.Range) {
	for i, traits := range family.Cases() {
		points, _ := family.Resolve(traits)
		var longestKey string
		var longest protocol.Range
		for _, p := range points {
			for _, r := range p.Ranges {
				if r.Count > longest.Count && !r.Table.Bits() && p.HasValue() {
					longestKey, longest = p.Key, r
				}
			}
		}
		if i == 0 || longest.Count < most.Count {
			key, most = longestKey, longest
		}
	}
	return key, most
}

// checkMaxRegisters refuses a max_registers that is smaller than a point.
func (p *deviceEntry) checkMaxRegisters() {
	r := p.longest
	if most := p.device.Line.MaxRegisters; r.Count > most && p.keys.Get("max_registers") != nil {
		p.fail("max_registers", "max_registers %d: %s (%s) is read in one go; the nearest that works is %d", most,
			p.longestKey, r, r.Count)
		p.device.Line.MaxRegisters = r.Count // so that the rest is judged too
	}
}
