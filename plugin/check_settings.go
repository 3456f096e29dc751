package plugin

import (
	"fmt"

	"solarhub/devices"
	"solarhub/devices/profile"
)

// Setting is a knob of a line or device that is not at its default.
type Setting struct {
	Key, Text string // as written in a file
	From      Origin
}

// Origin is who says what a setting is.
type Origin uint8

// The origins.
const (
	FromConfiguration Origin = iota
	FromFamily               // of the device, or of one on the line
	FromWriteWait            // write_wait of the line asks for it
)

// String names the origin for people.
func (o Origin) String() string {
	return [...]string{FromConfiguration: "the configuration", FromFamily: "the family", FromWriteWait: "write_wait"}[o]
}

// lineSettings returns what is in force for the connection where it is not the default.
func lineSettings(l Line) []Setting {
	return settings(true, profile.Line{Quirks: l.Quirks}, profile.Line{Quirks: shared(l.Transport, l.Devices)})
}

// deviceSettings returns the same for a device.
func deviceSettings(d devices.Config, l Line) []Setting {
	all := settings(false, d.Line, d.Profile.Line)
	for i, s := range all {
		if s.Key == "max_registers" && l.WriteWait > 0 && mostWithin(devices.TimingOf(d.Line), l.WriteWait) == d.Line.MaxRegisters {
			all[i].From = FromWriteWait
		}
	}
	return all
}

func settings(shared bool, line, family profile.Line) []Setting {
	var all []Setting
	for _, k := range profile.Knobs {
		text := k.Text(line)
		switch {
		case k.Shared != shared || text == k.Default() && text == k.Text(family):
		case text == k.Text(family):
			all = append(all, Setting{k.Key, text, FromFamily})
		case k.Key == holesKey:
			all = append(all, holeSettings(k, line, family)...)
		default:
			all = append(all, Setting{k.Key, text, FromConfiguration})
		}
	}
	for i := range all {
		if n := len(family.Holes); all[i].Key == holesKey && all[i].From == FromFamily && n > mostHoles {
			all[i].Text = fmt.Sprintf("in %d places", n)
		}
	}
	return all
}

const (
	holesKey  = "holes"
	mostHoles = 3 // of a family are listed; of more it is enough to know that they are there
)

// holeSettings tells the holes of the configuration from those of the family, which they are added to.
func holeSettings(k profile.Knob, line, family profile.Line) []Setting {
	own := Setting{k.Key, k.Text(profile.Line{Holes: line.Holes[len(family.Holes):]}), FromConfiguration}
	if len(family.Holes) == 0 {
		return []Setting{own}
	}
	return []Setting{{k.Key, k.Text(family), FromFamily}, own}
}
