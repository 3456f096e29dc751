package link

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// PortInfo is a serial port of this machine.
type PortInfo struct {
	// Name is what to write into a configuration: /dev/serial/by-id/..., which leads to the same adapter when ports are
	// numbered anew. Where the system has no such name it is Path.
	Name string
	// Path is that of the device now: /dev/ttyUSB0, /dev/cu.usbserial-1410, COM3.
	Path string
	// Chip is what is in the adapter: "1a86:7523 CH340". Empty: the port is built in, or the system does not tell.
	Chip string
	// Serial is the serial number of that chip. Empty: it has none, or the system does not tell.
	Serial string
	// Trouble is a *PortError that says why the port cannot be opened, and what to do. Nil: nothing speaks against it.
	Trouble error
	// Warning says how Name may come to lead to another adapter. Empty: it does not.
	Warning string
}

// PortError says in one sentence why a port cannot be opened, and what to do where a person can do something.
type PortError struct {
	Sentence string // names the port
	Err      error  // the reason: fs.ErrNotExist, fs.ErrPermission, protocol.ErrPortHeld or another
}

func (e *PortError) Error() string { return e.Sentence }

func (e *PortError) Unwrap() error { return e.Err }

// usbID is vendor and product of a USB chip, as the chip gives them.
type usbID struct{ vendor, product string }

// chips are those of adapters for RS485. Source: Linux, drivers/usb/serial/{ch341,ftdi_sio,cp210x,pl2303}.c; CH343 and
// CH9102 are of class CDC ACM, WCHSoftGroup/ch343ser_linux.
var chips = map[usbID]string{
	{"1a86", "7523"}: "CH340", {"1a86", "5523"}: "CH341", {"1a86", "7522"}: "CH340K", {"1a86", "55d3"}: "CH343",
	{"1a86", "55d4"}: "CH9102", {"4348", "5523"}: "CH341",
	{"0403", "6001"}: "FT232R", {"0403", "6010"}: "FT2232", {"0403", "6011"}: "FT4232", {"0403", "6014"}: "FT232H",
	{"0403", "6015"}: "FT230X",
	{"10c4", "ea60"}: "CP210x", {"10c4", "ea70"}: "CP2105", {"10c4", "ea71"}: "CP2108",
	{"067b", "2303"}: "PL2303", {"067b", "23a3"}: "PL2303GC",
}

// chipText describes a chip; product is what the chip says of itself.
func chipText(id usbID, product string) string {
	return strings.TrimSpace(fmt.Sprintf("%s:%s %s", id.vendor, id.product, cmp.Or(chips[id], product)))
}

// sortPorts puts adapters before ports that are built in, and ttyUSB2 before ttyUSB10.
func sortPorts(all []PortInfo) {
	built := func(p PortInfo) int {
		if p.Chip == "" {
			return 1
		}
		return 0
	}
	slices.SortFunc(all, func(a, b PortInfo) int {
		return cmp.Or(built(a)-built(b), len(a.Path)-len(b.Path), strings.Compare(a.Path, b.Path))
	})
}

// instead names the ports that there are, for whoever named another one.
func instead(all []PortInfo, err error) string {
	if err != nil {
		return err.Error()
	}
	var names []string
	for _, p := range all {
		name := p.Name
		if p.Chip != "" {
			name += " (" + p.Chip + ")"
		}
		names = append(names, name)
	}
	switch len(names) {
	case 0:
		return "this machine has no serial port now"
	case 1:
		return "the only port of this machine is " + names[0]
	}
	return "the ports of this machine are " + strings.Join(names, ", ")
}
