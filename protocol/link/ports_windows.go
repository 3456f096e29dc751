package link

import (
	"strings"

	"go.bug.st/serial/enumerator"
)

// Ports returns the serial ports of this machine, adapters first. Windows numbers a chip that has a serial number alike
// wherever it is plugged in, and another one by its socket.
func Ports() ([]PortInfo, error) {
	found, err := enumerator.GetDetailedPortsList()
	var all []PortInfo
	for _, f := range found {
		p := PortInfo{Name: f.Name, Path: f.Name, Serial: f.SerialNumber}
		if f.IsUSB {
			p.Chip = chipText(usbID{strings.ToLower(f.VID), strings.ToLower(f.PID)}, f.Product)
		}
		all = append(all, p)
	}
	sortPorts(all)
	return all, err
}
