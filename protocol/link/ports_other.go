//go:build !linux && !windows

package link

import (
	"path/filepath"
	"slices"
)

// noAdapter are ports that every Mac has, and that lead nowhere where an inverter could be.
var noAdapter = []string{"/dev/cu.Bluetooth-Incoming-Port", "/dev/cu.debug-console", "/dev/cu.wlan-debug"}

// Ports returns the serial ports of this machine. macOS tells of what chip they are only to programs in C.
func Ports() ([]PortInfo, error) {
	// The tty.* of the same ports wait for a carrier when they are opened (Fazecast/jSerialComm #209).
	paths, err := filepath.Glob("/dev/cu.*")
	var all []PortInfo
	for _, path := range paths {
		if !slices.Contains(noAdapter, path) {
			all = append(all, PortInfo{Name: path, Path: path})
		}
	}
	return all, err
}
