package forecast

import (
	"fmt"
	"slices"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/protocol"
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
	FromLine                 // nobody says anything, and the line is slow
)

// String names the origin for people.
func (o Origin) String() string {
	return [...]string{FromConfiguration: "the configuration", FromFamily: "the family", FromWriteWait: "write_wait",
		FromLine: "the pace of the line"}[o]
}

// lineSettings returns what is in force for the connection where it is not the default.
func lineSettings(l config.Line) []Setting {
	return settings(true, profile.LineSettings{Quirks: l.Quirks},
		profile.LineSettings{Quirks: config.SharedQuirks(l.Transport, l.Devices)})
}

// deviceSettings returns the same for a device.
func deviceSettings(d devices.Config, l config.Line) []Setting {
	all := settings(false, d.Line, d.Profile.Line)
	most, _ := devices.MaxRegistersFor(l.WriteWait, devices.TimingOf(d.Line))
	for i, s := range all {
		switch {
		case s.Key != "max_registers":
		case l.WriteWait > 0 && most == d.Line.MaxRegisters:
			all[i].From = FromWriteWait
		case s.From == FromConfiguration && d.Profile.Line.MaxRegisters == 0 &&
			d.Line.MaxRegisters == config.DefaultBlock(d.Profile, d.Line.Serial):
			all[i].From = FromLine
		}
	}
	return slices.DeleteFunc(all,
		func(s Setting) bool { return s.From == FromLine && d.Line.MaxRegisters == protocol.MaxReadRegisters })
}

func settings(shared bool, line, family profile.LineSettings) []Setting {
	var all []Setting
	for _, k := range profile.Settings {
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
func holeSettings(k profile.Setting, line, family profile.LineSettings) []Setting {
	own := Setting{k.Key, k.Text(profile.LineSettings{Holes: line.Holes[len(family.Holes):]}), FromConfiguration}
	if len(family.Holes) == 0 {
		return []Setting{own}
	}
	return []Setting{{k.Key, k.Text(family), FromFamily}, own}
}
