package devices

import (
	"cmp"
	"context"
	"fmt"
)

// ID returns the device id: the serial number, or that of the device that this one has replaced.
func (i Identity) ID() string { return cmp.Or(i.As, i.Serial) }

// Replace has the device that answers instead take the place of this one, whose id and values it goes on with. serial
// is the serial number that its owner has seen, in Status.Stranger. It returns when the new device has been identified;
// the error says why it was not.
func (d *Device) Replace(ctx context.Context, serial string) error {
	d.mu.Lock()
	stranger := d.status.Stranger
	if stranger == serial && serial != "" {
		d.heir = serial
	}
	d.mu.Unlock()
	switch {
	case stranger == "":
		return fmt.Errorf("%s has not been replaced: no other device of its kind answers in its place", d.Name())
	case stranger != serial:
		return fmt.Errorf("%s: the device that answers in its place is %s, not %s", d.Name(), stranger, serial)
	}
	err := d.identify(ctx)
	d.poller.Wake()
	return err
}

// isExpected reports whether a serial number is the one that the device had, or that of the device that has replaced
// it.
func (q *inquiry) isExpected(serial string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.last.Serial == "" || serial == q.last.Serial || serial == q.heir
}

// deviceID returns the device id for a serial number, if it is another.
func (q *inquiry) deviceID(serial string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	id := q.cfg.Replaced[serial]
	switch {
	case serial == q.last.Serial:
		id = q.last.As
	case serial == q.heir:
		id = q.last.ID()
	}
	if id == serial {
		return ""
	}
	return id
}
