package link

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"

	"go.bug.st/serial"

	"solarhub/protocol"
)

// libraryPort is a serial port as go.bug.st/serial opens it, on systems other than Linux.
type libraryPort struct {
	port     serial.Port
	deadline time.Time
}

var (
	libraryParities = map[protocol.Parity]serial.Parity{protocol.NoParity: serial.NoParity,
		protocol.EvenParity: serial.EvenParity, protocol.OddParity: serial.OddParity}
	libraryStops = map[int]serial.StopBits{1: serial.OneStopBit, 2: serial.TwoStopBits}
)

// openLibrary opens a serial port for this process alone: Windows knows no other way, and on macOS only root gets past
// TIOCEXCL. On Windows COM10 is \\.\COM10, which the library sees to. The error is a *PortError.
func openLibrary(path string, s protocol.Serial, d protocol.Direction) (*libraryPort, error) {
	if d != protocol.AdapterDirection {
		return nil, &PortError{Err: errors.ErrUnsupported,
			Sentence: path + " has a driver that does not switch the direction of RS485: only Linux has such"}
	}
	p, err := serial.Open(path, &serial.Mode{BaudRate: s.Baud, DataBits: s.DataBits, Parity: libraryParities[s.Parity],
		StopBits: libraryStops[s.StopBits]})
	if err != nil {
		return nil, libraryTrouble(path, s, err)
	}
	return &libraryPort{port: p}, nil
}

// libraryTrouble explains why a port cannot be opened.
func libraryTrouble(path string, s protocol.Serial, err error) error {
	fail := func(is error, format string, a ...any) error {
		return &PortError{Sentence: fmt.Sprintf(format, a...), Err: is}
	}
	var code serial.PortErrorCode = -1
	if p, ok := errors.AsType[*serial.PortError](err); ok {
		code = p.Code()
	}
	switch {
	case code == serial.PortBusy:
		return fail(protocol.ErrPortHeld,
			"%s is in use by another program: two programs on one port ruin each other's frames", path)
	case code == serial.PortNotFound, errors.Is(err, fs.ErrNotExist):
		return fail(fs.ErrNotExist, "there is no %s; %s: is the adapter plugged in?", path, instead(Ports()))
	case code == serial.PermissionDenied:
		return fail(fs.ErrPermission, "%s may not be opened by this user", path)
	case code == serial.InvalidSerialPort:
		return fail(err, "%s is no serial port, or cannot be set to %v: %v", path, s, err)
	case runtime.GOOS == "windows" && errors.Is(err, syscall.Errno(31)): // serhmarch/ModbusTools #54, with CH340
		return fail(err, "%s hangs, as some adapters do on Windows 11: unplug it and plug it in again", path)
	}
	return fail(err, "%s cannot be opened: %v", path, err)
}

func (p *libraryPort) Close() error { return p.port.Close() }

func (p *libraryPort) SetDeadline(t time.Time) error {
	p.deadline = t
	return nil
}

// Read waits for at least one byte until the deadline.
func (p *libraryPort) Read(b []byte) (int, error) {
	for {
		n, err := p.wait(b, time.Until(p.deadline))
		if n > 0 || err != nil {
			return n, err
		}
		if !time.Now().Before(p.deadline) {
			return 0, os.ErrDeadlineExceeded
		}
	}
}

// readAvailable reads what has come in: nothing is 0 and no error, an end is 0 and an error.
func (p *libraryPort) readAvailable(b []byte) (int, error) { return p.wait(b, 0) }

// wait reads what comes in within a time: nothing is 0 and no error. It waits for a millisecond at least: for Windows 0
// means for ever here.
func (p *libraryPort) wait(b []byte, within time.Duration) (int, error) {
	if err := p.port.SetReadTimeout(max(within, time.Millisecond)); err != nil {
		return 0, fmt.Errorf("%w: %w", io.EOF, err)
	}
	n, err := p.port.Read(b)
	if n == 0 && err != nil { // each system has another error for a port that is gone
		return 0, fmt.Errorf("%w: %w", io.EOF, err)
	}
	return n, nil
}

// Write needs no deadline: without flow control it ends when the characters are out.
func (p *libraryPort) Write(b []byte) (int, error) { return p.port.Write(b) }
