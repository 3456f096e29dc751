package operate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices/profile"
	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/hub"
	"solarhub/protocol"
	"solarhub/protocol/codec"
)

// values returns what is known of points.
func (d *Desk) values(ctx context.Context, asked control.AskValues) ([]control.Value, error) {
	t, err := d.known(ctx, asked.Device)
	if err != nil {
		return nil, err
	}
	all, err := d.snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	found, err := d.asked(t, all, asked.Points)
	if err != nil {
		return nil, err
	}
	values := []control.Value{}
	for _, one := range found {
		if one.point == nil {
			return nil, unknown("registers are read from the device: %v is known of nobody", one.registers)
		}
		values = append(values, valueFrom(t, *one.point, all.Readings))
	}
	return values, nil
}

// snapshot returns what the hub knows of a device.
func (d *Desk) snapshot(ctx context.Context, t target) (hub.DeviceSnapshot, error) {
	all, err := d.Hub.Snapshot(ctx)
	if err != nil {
		return hub.DeviceSnapshot{}, err
	}
	for _, one := range all.Devices {
		if one.Place.Device == t.Device {
			return one, nil
		}
	}
	return hub.DeviceSnapshot{}, errStopping
}

// asked returns the points that somebody names, else those that are on.
func (d *Desk) asked(t target, all hub.DeviceSnapshot, words []string) ([]item, error) {
	points := t.Points()
	if len(words) > 0 {
		return pointsFor(t, points, words)
	}
	var found []item
	for _, p := range points {
		if isOn(p, all.Polled) {
			found = append(found, item{point: &p})
		}
	}
	return found, nil
}

// isOn reports whether a point is polled, or follows from those that are.
func isOn(p profile.Point, polled map[string]bool) bool {
	if polled == nil {
		return p.HasValue() && p.Entity.Enabled
	}
	return p.HasValue() && polled[p.Key]
}

// empty is a point of which nothing is known.
func empty(t target, p profile.Point) control.Value {
	return control.Value{Device: t.Name(), Key: p.Key, Name: t.Profile().FullName(p), Registers: registersOf(p),
		Value: encoded(nil), Text: codec.Value{}.String(), Unit: p.Unit, Reason: "it has not been read yet"}
}

// valueFrom is a point as the hub knows it.
func valueFrom(t target, p profile.Point, readings map[string]hub.Reading) control.Value {
	v := empty(t, p)
	r, ok := readings[p.Key]
	if !ok {
		return v
	}
	fill(&v, p, r)
	return v
}

func fill(v *control.Value, p profile.Point, r hub.Reading) {
	v.Value, v.Text, v.Reason, v.Raw = encoded(r.Value.Any()), textOf(p, r.Value.Any()), "", r.Raw
	v.ReadAt, v.AgeMS, v.Source = r.ReadAt, time.Since(r.ReadAt).Milliseconds(), control.FromProgram
	if r.Cached {
		v.Source = control.FromCache
	}
	if r.Value.Kind == codec.KindNone {
		v.Reason = r.Value.Str
	}
}

// textOf is a value of a host as people read it: an option as it is called.
func textOf(p profile.Point, value any) string {
	switch v := value.(type) {
	case nil:
		return codec.Value{}.String()
	case bool:
		return codec.BoolOf(v).String()
	case float64:
		return codec.Number(v).String()
	case string:
		for i, name := range p.Spec.OptionNames() {
			if name == v {
				return p.Spec.OptionLabels()[i]
			}
		}
		return v
	default:
		return fmt.Sprint(v)
	}
}

// registersOf names the registers of a point: "holding 588+2", several joined by a comma.
func registersOf(p profile.Point) string {
	texts := make([]string, len(p.Ranges))
	for i, r := range p.Ranges {
		texts[i] = r.String()
	}
	return strings.Join(texts, ", ")
}

// read reads from the device.
func (d *Desk) read(ctx context.Context, asked control.AskValues, send func(control.Value) error) error {
	found := registersAlone(asked.Points)
	t, err := d.find(asked.Device)
	if err == nil && found == nil { // registers can be read of whatever answers
		t, err = d.known(ctx, asked.Device)
	}
	if err != nil {
		return err
	}
	if len(asked.Points) == 0 {
		return d.readAll(ctx, t, send)
	}
	if found == nil {
		if found, err = pointsFor(t, t.Points(), asked.Points); err != nil {
			return err
		}
	}
	for _, one := range found {
		if one.point == nil {
			err = readRegisters(ctx, t, one.registers, send)
		} else {
			err = d.readPoint(ctx, t, *one.point, send)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readAll reads all that is on, in as few requests as the poll does.
func (d *Desk) readAll(ctx context.Context, t target, send func(control.Value) error) error {
	began := time.Now()
	if r := d.Hub.Call(ctx, host.Call{Action: host.ActionRefresh, Device: t.ID()}); r.Err != nil {
		return failure(r.Err)
	}
	all, err := d.snapshot(ctx, t)
	if err != nil {
		return err
	}
	for _, p := range t.Points() {
		if !isOn(p, all.Polled) {
			continue
		}
		v := valueFrom(t, p, all.Readings)
		if v.Source == control.FromProgram && !v.ReadAt.Before(began) {
			v.Source = control.FromDevice
		}
		if err := send(v); err != nil {
			return err
		}
	}
	return nil
}

// readPoint reads one point. A device that is away leaves what is known of it, with the reason.
func (d *Desk) readPoint(ctx context.Context, t target, p profile.Point, send func(control.Value) error) error {
	if !p.HasValue() {
		return unknown("%s of %s has no value: it can only be written", p.Key, t.Name())
	}
	call := host.Call{Action: host.ActionRead, ID: t.ID() + "_" + p.Key}
	r := d.Hub.Call(ctx, call)
	if r.Err != nil && r.Err.Code == host.CodeNoAnswer && ctx.Err() == nil {
		r = d.Hub.Call(ctx, call) // the poll would come again, too; a command comes once
	}
	if r.Err != nil {
		return failure(r.Err)
	}
	got, _ := r.Response.(host.Reading)
	v := empty(t, p)
	v.Value, v.Text, v.Raw, v.Reason = encoded(got.Value), textOf(p, got.Value), got.Raw, got.Reason
	v.ReadAt, v.AgeMS, v.Source = got.ReadAt, got.AgeMS, control.FromDevice
	return send(v)
}

// readRegisters reads registers in as many requests as they take, and the points that lie in them whole.
func readRegisters(ctx context.Context, t target, r protocol.Range, send func(control.Value) error) error {
	most := uint32(protocol.MaxReadRegisters)
	if n := t.config.Line.MaxRegisters; n > 0 {
		most = uint32(n)
	}
	words := map[uint16]uint16{}
	var at time.Time
	for from := uint32(r.Addr); from < r.End(); from += most {
		part := protocol.Range{Table: r.Table, Addr: uint16(from), Count: uint16(min(most, r.End()-from))}
		resp, err := t.ReadRegisters(ctx, part)
		if err != nil {
			return err
		}
		if at.IsZero() {
			at = resp.Sent
		}
		for i, w := range resp.Words {
			words[part.Addr+uint16(i)] = w
		}
	}
	for i := range uint32(r.Count) {
		addr := r.Addr + uint16(i)
		one := protocol.Range{Table: r.Table, Addr: addr, Count: 1}
		v := control.Value{Device: t.Name(), Registers: one.String(), Raw: []uint16{words[addr]},
			Value: encoded(words[addr]), Text: fmt.Sprint(words[addr]), ReadAt: at, Source: control.FromDevice,
			AgeMS: time.Since(at).Milliseconds()}
		if err := sendAll(v, pointsAt(t, one, r, words, at), send); err != nil {
			return err
		}
	}
	return nil
}

func sendAll(first control.Value, more []control.Value, send func(control.Value) error) error {
	for _, v := range append([]control.Value{first}, more...) {
		if err := send(v); err != nil {
			return err
		}
	}
	return nil
}

// pointsAt returns the points that begin at a register, as far as all of their words have been read.
func pointsAt(t target, first, all protocol.Range, words map[uint16]uint16, at time.Time) (found []control.Value) {
	for _, p := range t.Points() {
		outside := func(r protocol.Range) bool { return !all.Contains(r) }
		if len(p.Ranges) == 0 || p.Ranges[0].Addr != first.Addr || !p.HasValue() ||
			slices.ContainsFunc(p.Ranges, outside) {
			continue
		}
		var raw []uint16
		for _, r := range p.Ranges {
			for i := range r.Count {
				raw = append(raw, words[r.Addr+i])
			}
		}
		v := empty(t, p)
		fill(&v, p, hub.Reading{Value: p.Spec.Decode(raw), ReadAt: at, Raw: raw})
		v.Source = control.FromDevice
		found = append(found, v)
	}
	return found
}
