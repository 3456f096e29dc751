package devices

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"solarhub/devices/ask"
	"solarhub/devices/poll"
	"solarhub/devices/profile"
	"solarhub/protocol"
	"solarhub/protocol/codec"
	"solarhub/protocol/plan"
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

// askIdentity reads the fields of identification; what the device refuses is no value. Of what is refused together each
// field is asked for by itself.
func (d *Device) askIdentity(ctx context.Context, x ask.Exchange) (map[string]codec.Value, error) {
	fields := identityFields(d.cfg.Profile)
	reads, err := poll.Plan(fields, d.cfg.Line)
	if err != nil {
		return nil, fmt.Errorf("plan the identification of %s: %w", d.Name(), err)
	}
	slices.SortStableFunc(reads, func(a, b plan.Read) int { // of a device that is away one short read is lost
		return cmp.Compare(a.Range.Count, b.Range.Count)
	})
	values := map[string]codec.Value{}
	for _, r := range reads {
		req := d.client.Request(protocol.PriorityRead, ask.ForTurn)
		req.Op, req.Range = protocol.Read, r.Range
		resp, err := x(ctx, req)
		if err != nil && !ask.IsRefusal(err) {
			return nil, err
		}
		for _, f := range fields {
			switch over := f.Ranges[0]; {
			case len(f.Ranges) > 1 || !r.Range.Contains(over):
			case err == nil:
				from := over.Addr - r.Range.Addr
				values[f.Key] = f.Spec.Decode(resp.Words[from : from+over.Count])
			case r.Range == over:
				values[f.Key] = codec.None(fmt.Sprintf("the device refuses it: %v", err))
			}
		}
	}
	for _, f := range fields {
		if _, known := values[f.Key]; known {
			continue
		}
		r, err := ask.Point(ctx, x, d.client.Request(protocol.PriorityRead, ask.ForTurn), f)
		switch {
		case err == nil:
			values[f.Key] = r.Value
		case ask.IsRefusal(err):
			values[f.Key] = codec.None(fmt.Sprintf("the device refuses it: %v", err))
		default:
			return nil, err
		}
	}
	return values, nil
}

// identityFields returns what identification reads, as points.
func identityFields(p *profile.Profile) []profile.Point {
	var fields []profile.Point
	for _, f := range p.IdentityFields(nil) {
		fields = append(fields, profile.Point{Key: f.Key, Ranges: f.Ranges, Spec: f.Spec})
	}
	return fields
}

// judge decides who has answered.
func (d *Device) judge(values map[string]codec.Value) (Identity, error) {
	found := Identity{Model: textOf(values["model"]), Version: textOf(values["version"])}
	traits, err := d.settle(values)
	if err != nil {
		return Identity{}, err
	}
	found.Variant = d.cfg.Profile.TraitsText(traits)
	serial, err := d.serial(values[profile.SerialKey(0)])
	if err != nil {
		return Identity{}, err
	}
	found.Serial = serial
	expected := d.Identity().Serial
	if read := textOf(values[profile.SerialKey(0)]); expected != "" && read == "" && serial != expected {
		return Identity{}, notIt("unit %d gives no serial number (%s), and was %s when it last did", d.cfg.Unit,
			cmp.Or(values[profile.SerialKey(0)].Str, "it is unknown"), expected)
	}
	if expected != "" && found.Serial != expected {
		return Identity{}, notIt("another device answers at unit %d: its serial number is %s, not %s. If the old one "+
			"was replaced, delete it in Home Assistant, or run `solarhub forget`", d.cfg.Unit, found.Serial, expected)
	}
	return found, nil
}

// settle returns the traits of the device. The error says why it is not of the family.
func (d *Device) settle(values map[string]codec.Value) (profile.Traits, error) {
	family := d.cfg.Profile
	notOne := func(what string, value codec.Value, accepted string) error {
		return notIt("unit %d is no %s: its %s is %v, accepted are %s", d.cfg.Unit, family.Name, what, describe(value),
			accepted)
	}
	for _, e := range family.Identify.Expect {
		if v := values[e.Key()]; !e.Holds(v) {
			return nil, notOne(e.Name, v, e.Accepted())
		}
	}
	traits := profile.Traits{}
	for _, t := range family.Traits {
		v := values[t.Key()]
		word, ok := t.Word(v)
		if word = cmp.Or(word, t.Otherwise); !ok && t.Otherwise == "" {
			return nil, notOne(t.Name, v, t.Accepted())
		}
		traits[t.Name] = word
	}
	return traits, nil
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
	points, err := d.cfg.Profile.ResolveNamed(found.Variant)
	if err != nil {
		err = notIt("%v", err)
		d.dismiss(err)
		return err
	}
	d.mu.Lock()
	if before := d.status.Identity; d.points == nil || before.Serial != found.Serial ||
		before.Variant != found.Variant ||
		!d.status.Identified { // the first time in this run
		d.points = points
		d.version++
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
