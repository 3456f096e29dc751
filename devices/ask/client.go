// Package ask is how one device is asked over its line: with its unit id and pace, again while it says that it is
// busy, and how long each thing is waited for.
package ask

import (
	"cmp"
	"context"
	"errors"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// Bus is what a device needs of its line. protocol.Bus is one.
type Bus interface {
	Do(ctx context.Context, req protocol.Request) (protocol.Response, error)
	Hold(ctx context.Context, req protocol.Request, hold func(ctx context.Context, x protocol.Exchanger) error) error
}

// Exchange sends one request and returns the reply: Bus.Do, or the Exchange of a held line.
type Exchange func(ctx context.Context, req protocol.Request) (protocol.Response, error)

// Client asks one device.
type Client struct {
	Bus  Bus
	Unit protocol.UnitID
	Line profile.LineSettings
}

// Request returns what all requests to the device have in common. The first byte must be out within the time given.
func (c Client) Request(priority protocol.Priority, within time.Duration) protocol.Request {
	return protocol.Request{
		Unit: c.Unit, Priority: priority, Deadline: time.Now().Add(within), Pace: c.Line.Pace,
	}
}

// IsBusy reports whether the device may do a moment later what it has just refused.
func IsBusy(err error) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	return ok && no.Transient()
}

// IsSilence reports whether the device has not answered: the reply did not come, a gateway got none, or the other end
// hung up in its place.
func IsSilence(err error) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	return errors.Is(err, protocol.ErrTimeout) || errors.Is(err, protocol.ErrHungUp) || ok && no.FromGateway()
}

// IsRefusal reports whether the device objects to the registers it was asked for. Codes that the standard does not know
// say so, too: 0 stands for any refusal in some firmware (0xAHA Growatt_ModbusTCP #349).
func IsRefusal(err error) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	return ok && !no.Transient() && !no.FromGateway()
}

// IsOdd reports whether the device has answered, and neither with a value nor with a plain refusal: it is busy, or its
// reply does not fit. That says nothing of the registers, unless it happens with them alone again and again.
func IsOdd(err error) bool { return IsBusy(err) || errors.Is(err, protocol.ErrMisfit) }

// garbledTries is how often a read is sent again whose reply does not fit. A gateway garbles single replies
// (Pho3niX90/solis_modbus #326); what is garbled three times is so each time.
const garbledTries = 2

// isGarbled: a reply that does not fit came at once. Where it took the whole timeout, another one would, too.
func isGarbled(err error) bool {
	return errors.Is(err, protocol.ErrMisfit) && !errors.Is(err, protocol.ErrTimeout)
}

// Again returns an Exchange that sends a read again at once whose reply did not fit. Where its time is over by then, it
// ends as it was answered.
func Again(do Exchange) Exchange {
	return func(ctx context.Context, req protocol.Request) (protocol.Response, error) {
		resp, err := do(ctx, req)
		for tries := 0; tries < garbledTries && req.Op == protocol.Read && isGarbled(err); tries++ {
			next, failed := do(ctx, req)
			if errors.Is(failed, protocol.ErrExpired) {
				break
			}
			resp, err = next, failed
		}
		return resp, err
	}
}

// RetryAt returns when a request to a busy device is sent again, so that the line serves others meanwhile. It reports
// false after the last try, or where the next would come behind the deadline; a deadline of zero is none.
func (c Client) RetryAt(deadline time.Time, tries int) (time.Time, bool) {
	at := time.Now().Add(cmp.Or(c.Line.Busy.Wait, profile.DefaultBusyWait))
	if tries >= cmp.Or(c.Line.Busy.Retries, profile.DefaultBusyRetries) || !deadline.IsZero() && at.After(deadline) {
		return time.Time{}, false
	}
	return at, true
}

// Patiently calls try, and calls it again while the device says that it is busy.
func (c Client) Patiently(req protocol.Request, try func(req protocol.Request) error) error {
	for tries := 0; ; tries++ {
		err := try(req)
		if !IsBusy(err) {
			return err
		}
		at, again := c.RetryAt(req.Deadline, tries)
		if !again {
			return err
		}
		req.NotBefore = at
	}
}

// WrongDeviceError says in a sentence why what answers is not the device.
type WrongDeviceError struct {
	Reason string
	Serial string // of a device of the same family in its place; empty: it is not of the family, or says nothing
}

func (e *WrongDeviceError) Error() string { return e.Reason }
