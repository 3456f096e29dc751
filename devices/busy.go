package devices

import (
	"context"
	"errors"

	"solarhub/protocol"
)

// errReconnected: the reply came over a connection on which the device was not identified.
var errReconnected = errors.New("the connection is a new one")

// pollOnce is Bus.Do for readings: what comes over a connection on which the device was not identified is not believed.
func (d *Device) pollOnce(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	resp, err := d.bus.Do(ctx, req)
	if resp.Connection != 0 && !d.isAdmitted(resp.Connection) {
		return protocol.Response{}, errReconnected
	}
	return resp, err
}

// poll is pollOnce, tried again while the device says that it is busy.
func (d *Device) poll(ctx context.Context, req protocol.Request) (resp protocol.Response, err error) {
	err = d.client.Patiently(req, func(req protocol.Request) error {
		resp, err = d.pollOnce(ctx, req)
		return err
	})
	return resp, err
}
