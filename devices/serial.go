package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// A device that has just woken up may answer before it knows its serial number: with zeros, blanks or an exception. A
// device that is known by its serial number stays itself then, if all else is as it was, and is only read until the
// number can be read again. After serialWithin it is not believed any more. A try that comes longer than serialPause
// after the last one is of another morning.
const (
	serialWithin = 30 * time.Minute
	serialPause  = time.Hour
	serialEvery  = 10 * time.Second // how often the number is asked for meanwhile
)

// unproven is a device whose serial number is waited for. The Device's mutex guards it.
type unproven struct {
	since, asked time.Time // of the first try that gave none, and of the last
}

// ofSerials returns the serial number that was read: of the first candidate that can be an id.
func (q *inquiry) ofSerials() (text string, ok bool) {
	for i := range q.cfg.Profile.Identify.Serials {
		if text = textOf(q.values[profile.SerialKey(i)]); text != "" && profile.CheckDeviceID(text) == nil {
			return text, true
		}
	}
	return "", false
}

// isUnproven reports whether a known device gives no serial number, though it did before.
func (q *inquiry) isUnproven() bool {
	_, read := q.ofSerials()
	return !read && len(q.cfg.Profile.Identify.Serials) > 0 && q.last.Serial != "" && q.last.Serial != q.cfg.ID
}

// serialNumber returns what was read of the serial number. Of a known device that gives none it is what it was.
func (q *inquiry) serialNumber() codec.Value {
	if text, ok := q.ofSerials(); ok {
		return codec.TextOf(text)
	}
	if q.isUnproven() {
		return codec.TextOf(q.last.Serial)
	}
	return q.values[profile.SerialKey(0)]
}

// orLast returns a text of the identity, or what it was of a known device that does not know itself yet.
func (q *inquiry) orLast(read codec.Value, last string) codec.Value {
	if last != "" && textOf(read) == "" && q.isUnproven() {
		return codec.TextOf(last)
	}
	return read
}

// who completes an identity with the serial number. why says why it is not certain.
func (q *inquiry) who(found Identity) (who Identity, why string, err error) {
	if q.isUnproven() {
		read := q.values[profile.SerialKey(0)]
		if found.Model != q.last.Model || found.Traits != q.last.Traits || !q.mayWait(time.Now()) {
			return who, "", notIt("unit %d gives no serial number (%s), and was %s when it last did", q.cfg.Unit,
				cmp.Or(read.Str, "it is unknown"), q.last.Serial)
		}
		return q.last, fmt.Sprintf("it gives no serial number at the moment (%s), so it is read only until it says "+
			"that it is %s", cmp.Or(read.Str, "it is unknown"), q.last.Serial), nil
	}
	if found.Serial, err = q.serial(q.serialNumber()); err != nil {
		return who, "", err
	}
	if !q.isExpected(found.Serial) {
		return who, "", &ask.WrongDeviceError{Serial: found.Serial, Reason: fmt.Sprintf("another device answers at "+
			"unit %d: its serial number is %s, not %s. If it has replaced the old one, say so in Home Assistant under "+
			"Settings, System, Repairs, or run `solarhub replace %s %[2]s`", q.cfg.Unit, found.Serial, q.last.Serial,
			q.last.ID())}
	}
	if found.Serial == q.cfg.ID && q.last.Model != "" && found.Model != "" && q.last.Model != found.Model {
		return who, "", notIt("another device answers at unit %d: its model is %q, not %q. If it has replaced the old "+
			"one, run `solarhub forget`", q.cfg.Unit, found.Model, q.last.Model)
	}
	found.As = q.deviceID(found.Serial)
	return found, "", nil
}

// mayWait notes a try that gave no serial number, and reports whether it is still waited for.
func (d *Device) mayWait(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.unproven.since.IsZero() || now.Sub(d.unproven.asked) > serialPause {
		d.unproven.since = now
	}
	d.unproven.asked = now
	return now.Sub(d.unproven.since) < serialWithin
}

// isUnprovenFor reports whether a device without a serial number was asked for it so long ago.
func (d *Device) isUnprovenFor(long time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.status.Unproven && time.Since(d.unproven.asked) >= long
}

// isNoSerial reports whether a known device refuses a read of its serial number in any way.
func (q *inquiry) isNoSerial(err error, fields []profile.Point, over protocol.Range) bool {
	no, ok := errors.AsType[protocol.ExceptionError](err)
	busy := no.Code == protocol.Acknowledge || no.Code == protocol.ServerDeviceBusy
	return ok && !no.FromGateway() && !busy && q.last.Serial != "" &&
		slices.ContainsFunc(fields, func(f profile.Point) bool {
			return strings.HasPrefix(f.Key, "serial ") && over.Contains(f.Ranges[0])
		})
}

// prove asks a device without a serial number for it again, on the line that is held: nothing is written before.
func (d *Device) prove(ctx context.Context, x protocol.Exchanger) error {
	if !d.Status().Unproven {
		return nil
	}
	if err := d.identifyOn(ctx, x); err != nil {
		return err
	}
	if s := d.Status(); s.Unproven {
		return notIt("%s", s.Reason)
	}
	return nil
}

// serial returns the serial number that was read, or the id of the configuration if what was read cannot be an id.
func (d *Device) serial(read codec.Value) (string, error) {
	text := textOf(read)
	wrong := profile.CheckDeviceID(text)
	switch {
	case text != "" && wrong == nil:
		return text, nil
	case d.cfg.ID != "":
		return d.cfg.ID, nil
	case text == "":
		return "", notIt("unit %d gives no serial number (%s): give it an id: in the configuration",
			d.cfg.Unit, cmp.Or(read.Str, "it is unknown"))
	}
	return "", notIt("unit %d gives the serial number %q, which cannot be its id (%v): give it an id: in the "+
		"configuration",
		d.cfg.Unit, text, wrong)
}
