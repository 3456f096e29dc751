package config

import (
	"slices"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol/codec"
)

// pointKeys are what the configuration can say of a point.
var pointKeys = []string{"entity", "order", "scale", "min", "max"}

// own reads what the owner knows better of a device than its profile: the order of bytes, and what differs in points.
func (p *deviceEntry) own() {
	d := &p.device
	all := profile.Overrides{Order: orderOf(p.keys), Points: map[string]profile.Override{}}
	d.Profile = d.Profile.With(all)
	points := p.keys.Get("points")
	items := []*strict.Node{points}
	switch {
	case points.IsScalar() && points.Raw() != devices.AllPoints:
		points.Fail("points: %q is neither all, nor a list of keys, nor a mapping", points.Raw())
	case points.IsList():
		items = points.Items()
	}
	for _, item := range items {
		if item.IsMap() {
			for _, e := range item.Entries() {
				p.ownPoint(e, all.Points)
			}
		} else if key, ok := item.Text(); ok && (item != points || key == devices.AllPoints) {
			p.show(item, key)
		}
	}
	d.Profile = d.Profile.With(all)
}

// ownPoint reads what the owner says of one point.
func (p *deviceEntry) ownPoint(e strict.Entry, to map[string]profile.Override) {
	d, key, f := &p.device, e.Key.Raw(), e.Value.Fields(pointKeys...)
	if n := f.Get("entity"); n != nil {
		if shown, ok := n.Bool(); ok && !shown {
			n.Fail("points: an entity that nobody wants is switched off in Home Assistant; leave it out")
		} else if ok {
			p.show(e.Key, key)
		}
	}
	o := profile.Override{Order: orderOf(f), Scale: numberOf(f, "scale"), Min: numberOf(f, "min"),
		Max: numberOf(f, "max")}
	if f.At == nil || o == (profile.Override{}) {
		return
	}
	right := true
	for _, wrong := range d.Profile.CheckOverride(key, o, d.Traits) {
		at := e.Key
		if n := f.Get(wrong.Key); n != nil {
			at = n
		}
		at.Fail("points: %s", wrong.Text)
		right = false
	}
	if right {
		to[key] = o
	}
}

// show makes a point an entity though the profile hides it, or all that it hides.
func (p *deviceEntry) show(n *strict.Node, key string) {
	d := &p.device
	hidden := keysOf(d.Profile, func(p profile.Point) bool { return p.Hidden })
	if key != devices.AllPoints && !slices.Contains(hidden, key) {
		if slices.Contains(keysOf(d.Profile, func(profile.Point) bool { return true }), key) {
			n.Fail("points: %q is an entity already; leave it out", key)
			return
		}
		n.Fail("points: %q is not one of the %d points of %s that are no entities by themselves%s", key, len(hidden),
			d.Profile.ID, strict.Meant(key, hidden))
		return
	}
	d.Shown = append(d.Shown, key)
}

func orderOf(f strict.Fields) *codec.Order {
	i, ok := f.Get("order").OneOf(codec.OrderNames()...)
	if !ok {
		return nil
	}
	o := codec.Order(i)
	return &o
}

func numberOf(f strict.Fields, key string) *float64 {
	if v, ok := f.Get(key).Float(); ok {
		return &v
	}
	return nil
}
