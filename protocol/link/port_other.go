//go:build !linux

package link

import "solarhub/protocol"

func openSerial(path string, s protocol.Serial, d protocol.Direction) (stream, error) {
	p, err := openLibrary(path, s, d)
	if err != nil {
		return nil, err // and not a nil pointer that is a stream
	}
	return p, nil
}

// place is where the port of a line is. macOS and Windows name a port by the serial number of its chip or by the
// socket, so it comes back under its name.
type place struct{ path, lasting string }

func newPlace(path string) *place { return &place{path: path} }

func (*place) opened(string) {}

func (p *place) find() (path string, err error) { return p.path, nil }

// latencyTimer is that of a USB adapter; see the file for Linux.
type latencyTimer struct {
	root, path string
	keep       bool
}

func (latencyTimer) set(stream) string { return "" }

// readDescriptor is not used here: a tap reads with a short deadline instead.
func readDescriptor(uintptr, []byte) (int, error) { return 0, nil }

const canReadDescriptor = false
