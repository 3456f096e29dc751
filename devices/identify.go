package devices

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

func notIt(format string, args ...any) error {
	return &ask.WrongDeviceError{Reason: fmt.Sprintf(format, args...)}
}

// identify finds out who answers. The error is an *ask.WrongDeviceError if somebody else does, or one of the line.
func (d *Device) identify(ctx context.Context) error {
	nothing := func(context.Context, protocol.Exchanger) error { return nil }
	return d.hold(ctx, d.client.Request(protocol.PriorityRead, ask.ForTurn), nothing)
}

// admit makes sure that the device has been identified on the connection that is held. Nothing is written before.
func (d *Device) admit(ctx context.Context, x protocol.Exchanger) error {
	if d.isAdmitted(x.Connection()) {
		return nil
	}
	return d.identifyOn(ctx, x)
}

func (d *Device) isAdmitted(connection uint64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.admitted && d.connection == connection
}

// identifyOn asks over a held line and keeps the answer: the device is admitted, or it is not and the status says why.
func (d *Device) identifyOn(ctx context.Context, x protocol.Exchanger) error {
	values, err := d.askIdentity(ctx, x.Exchange)
	if err != nil {
		return err
	}
	found, err := d.judge(values)
	if err != nil {
		d.dismiss(err)
		return err
	}
	return d.accept(found, x.Connection())
}

// askIdentity reads the fields of identification; what the device refuses is no value.
func (d *Device) askIdentity(ctx context.Context, x exchange) (map[string]codec.Value, error) {
	l, err := d.identityLayout()
	if err != nil {
		return nil, fmt.Errorf("plan the identification of %s: %w", d.Name(), err)
	}
	f := newFetch(x, d.client.Request(protocol.PriorityRead, ask.ForTurn), ask.ForTurn, l)
	for _, read := range shortestFirst(l.reads) { // of a device that is away one short read is lost
		if err := f.read(ctx, read); err != nil {
			return nil, err
		}
	}
	values := map[string]codec.Value{}
	for i, p := range l.points {
		reading, _, _ := f.reading(i)
		values[p.Key] = reading.Value
	}
	return values, nil
}

// identityLayout plans the fields of identification within what is known of the device.
func (d *Device) identityLayout() (*layout, error) {
	fields := d.identityFields()
	d.mu.Lock()
	limits := d.limits(fields)
	d.mu.Unlock()
	return newLayout(fields, limits, TimingOf(d.cfg.Line))
}

// identityFields returns what identification reads, as points.
func (d *Device) identityFields() []profile.Point {
	id := d.cfg.Profile.Identify
	var fields []profile.Point
	for _, f := range []struct {
		key   string
		field profile.Field
	}{{"serial", id.Serial}, {"model", id.Model}, {"kind", id.Kind}, {"version", id.Version}} {
		if f.field.Present() {
			fields = append(fields, profile.Point{Key: f.key, Ranges: f.field.Ranges, Spec: f.field.Spec})
		}
	}
	return fields
}

// judge decides who has answered.
func (d *Device) judge(values map[string]codec.Value) (Identity, error) {
	id := d.cfg.Profile.Identify
	found := Identity{Model: textOf(values["model"]), Version: textOf(values["version"])}
	if id.Kind.Present() {
		kind := values["kind"]
		number, ok := kind.Uint()
		variant, accepted := id.Accept[number]
		if !ok || !accepted {
			return Identity{}, notIt("unit %d is no %s: its kind is %v, accepted are %s",
				d.cfg.Unit, d.cfg.Profile.Name, describe(kind), listKinds(id.Accept))
		}
		found.Variant = variant
	}
	serial, err := d.serial(values["serial"])
	if err != nil {
		return Identity{}, err
	}
	found.Serial = serial
	if expected := d.Identity().Serial; expected != "" && found.Serial != expected {
		return Identity{}, notIt("another device answers at unit %d: its serial number is %s, not %s", d.cfg.Unit, found.Serial, expected)
	}
	return found, nil
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
	return "", notIt("unit %d gives the serial number %q, which cannot be its id (%v): give it an id: in the configuration",
		d.cfg.Unit, text, wrong)
}

// accept admits the device on the connection.
func (d *Device) accept(found Identity, connection uint64) error {
	points, err := d.cfg.Profile.Resolve(found.Variant)
	if err != nil {
		err = notIt("%v", err)
		d.dismiss(err)
		return err
	}
	d.mu.Lock()
	d.points = points
	d.admitted, d.connection = true, connection
	d.admissions++
	d.generation++
	clear(d.refused)
	d.become(Status{Online: true, Identified: true, Identity: found})
	d.mu.Unlock()
	d.nudge()
	return nil
}

// dismiss ends the admission because of somebody else, who is not to be believed.
func (d *Device) dismiss(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admitted = false
	d.become(Status{Identity: d.status.Identity, Reason: why.Error()})
}

// doubt ends the admission until the next identification; the status stays.
func (d *Device) doubt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admitted = false
}

// lost ends the admission because the device does not answer.
func (d *Device) lost(ctx context.Context, why error) {
	d.mu.Lock()
	d.admitted = false
	d.become(Status{Identified: d.status.Identified, Identity: d.status.Identity, Reason: why.Error()})
	d.mu.Unlock()
	d.out.status(ctx)
}

// become takes over a status; since when it holds changes only with the rest of it. The caller holds mu.
func (d *Device) become(s Status) {
	s.Since = d.status.Since
	if s != d.status {
		s.Since = time.Now()
	}
	d.status = s
}

func textOf(v codec.Value) string {
	if v.Kind == codec.KindNone {
		return ""
	}
	return v.String()
}

// describe returns a value, or why there is none.
func describe(v codec.Value) string {
	if v.Kind == codec.KindNone && v.Str != "" {
		return fmt.Sprintf("unknown (%s)", v.Str)
	}
	return v.String()
}

func listKinds(accept map[uint64]string) string {
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(accept)) {
		kinds = append(kinds, fmt.Sprint(k))
	}
	return strings.Join(kinds, ", ")
}
