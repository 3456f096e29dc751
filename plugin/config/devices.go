package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// deviceKeys are all keys of a device.
var deviceKeys = slices.Concat([]string{"profile", "unit", "name", "id"}, profile.SettingKeys(false),
	[]string{"poll", "grace", "read_only", "arm", "traits", "order", "points"})

// pollKeys are the classes whose interval a device can set.
var pollKeys = []string{profile.Now.String(), profile.Normal.String(), profile.Slow.String()}

// deviceEntry is a device with the keys that it was read from, for findings about it.
type deviceEntry struct {
	device devices.Config
	keys   strict.Fields

	longestKey string         // of the longest point that must be read at once
	longest    protocol.Range // and its registers
}

// fail reports a finding at a key of the device, or at the device if the key is missing.
func (p deviceEntry) fail(key, format string, args ...any) {
	at := p.keys.At
	if n := p.keys.Get(key); n != nil {
		at = n
	}
	at.Fail(format, args...)
}

func (p *parser) device(n *strict.Node, t Transport, units map[string]*strict.Node) (deviceEntry, bool) {
	f := n.FieldsBut(ofLines, deviceKeys...)
	if f.At == nil {
		return deviceEntry{}, false
	}
	family := p.profile(f.Need("profile"))
	known := family != nil
	if !known {
		family = &profile.Profile{} // so that the rest is looked at too
	}
	d := DefaultDevice(family)
	unitAt, right := f.At, known
	if u := f.Get("unit"); u != nil {
		low, high := int64(1), int64(247)
		if t.HasIDs() {
			low, high = 0, 255
		}
		unit, ok := u.Int(low, high)
		right = right && ok
		d.Unit, unitAt = protocol.UnitID(unit), u
	}
	if right {
		unique(units, strconv.Itoa(int(d.Unit)), fmt.Sprintf("unit %d of this line", d.Unit), unitAt)
	}
	if n := f.Get("name"); n != nil {
		d.Name, _ = n.Text()
	}
	if n := f.Get("id"); n != nil {
		p.id(&d, n)
	}
	t.patience(&d.Line.Pace)
	for _, k := range profile.Settings {
		if n := f.Get(k.Key); n != nil {
			k.Take(n, &d.Line)
		}
	}
	d.Profile = d.Profile.WriteWith(d.Line.With)
	if n := f.Get("poll"); n != nil {
		poll(d.Intervals, n.Fields(pollKeys...))
	}
	d.Grace = grace(f, p.grace)
	if n := f.Get("read_only"); n != nil {
		d.ReadOnly, _ = n.Bool()
	}
	if n := f.Get("arm"); n != nil {
		d.Arm = armedKeys(n, family, known)
	}
	if n := f.Get("traits"); n != nil && known {
		d.Traits = fixedTraits(n, family)
	}
	entry := deviceEntry{device: d, keys: f}
	if known {
		entry.own()
	} else {
		orderOf(f)
	}
	return entry, right
}

// id reads the id of a device that has no serial number.
func (p *parser) id(d *devices.Config, n *strict.Node) {
	text, ok := n.Text()
	if !ok {
		return
	}
	if err := profile.CheckDeviceID(text); err != nil {
		n.Fail("id %q: %v", text, err)
		return
	}
	if len(text) < minID {
		n.Fail("id %q is too short: it needs at least %d characters", text, minID)
		return
	}
	d.ID = text
	unique(p.ids, text, "the id "+text, n)
}

// profile finds the family of a device. What is wrong in a profile's own file is told as that file's findings.
func (p *parser) profile(n *strict.Node) *profile.Profile {
	if n == nil {
		return nil
	}
	name, ok := n.Text()
	if !ok {
		return nil
	}
	if ext := filepath.Ext(name); ext == ".yaml" || ext == ".yml" {
		name = p.path(name)
	}
	family, err := profile.Open(name)
	var found strict.Findings
	switch {
	case errors.As(err, &found):
		if !slices.ContainsFunc(p.inProfiles, func(f strict.Finding) bool { return f.File == found[0].File }) {
			p.inProfiles = append(p.inProfiles, found...)
		}
		return nil
	case err != nil:
		n.Fail("%v", err)
		return nil
	}
	return family
}

func poll(to map[profile.Interval]time.Duration, f strict.Fields) {
	for _, i := range []profile.Interval{profile.Now, profile.Normal, profile.Slow} {
		if n := f.Get(i.String()); n != nil {
			if d, ok := n.Duration(minInterval, maxInterval); ok {
				to[i] = d
			}
		}
	}
}

// fixedTraits reads the traits that the owner settles: they are not read from the device.
func fixedTraits(n *strict.Node, family *profile.Profile) profile.Traits {
	fixed := profile.Traits{}
	for _, e := range n.Entries() {
		name, word := e.Key.Raw(), e.Value.Raw()
		t, ok := family.Trait(name)
		if !ok || t.From == profile.FromChain {
			e.Key.Fail("traits: %s has no trait %q; its traits: %s", family.ID, name, traitNames(family))
			continue
		}
		if err := t.Check(word); err != nil {
			e.Value.Fail("traits: %v", err)
			continue
		}
		fixed[name] = word
	}
	return fixed
}

// traitNames lists the traits that can be settled.
func traitNames(family *profile.Profile) string {
	var names []string
	for _, t := range family.Traits {
		if t.From != profile.FromChain {
			names = append(names, t.Name)
		}
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// armedKeys reads the keys of installer's settings that may be written.
func armedKeys(n *strict.Node, family *profile.Profile, known bool) []string {
	armable := armableKeys(family)
	var keys []string
	for _, item := range n.Items() {
		key, ok := item.Text()
		switch {
		case !ok || !known:
		case len(armable) == 0:
			item.Fail("arm: nothing of %s needs arming", family.ID)
		case !slices.Contains(armable, key):
			item.Fail("arm: %q is not one of the keys of %s that need it: %s", key, family.ID,
				strings.Join(armable, ", "))
		case slices.Contains(keys, key):
			item.Fail("arm: %q stands here twice", key)
		default:
			keys = append(keys, key)
		}
	}
	return keys
}

// armableKeys returns the keys of all points that need arming, sorted.
func armableKeys(family *profile.Profile) []string {
	return keysOf(family, func(p profile.Point) bool { return p.Write != nil && p.Write.Arm })
}

// keysOf returns the keys of all points of some kind, in any case, sorted.
func keysOf(family *profile.Profile, is func(profile.Point) bool) []string {
	keys := map[string]bool{}
	for _, traits := range family.Cases() {
		points, err := family.Resolve(traits)
		if err != nil {
			continue
		}
		for _, pt := range points {
			if is(pt) {
				keys[pt.Key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
