package config

import (
	"slices"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
)

// lineKeys are all keys of a line.
var lineKeys = slices.Concat(transportKeys(), []string{"baud", "parity", "stop_bits", "data_bits"},
	profile.SettingKeys(true), []string{"write_wait", "grace", "devices"})

// ofLines and ofDevices say where a key belongs that stands at the wrong one of the two.
var (
	ofLines   = keysAt("it is of the line, beside its devices", lineKeys)
	ofDevices = keysAt("it is of a device of the line", deviceKeys)
)

func keysAt(where string, keys []string) map[string]string {
	at := map[string]string{}
	for _, k := range keys {
		if k != "devices" && k != "grace" { // the first is no key of a device, the second may stand at both
			at[k] = where
		}
	}
	return at
}

// line reads one line with its devices, joins what the devices need of it, and checks that all of it can work.
func (p *parser) line(n *strict.Node) Line {
	f := n.FieldsBut(ofDevices, lineKeys...)
	l := Line{}
	if f.At == nil {
		return l
	}
	p.address(&l, f)
	p.grace = grace(f, devices.DefaultGrace)
	list := f.Need("devices")
	units := map[string]*strict.Node{}
	var entries []deviceEntry
	if list != nil {
		items := list.Items()
		if list.IsList() && len(items) == 0 {
			list.Fail("there are no devices: a line needs at least one")
		}
		for _, item := range items {
			if d, ok := p.device(item, l.Transport, units); ok {
				entries = append(entries, d)
			}
		}
	}
	serialSetting(&l, f, entries)
	lineQuirks(&l, f, entries)
	for i := range entries {
		entries[i].device.Line.Serial, entries[i].device.Line.Quirks = l.Serial, l.Quirks
	}
	checkLimits(&l, f, entries)
	for _, d := range entries {
		l.Devices = append(l.Devices, d.device)
	}
	return l
}

// grace returns how long the devices keep their values while they do not answer: what is said here, else what is said
// above.
func grace(f strict.Fields, above time.Duration) time.Duration {
	n := f.Get("grace")
	if n == nil {
		return above
	}
	d, _ := n.Duration(0, maxGrace)
	return d
}
