package protocol

import (
	"errors"
	"fmt"
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
	// ErrMisfit: a Modbus TCP peer answered this very request with what is no answer to it. Always inside a LinkError.
	ErrMisfit = errors.New("a reply that does not fit")
	// ErrDown: the line is not open and is being retried; nothing was sent.
	ErrDown = errors.New("line is down")
	// ErrClosed: the bus has stopped. Nothing was sent.
	ErrClosed = errors.New("bus is closed")
)

// ExceptionError is a device's refusal. The line is healthy.
type ExceptionError struct {
	Function byte // the function code of the request, without the error bit
	Code     byte // 1..11, MODBUS Application Protocol V1.1b3, 7
}

func (e ExceptionError) Error() string {
	return fmt.Sprintf("exception %d (%s)", e.Code, e.Text())
}

// Text returns the standard's words for the code.
func (e ExceptionError) Text() string {
	switch e.Code {
	case 1:
		return "illegal function"
	case 2:
		return "illegal data address"
	case 3:
		return "illegal data value"
	case 4:
		return "server device failure"
	case 5:
		return "acknowledge"
	case 6:
		return "server device busy"
	case 8:
		return "memory parity error"
	case 10:
		return "gateway path unavailable"
	case 11:
		return "gateway target device failed to respond"
	}
	return "unknown"
}

// LinkError is a failure of the line: it could not be opened, it hung up, or no valid reply came.
type LinkError struct {
	Op   string // open, send, receive
	Link string // what the link is called in the configuration: a device path or host:port
	Err  error
}

func (e *LinkError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Link, e.Err) }

func (e *LinkError) Unwrap() error { return e.Err }
