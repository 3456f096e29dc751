package config

import (
	"fmt"
	"slices"
	"strings"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// ParityName returns the word of the configuration for a parity: none, even, odd.
func ParityName(p protocol.Parity) string { return parities[p] }

var parities = []string{protocol.NoParity: "none", protocol.EvenParity: "even", protocol.OddParity: "odd"}

// serialSetting sets baud, parity and stop bits of a serial line: as given, else as the devices are delivered.
func serialSetting(l *Line, f strict.Fields, entries []deviceEntry) {
	if !l.Transport.HasSerial() {
		for _, key := range []string{"baud", "parity", "stop_bits", "data_bits"} {
			f.Get(key).Fail("%s is for serial lines: a %s line has none", key, l.Transport)
		}
		return
	}
	delivered := map[protocol.Serial]string{}
	for _, p := range entries {
		if s := p.device.Profile.Line.Serial; s != (protocol.Serial{}) {
			delivered[s] = p.device.Name
		}
	}
	l.Serial = protocol.DefaultSerial
	for s := range delivered {
		l.Serial = s
	}
	if l.Transport.IsASCII() { // devices are delivered with RTU; what they have of it in ASCII is the baud
		baud := l.Serial.Baud
		l.Serial = protocol.DefaultASCII
		l.Serial.Baud = baud
	}
	if len(delivered) > 1 && f.Get("baud") == nil {
		f.At.Fail("the devices of this line are delivered with different settings (%s): set them alike and say "+
			"baud, parity and stop_bits",
			delivery(delivered))
	}
	baud(l, f.Get("baud"))
	parity(l, f.Get("parity"))
	if n := f.Get("stop_bits"); n != nil {
		if bits, ok := n.Int(1, 2); ok {
			l.Serial.StopBits = int(bits)
		}
	}
	dataBits(l, f.Get("data_bits"))
}

// dataBits reads what only ASCII can choose.
func dataBits(l *Line, n *strict.Node) {
	switch {
	case n == nil:
	case !l.Transport.IsASCII():
		n.Fail("data_bits is for ASCII: RTU has 8, always")
	default:
		if bits, ok := n.Int(7, 8); ok {
			l.Serial.DataBits = int(bits)
		}
	}
}

func delivery(delivered map[protocol.Serial]string) string {
	var texts []string
	for s, name := range delivered {
		texts = append(texts, fmt.Sprintf("%s: %s", name, s))
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// baud reads a rate that ports have. A finding about any other rate names the nearest.
func baud(l *Line, n *strict.Node) {
	if n == nil {
		return
	}
	given, ok := n.Int(1, 100_000_000)
	if !ok {
		return
	}
	s := l.Serial
	s.Baud = int(given)
	if err := s.Check(); err != nil {
		n.Fail("%v", err)
		return
	}
	l.Serial = s
}

// meantParity maps other words for a parity to the right one. Mark parity is a bit that is always 1, like a stop bit.
var meantParity = map[string]string{"n": "none", "e": "even", "o": "odd", "no": "none",
	"mark": "none with stop_bits: 2, which is the same on the wire"}

func parity(l *Line, n *strict.Node) {
	if n == nil {
		return
	}
	if meant := meantParity[strings.ToLower(n.Raw())]; meant != "" {
		n.Fail("parity %q is not one of %s; the nearest that works is %s", n.Raw(), strings.Join(parities, ", "), meant)
	} else if i, ok := n.OneOf(parities...); ok {
		l.Serial.Parity = protocol.Parity(i)
	}
}
