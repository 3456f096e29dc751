package devices

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

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
	choices := d.chosenTimes()
	found, err := d.askIdentity(ctx, x.Exchange)
	if _, wrong := errors.AsType[*ask.WrongDeviceError](err); wrong {
		d.dismiss(err)
	}
	if err != nil {
		return err
	}
	if err := d.accept(found, x.Connection()); err != nil {
		return err
	}
	if d.chosenTimes() != choices {
		d.doubt() // the owner has chosen meanwhile
	}
	return nil
}

// inquiry is one identification.
type inquiry struct {
	*Device
	exchange ask.Exchange
	known    profile.Traits         // that are settled
	before   profile.Traits         // of the last identification
	values   map[string]codec.Value // that were read, by profile.IdentityField.Key
	answered map[string]bool        // of these
	silent   map[string]bool        // of these
	heard    bool                   // the device has answered
	proof    protocol.Range         // the shortest read that was answered
}

// never returns the registers that may not be asked now.
func (d *Device) never() []protocol.Range {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ofFamily || len(d.cfg.Profile.Identify.Never) == 0 {
		return d.cfg.Line.Never
	}
	return slices.Concat(d.cfg.Line.Never, d.cfg.Profile.Identify.Never)
}

func (d *Device) setOfFamily(yes bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ofFamily = yes
}

// askIdentity asks who answers: first for what must hold of the family, then for the traits that follow from others.
func (d *Device) askIdentity(ctx context.Context, x ask.Exchange) (Identity, error) {
	d.setOfFamily(false)
	q := &inquiry{Device: d, exchange: x, known: d.fixedTraits(), before: profile.Traits{},
		values: map[string]codec.Value{}, answered: map[string]bool{}, silent: map[string]bool{}}
	if last := d.Identity(); last.Serial != "" {
		q.before, _ = d.cfg.Profile.NamedTraits(last.Traits)
	}
	if err := q.walk(ctx); err != nil {
		return Identity{}, err
	}
	if err := q.read(ctx, q.cfg.Profile.IdentityFields(q.known), q.cfg.Profile.Identify.Never); err != nil {
		return Identity{}, err
	}
	found := Identity{Model: textOf(q.values["model"]), Version: textOf(q.values["version"])}
	if err := q.expect(); err != nil {
		return Identity{}, err
	}
	d.setOfFamily(true)
	if err := q.settle(ctx); err != nil {
		return Identity{}, err
	}
	found.Traits = d.cfg.Profile.TraitsText(q.known)
	serial, err := d.serial(q.serialNumber())
	if err != nil {
		return Identity{}, err
	}
	found.Serial = serial
	expected := d.Identity().Serial
	if read := textOf(q.serialNumber()); expected != "" && read == "" && serial != expected {
		return Identity{}, notIt("unit %d gives no serial number (%s), and was %s when it last did", d.cfg.Unit,
			cmp.Or(q.serialNumber().Str, "it is unknown"), expected)
	}
	if expected != "" && found.Serial != expected {
		return Identity{}, notIt("another device answers at unit %d: its serial number is %s, not %s. If the old one "+
			"was replaced, delete it in Home Assistant, or run `solarhub forget`", d.cfg.Unit, found.Serial, expected)
	}
	return found, nil
}

// serialNumber returns the first candidate that can be an id, or the first of all.
func (q *inquiry) serialNumber() codec.Value {
	for i := range q.cfg.Profile.Identify.Serials {
		if v := q.values[profile.SerialKey(i)]; textOf(v) != "" && profile.CheckDeviceID(textOf(v)) == nil {
			return codec.TextOf(textOf(v))
		}
	}
	return q.values[profile.SerialKey(0)]
}

// expect returns why the device is not of the family.
func (q *inquiry) expect() error {
	for _, e := range q.cfg.Profile.Identify.Expect {
		v := q.values[e.Key()]
		switch {
		case e.Serial != nil:
			v = q.serialNumber()
		case e.Model != nil:
			v = q.values["model"]
		}
		if !e.Holds(v) {
			return q.notOne(e.Name, v, e.Accepted())
		}
	}
	return nil
}

func (q *inquiry) notOne(what string, value codec.Value, accepted string) error {
	return notIt("unit %d is no %s: its %s is %v, accepted are %s", q.cfg.Unit, q.cfg.Profile.Name, what,
		describe(value), accepted)
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

// accept admits the device on the connection.
func (d *Device) accept(found Identity, connection uint64) error {
	points, err := d.cfg.Profile.ResolveNamed(found.Traits)
	if err != nil {
		err = notIt("%v", err)
		d.dismiss(err)
		return err
	}
	d.mu.Lock()
	if before := d.status.Identity; d.points == nil || before.Serial != found.Serial ||
		before.Traits != found.Traits ||
		!d.status.Identified { // the first time in this run
		d.points = points
		d.held.Watch(points, before.Serial != "" && (before.Serial != found.Serial || before.Traits != found.Traits))
		d.version++
		if before.Serial != found.Serial || before.Traits != found.Traits {
			d.out.forget()
		}
	}
	d.admitted, d.connection, d.starting = true, connection, false
	d.become(Status{Online: true, Identified: true, Identity: found})
	d.mu.Unlock()
	d.poller.Wake()
	return nil
}

// dismiss ends the admission because of somebody else, who is not to be believed.
func (d *Device) dismiss(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admitted, d.starting = false, false
	d.become(Status{Identity: d.status.Identity, Reason: why.Error()})
}

func textOf(v codec.Value) string {
	if !v.Known() {
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
