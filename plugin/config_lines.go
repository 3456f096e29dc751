package plugin

import (
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

var parities = []string{protocol.NoParity: "none", protocol.EvenParity: "even", protocol.OddParity: "odd"}

func (p *parser) line(n *strict.Node) Line {
	f := n.Fields("serial", "tcp", "rtu_over_tcp", "baud", "parity", "stop_bits", "devices")
	l := Line{}
	if f.At == nil {
		return l
	}
	p.address(&l, f)
	list := f.Need("devices")
	units := map[string]*strict.Node{}
	if list != nil {
		items := list.Items()
		if list.IsList() && len(items) == 0 {
			list.Fail("there are no devices: a line needs at least one")
		}
		for _, item := range items {
			if d, ok := p.device(item, l.Transport, units); ok {
				l.Devices = append(l.Devices, d)
			}
		}
	}
	p.serial(&l, f)
	for i := range l.Devices {
		l.Devices[i].Line.Serial = l.Serial
	}
	return l
}

// address takes the one place that the line leads to.
func (p *parser) address(l *Line, f strict.Fields) {
	var at *strict.Node
	for t, key := range transports {
		n := f.Get(key)
		switch {
		case n == nil:
		case at != nil:
			n.Fail("%s and %s are given: a line is one of them", l.Transport, key)
		default:
			at, l.Transport = n, Transport(t)
		}
	}
	if at == nil {
		f.At.Fail("the line leads nowhere: say serial, tcp or rtu_over_tcp")
		return
	}
	text, ok := at.Text()
	if !ok {
		return
	}
	l.Address = text
	if l.Transport == Serial {
		unique(p.lines, real(text), "the port "+text, at)
		return
	}
	if l.Address, ok = withPort(text, l.Transport); !ok {
		at.Fail("%s: %q is not an address like %s", l.Transport, text, addressLike[l.Transport])
		return
	}
	unique(p.lines, l.Address, "the address "+l.Address, at)
}

var addressLike = map[Transport]string{TCP: "192.168.1.50 or 192.168.1.50:502", RTUOverTCP: "192.168.1.51:8899"}

// serial takes the setting of a serial line: what is given, else what the devices are delivered with.
func (p *parser) serial(l *Line, f strict.Fields) {
	keys := []string{"baud", "parity", "stop_bits"}
	if l.Transport == TCP {
		for _, key := range keys {
			if n := f.Get(key); n != nil {
				n.Fail("%s is for serial lines: a tcp line has none", key)
			}
		}
		return
	}
	delivered := map[protocol.Serial]string{}
	for _, d := range l.Devices {
		if d.Profile.Line.Serial != (protocol.Serial{}) {
			delivered[d.Profile.Line.Serial] = d.Name
		}
	}
	l.Serial = protocol.DefaultSerial
	for s := range delivered {
		l.Serial = s
	}
	if len(delivered) > 1 && f.Get("baud") == nil {
		f.At.Fail("the devices of this line are delivered with different settings (%s): set them alike and say baud, parity and stop_bits",
			settings(delivered))
	}
	if n := f.Get("baud"); n != nil {
		baud, ok := n.Int(1200, 921600)
		l.Serial.Baud = int(baud)
		if err := l.Serial.Check(); ok && err != nil {
			n.Fail("%v", err)
		}
	}
	if n := f.Get("parity"); n != nil {
		parity, _ := n.OneOf(parities...)
		l.Serial.Parity = protocol.Parity(parity)
	}
	if n := f.Get("stop_bits"); n != nil {
		bits, _ := n.Int(1, 2)
		l.Serial.StopBits = int(bits)
	}
}

func settings(delivered map[protocol.Serial]string) string {
	var texts []string
	for s, name := range delivered {
		texts = append(texts, fmt.Sprintf("%s: %s", name, s))
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func (p *parser) device(n *strict.Node, t Transport, units map[string]*strict.Node) (devices.Config, bool) {
	f := n.Fields("profile", "unit", "name", "id", "gap", "timeout", "max_registers", "settle", "turnaround", "poll", "read_only", "arm")
	if f.At == nil {
		return devices.Config{}, false
	}
	family := p.profile(f.Need("profile"))
	known := family != nil
	if !known {
		family = &profile.Profile{} // so that the rest is looked at too
	}
	d := defaultDevice(family)
	unitAt := f.At
	if u := f.Get("unit"); u != nil {
		low, high := int64(1), int64(247)
		if t == TCP {
			low, high = 0, 255
		}
		unit, ok := u.Int(low, high)
		if !ok {
			known = false
		}
		d.Unit, unitAt = protocol.UnitID(unit), u
	}
	if known {
		unique(units, strconv.Itoa(int(d.Unit)), fmt.Sprintf("unit %d of this line", d.Unit), unitAt)
	}
	if n := f.Get("name"); n != nil {
		d.Name, _ = n.Text()
	}
	if n := f.Get("id"); n != nil {
		p.id(&d, n)
	}
	lineOf(&d.Line, f)
	if n := f.Get("poll"); n != nil {
		poll(d.Intervals, n.Fields("now", "normal", "slow"))
	}
	if n := f.Get("read_only"); n != nil {
		d.ReadOnly, _ = n.Bool()
	}
	if n := f.Get("arm"); n != nil {
		d.Arm = arm(n, family, known)
	}
	return d, known
}

// id takes the device id where the device has no serial number; parts of the device are told from it by a slash.
func (p *parser) id(d *devices.Config, n *strict.Node) {
	text, ok := n.Text()
	if !ok {
		return
	}
	if strings.ContainsAny(text, "/ \t\n") {
		n.Fail("id %q: spaces and / are not allowed in it", text)
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
		if !slices.ContainsFunc(p.elsewhere, func(f strict.Finding) bool { return f.File == found[0].File }) {
			p.elsewhere = append(p.elsewhere, found...)
		}
		return nil
	case err != nil:
		n.Fail("%v", err)
		return nil
	}
	return family
}

// lineOf takes what the configuration knows better of the line than the profile.
func lineOf(l *profile.Line, f strict.Fields) {
	for _, x := range []struct {
		key       string
		low, high time.Duration
		to        *time.Duration
	}{
		{"gap", 0, maxGap, &l.Pace.Gap},
		{"timeout", minTimeout, maxTimeout, &l.Pace.Timeout},
		{"settle", 0, maxSettle, &l.Settle},
		{"turnaround", 0, maxTurnaround, &l.Turnaround},
	} {
		if n := f.Get(x.key); n != nil {
			if d, ok := n.Duration(x.low, x.high); ok {
				*x.to = d
			}
		}
	}
	if n := f.Get("max_registers"); n != nil {
		most, _ := n.Int(1, protocol.MaxReadRegisters)
		l.MaxRegisters = uint16(most)
	}
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

// arm takes the keys of points that may be written though they are the installer's.
func arm(n *strict.Node, family *profile.Profile, known bool) []string {
	armable := armableKeys(family)
	var keys []string
	for _, item := range n.Items() {
		key, ok := item.Text()
		switch {
		case !ok || !known:
		case len(armable) == 0:
			item.Fail("arm: nothing of %s needs arming", family.ID)
		case !slices.Contains(armable, key):
			item.Fail("arm: %q is not one of the keys of %s that need it: %s", key, family.ID, strings.Join(armable, ", "))
		case slices.Contains(keys, key):
			item.Fail("arm: %q stands here twice", key)
		default:
			keys = append(keys, key)
		}
	}
	return keys
}

// armableKeys returns the keys of all points that need arming, in any variant, sorted.
func armableKeys(family *profile.Profile) []string {
	keys := map[string]bool{}
	for _, v := range variantsOf(family) {
		points, err := family.Resolve(v)
		if err != nil {
			continue
		}
		for _, pt := range points {
			if pt.Write != nil && pt.Write.Arm {
				keys[pt.Key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}

// variantsOf returns the variants of a family, one without a name where it has only one.
func variantsOf(family *profile.Profile) []string {
	if len(family.Variants) == 0 {
		return []string{""}
	}
	return family.Variants
}
