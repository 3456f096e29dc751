package devices

import (
	"cmp"
	"context"
	"errors"
	"time"

	"solarhub/devices/profile"
	"solarhub/protocol"
)

// worthAsking reports whether a read that was refused may succeed a moment later: the device fails for now (4), takes its time
// (5), is busy (6) or stumbled over its memory (8). 1 to 3 are about the registers, 10 and 11 come from a gateway that cannot reach
// the device. Source: MODBUS Application Protocol V1.1b3, 7.
func worthAsking(err error) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	return ok && (no.Code >= 4 && no.Code <= 6 || no.Code == 8)
}

// notReached reports whether a gateway says that nobody answers behind it, which is as good as silence.
func notReached(err error) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	return ok && (no.Code == 10 || no.Code == 11)
}

// again puts the request off because the device is busy, so that the line serves others meanwhile. It reports false after the last
// try, or where the next would come too late.
func (d *Device) again(req *protocol.Request, tries int) bool {
	wait := cmp.Or(d.cfg.Line.Busy.Wait, profile.DefaultBusyWait)
	at := time.Now().Add(wait)
	if tries >= cmp.Or(d.cfg.Line.Busy.Retries, profile.DefaultBusyRetries) || !req.Deadline.IsZero() && at.After(req.Deadline) {
		return false
	}
	req.NotBefore = at
	return true
}

// hold is Line.Hold, tried again while the device says that it is busy: f is then called anew.
func (d *Device) hold(ctx context.Context, req protocol.Request, f func(ctx context.Context, x protocol.Exchanger) error) error {
	for tries := 0; ; tries++ {
		if err := d.line.Hold(ctx, req, f); !worthAsking(err) || !d.again(&req, tries) {
			return err
		}
	}
}

// errReconnected: the reply came over a connection on which the device was not identified.
var errReconnected = errors.New("the connection is a new one")

// pollOnce is Line.Do for readings: what comes over a connection on which the device was not identified is not believed.
func (d *Device) pollOnce(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	resp, err := d.line.Do(ctx, req)
	if resp.Connection != 0 && !d.isAdmitted(resp.Connection) {
		return protocol.Response{}, errReconnected
	}
	return resp, err
}

// poll is pollOnce, tried again while the device says that it is busy.
func (d *Device) poll(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	for tries := 0; ; tries++ {
		resp, err := d.pollOnce(ctx, req)
		if !worthAsking(err) || !d.again(&req, tries) {
			return resp, err
		}
	}
}
