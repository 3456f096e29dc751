package config

import (
	"strings"

	"solarhub/devices/profile/strict"
)

// The keys of a line through a dongle of LuxPower or EG4.
var luxPowerKeys = []string{"dongle", "inverter"}

// serialLength is how long the serial numbers of these dongles and their inverters are. Source: celsworth/lxp-bridge.
const serialLength = 10

func readLuxPower(_ *parser, l *Line, f strict.Fields) {
	serial := func(key string, into *string) {
		n := f.Get(key)
		if n == nil {
			return
		}
		text, ok := n.Text()
		if ok && (len(text) != serialLength || strings.ContainsFunc(text, notInSerial)) {
			n.Fail("%s: %q is not a serial number of %d letters and digits, as the label has it", key, text,
				serialLength)
		}
		*into = text
	}
	serial("dongle", &l.Dongle)
	serial("inverter", &l.Inverter)
	if list := f.Get("devices"); list.IsList() && len(list.Items()) > 1 {
		list.Items()[1].Fail("a dongle leads to one inverter: give the other one a line with its own dongle")
	}
}

func notInSerial(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
