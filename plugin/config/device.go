package config

import (
	"fmt"
	"strings"

	"solarhub/devices"
)

// Device returns the device with a name, and its line. Without a name it returns the only device.
func (c Config) Device(name string) (l Line, d devices.Config, err error) {
	var names []string
	found := 0
	for _, line := range c.Lines {
		for _, device := range line.Devices {
			names = append(names, fmt.Sprintf("%q", device.Name))
			if name == "" || device.Name == name {
				l, d = line, device
				found++
			}
		}
	}
	switch {
	case found == 1:
		return l, d, nil
	case found == 0:
		return l, d, fmt.Errorf("there is no device %q: the configuration has %s", name, strings.Join(names, ", "))
	case name == "":
		return l, d, fmt.Errorf("which device? The configuration has %s", strings.Join(names, ", "))
	}
	return l, d, fmt.Errorf("%d devices are called %q: give them different names", found, name)
}
