package devices

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/ask"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// Identify asks once who answers. The error says why it is not a device of the profile.
func Identify(ctx context.Context, bus Bus, cfg Config) (Identity, error) {
	d := New(cfg, bus, nowhere{}, zerolog.Nop())
	err := d.identify(ctx)
	return d.Identity(), err
}

// nowhere is a sink for a device that is only asked who it is.
type nowhere struct{}

func (nowhere) Readings(context.Context, *Device, []Reading) {}
func (nowhere) Status(context.Context, *Device, Status)      {}
func (nowhere) Changed(context.Context, *Device, Changed)    {}

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
	found, unproven, err := d.askIdentity(ctx, x.Exchange)
	if _, wrong := errors.AsType[*ask.WrongDeviceError](err); wrong {
		d.dismiss(err)
	}
	if err != nil {
		return err
	}
	if err := d.accept(found, unproven, x.Connection()); err != nil {
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
	last     Identity
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
// unproven says why it is only likely that it is the device that is known; usually empty.
func (d *Device) askIdentity(ctx context.Context, x ask.Exchange) (found Identity, unproven string, err error) {
	d.setOfFamily(false)
	q := &inquiry{Device: d, exchange: x, last: d.Identity(), known: d.fixedTraits(), before: profile.Traits{},
		values: map[string]codec.Value{}, answered: map[string]bool{}, silent: map[string]bool{}}
	if q.last.Serial != "" {
		q.before, _ = d.cfg.Profile.NamedTraits(q.last.Traits)
	}
	if err := q.walk(ctx); err != nil {
		return found, "", err
	}
	if err := q.read(ctx, q.cfg.Profile.IdentityFields(q.known), q.cfg.Profile.Identify.Never); err != nil {
		return found, "", err
	}
	for key, last := range map[string]string{"model": q.last.Model, "version": q.last.Version} {
		q.values[key] = q.orLast(q.values[key], last)
	}
	if err := q.expect(); err != nil {
		return found, "", err
	}
	d.setOfFamily(true)
	if err := q.settle(ctx); err != nil {
		return found, "", err
	}
	found = Identity{Model: q.model(), Version: textOf(q.values["version"]),
		Traits: d.cfg.Profile.TraitsText(q.known)}
	return q.who(found)
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
	if !value.Known() {
		return notIt("unit %d is no %s: its %s is %v", q.cfg.Unit, q.cfg.Profile.Name, what, describe(value))
	}
	return notIt("unit %d is no %s: its %s is %v, accepted are %s", q.cfg.Unit, q.cfg.Profile.Name, what,
		describe(value), accepted)
}

// accept admits the device on the connection. unproven says why it is not certain that it is the device.
func (d *Device) accept(found Identity, unproven string, connection uint64) error {
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
		d.out.watchPoints(points, traitsOf(d.cfg.Profile, found), d.cfg.Zone)
	}
	d.admitted, d.connection, d.starting = true, connection, false
	d.become(Status{Online: true, Identified: true, Identity: found, Unproven: unproven != "", Reason: unproven})
	if d.heir = ""; unproven == "" {
		d.unproven.since = time.Time{}
	}
	d.mu.Unlock()
	d.poller.Wake()
	return nil
}

// traitsOf returns the traits of a device; none if its text is not understood.
func traitsOf(p *profile.Profile, who Identity) profile.Traits {
	traits, _ := p.NamedTraits(who.Traits)
	return traits
}

// dismiss ends the admission because of somebody else, who is not to be believed.
func (d *Device) dismiss(why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.admitted, d.starting = false, false
	s := Status{Identity: d.status.Identity, Reason: why.Error()}
	if other, ok := errors.AsType[*ask.WrongDeviceError](why); ok {
		s.Stranger = other.Serial
	}
	d.become(s)
}

func textOf(v codec.Value) string {
	if !v.Known() {
		return ""
	}
	return v.String()
}

// model returns the model as people call it.
func (q *inquiry) model() string {
	model := textOf(q.values["model"])
	for _, o := range q.cfg.Profile.Identify.Model.Spec.Options {
		if o.Name == model {
			return o.Label
		}
	}
	return model
}

// describe returns a value, or why there is none.
func describe(v codec.Value) string {
	if v.Kind == codec.KindNone && v.Str != "" {
		return fmt.Sprintf("unknown (%s)", v.Str)
	}
	return v.String()
}
