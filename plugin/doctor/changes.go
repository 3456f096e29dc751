package doctor

import (
	"slices"

	"solarhub/devices"
	"solarhub/plugin/config"
)

// Changes returns the settings that the advice names, as they are to be written into the configuration. line is the
// index of the line there. Where two devices have one name nobody can tell which of them an advice is about: it is left
// out.
func (f Fitness) Changes(line int) []config.Change {
	var all []config.Change
	for _, a := range f.Advice {
		device, known := f.deviceOf(a)
		for _, s := range a.Settings {
			c := config.Change{Line: line, Device: device, Key: s.Key, Value: s.Value}
			if s.OfLine {
				c.Device = -1
			}
			same := func(other config.Change) bool { return other.Device == c.Device && other.Key == c.Key }
			if (known || s.OfLine) && !slices.ContainsFunc(all, same) {
				all = append(all, c)
			}
		}
	}
	return all
}

func (f Fitness) deviceOf(a Advice) (index int, known bool) {
	named := func(d devices.Config) bool { return d.Name == a.Device }
	all := f.Line.Devices
	index = slices.IndexFunc(all, named)
	return index, index >= 0 && !slices.ContainsFunc(all[index+1:], named)
}
