//go:build !linux

package link

import (
	"errors"

	"solarhub/protocol"
)

// openSerial always fails: serial ports are opened through Linux's terminal interface. TCP and RTU over TCP work
// everywhere.
func openSerial(string, protocol.Serial, protocol.Direction) (stream, error) {
	return nil, errors.New("serial ports are supported on Linux only")
}

// latencyTimer is that of a USB adapter; see the file for Linux.
type latencyTimer struct {
	root, path string
	keep       bool
}

func (latencyTimer) set(stream) string { return "" }

// readDescriptor is not used here: a tap reads with a short deadline instead.
func readDescriptor(uintptr, []byte) (int, error) { return 0, nil }

const canReadDescriptor = false
