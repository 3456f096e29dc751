package protocol

import "fmt"

// The exception codes of the standard. Source: MODBUS Application Protocol V1.1b3, 7.
const (
	IllegalFunction     byte = 1  // the device does not know the function code
	IllegalDataAddress  byte = 2  // the device has not all the registers of the request
	IllegalDataValue    byte = 3  // a value or the length of the request is not allowed
	ServerDeviceFailure byte = 4  // the device failed while it carried out the request
	Acknowledge         byte = 5  // the device has accepted the request and needs a long time for it
	ServerDeviceBusy    byte = 6  // the device is busy and has not carried out the request
	MemoryParityError   byte = 8  // the device found an error in its memory
	GatewayPathUnavail  byte = 10 // the gateway has no way to the device
	GatewayTargetFailed byte = 11 // the gateway got no answer from the device
)

// ExceptionError is a device's refusal. The line is healthy.
type ExceptionError struct {
	Function byte // the function code of the request, without the error bit
	Code     byte // one of the exception codes
}

func (e ExceptionError) Error() string {
	return fmt.Sprintf("exception %d (%s)", e.Code, e.Text())
}

// Text returns the standard's words for the code.
func (e ExceptionError) Text() string {
	switch e.Code {
	case IllegalFunction:
		return "illegal function"
	case IllegalDataAddress:
		return "illegal data address"
	case IllegalDataValue:
		return "illegal data value"
	case ServerDeviceFailure:
		return "server device failure"
	case Acknowledge:
		return "acknowledge"
	case ServerDeviceBusy:
		return "server device busy"
	case MemoryParityError:
		return "memory parity error"
	case GatewayPathUnavail:
		return "gateway path unavailable"
	case GatewayTargetFailed:
		return "gateway target device failed to respond"
	}
	return "unknown"
}

// AboutRequest reports whether the device objects to the request itself, its function, registers or values: it has not
// carried it out, and another request may be fine.
func (e ExceptionError) AboutRequest() bool {
	return e.Code == IllegalFunction || e.Code == IllegalDataAddress || e.Code == IllegalDataValue
}

// Transient reports whether the same request may succeed a moment later.
func (e ExceptionError) Transient() bool {
	return e.Code == ServerDeviceFailure || e.Code == Acknowledge || e.Code == ServerDeviceBusy ||
		e.Code == MemoryParityError
}

// FromGateway reports whether a gateway says that nobody answers behind it, which is as good as silence.
func (e ExceptionError) FromGateway() bool {
	return e.Code == GatewayPathUnavail || e.Code == GatewayTargetFailed
}

// MayBeDone reports whether a write that was answered so may have been carried out all the same: the device failed
// while it was at it, takes its time, or a gateway lost track of it.
func (e ExceptionError) MayBeDone() bool { return !e.AboutRequest() && e.Code != ServerDeviceBusy }
