package protocol

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
)

// There are two kinds of failure: the device said no (ExceptionError: the line is healthy), or the line failed
// (LinkError). Policy goes through errors.Is and errors.As, never through texts.
var (
	// ErrTimeout: no valid reply came in time. Always inside a LinkError.
	ErrTimeout = errors.New("no answer")
	// ErrExpired: the deadline passed before the first byte was out. Nothing was sent.
	ErrExpired = errors.New("deadline passed before it could be sent")
	// ErrOutcomeUnknown: a write went out and no valid reply came; it may or may not have been carried out.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrMisfit: this very request was answered with what is no answer to it. The connection stays, and the request may
	// be sent again. On an RTU line, where a reply names no request, it is ErrTimeout, too. Always inside a LinkError.
	ErrMisfit = errors.New("a reply that does not fit")
	// ErrHungUp: the other end closed the connection, or the serial port is gone. Always inside a LinkError.
	ErrHungUp = errors.New("hung up by the other end")
	// ErrPortHeld: another program has the serial port. Always inside a LinkError.
	ErrPortHeld = errors.New("port in use")
	// ErrDown: the line is not open and is being retried; nothing was sent.
	ErrDown = errors.New("the line is down")
	// ErrClosed: the bus has stopped. Nothing was sent.
	ErrClosed = errors.New("bus is closed")
)

// ForbiddenError is a request that was not sent because nothing may read or write its registers.
type ForbiddenError struct{ Asked, Never Range }

func (e ForbiddenError) Error() string {
	return fmt.Sprintf("%v is not asked: nothing may read or write %v of this device", e.Asked, e.Never)
}

// LoggerError is a stick with another serial number than the one that it was asked by. Always inside a LinkError.
type LoggerError struct {
	Is    uint32 // that of the stick; 0: it does not say
	Asked uint32 // 0: none was given
}

func (e LoggerError) Error() string {
	if e.Is == 0 {
		return "the stick answers only who knows its serial number: give the one on its label as `logger_serial`"
	}
	return fmt.Sprintf("the stick's serial number is %d, not %d: give the right one as `logger_serial`, or none", e.Is,
		e.Asked)
}

// LinkError is a failure of the line: it could not be opened, it hung up, or no valid reply came.
type LinkError struct {
	Op   string // open, send, receive
	Link string // what the link is called in the configuration: a device path or host:port
	Err  error
}

// Error names the link once, though the system's errors name it too.
func (e *LinkError) Error() string {
	err := e.Err
	if path, ok := errors.AsType[*fs.PathError](err); ok && path.Path == e.Link {
		err = path.Err
	} else if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
		err = dial.Err
	}
	return fmt.Sprintf("%s %s: %v", e.Op, e.Link, err)
}

func (e *LinkError) Unwrap() error { return e.Err }
