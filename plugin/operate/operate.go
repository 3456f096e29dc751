// Package operate carries out what is asked on the control socket, with the hub and the lines of a running plugin. A
// set-value goes the way of a host's call.
package operate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/control"
	"solarhub/plugin/doctor"
	"solarhub/plugin/hub"
	"solarhub/protocol"
)

// Desk is where it is asked.
type Desk struct {
	Hub     *hub.Hub
	Lines   func() []doctor.Line // that run now; nil: the plugin is starting or stopping
	Version string
	Name    func() string // of the installation
	Alone   bool          // there is no host
	Since   time.Time
	Reload  func(ctx context.Context) (changed []string, err error) // nil: the configuration is not read anew
}

// Operations returns all that can be asked.
func (d *Desk) Operations() control.Operations {
	return control.Operations{
		control.OpProgram: control.Answer(d.program), control.OpPoints: control.Answer(d.points),
		control.OpValues: control.Answer(d.values), control.OpRead: control.Stream(d.read),
		control.OpWatch: control.Stream(d.watch), control.OpSet: control.Answer(d.set),
		control.OpExchange: control.Answer(d.exchange), control.OpLedger: control.Answer(d.ledger),
		control.OpForget: control.Answer(d.forget), control.OpReplace: control.Answer(d.replace),
		control.OpReload: control.Answer(d.reload),
	}
}

func (d *Desk) program(context.Context, struct{}) (control.Program, error) {
	p := control.Program{Version: d.Version, PID: os.Getpid(), Name: d.Name(), Alone: d.Alone, Since: d.Since,
		Lines: []control.Line{}}
	for _, l := range d.Lines() {
		line := control.Line{Line: l.Config.String(), Endpoint: l.Config.Endpoint(), Devices: []control.Device{}}
		for i, one := range l.Devices {
			line.Devices = append(line.Devices, deviceOf(one, l.Config.Devices[i]))
		}
		p.Lines = append(p.Lines, line)
	}
	return p, nil
}

func deviceOf(d *devices.Device, cfg devices.Config) control.Device {
	s := d.Status()
	return control.Device{Name: d.Name(), Profile: d.Profile().ID, Unit: uint8(cfg.Unit), ID: s.Identity.ID(),
		Serial: s.Identity.Serial, Model: s.Identity.Model, Traits: s.Identity.Traits, Online: s.Online,
		Identified: s.Identified, Reason: s.Reason, Since: s.Since}
}

// errStopping: there are no lines.
var errStopping = &control.Error{Code: control.CodeEnded, Reason: "SolarHub is starting or stopping"}

// target is the device that something is asked of.
type target struct {
	*devices.Device
	config devices.Config
}

// find returns the device with a name or id; without one the only device.
func (d *Desk) find(name string) (found target, err error) {
	lines := d.Lines()
	if lines == nil {
		return found, errStopping
	}
	var names []string
	n := 0
	for _, l := range lines {
		for i, one := range l.Devices {
			names = append(names, one.Name())
			if name == "" || one.Name() == name || one.ID() == name {
				found, n = target{one, l.Config.Devices[i]}, n+1
			}
		}
	}
	switch {
	case n == 1:
		return found, nil
	case n == 0:
		return found, unknown("there is no device %q; there are: %s%s", name, strings.Join(names, ", "),
			strict.Meant(name, names))
	case name == "":
		return found, unknown("which device? There are: %s", strings.Join(names, ", "))
	}
	return found, unknown("%d devices are called %q: give them different names", n, name)
}

func unknown(format string, args ...any) error {
	return &control.Error{Code: control.CodeUnknown, Reason: fmt.Sprintf(format, args...)}
}

// known returns the device once it is known what it is: it is identified if it never was.
func (d *Desk) known(ctx context.Context, name string) (target, error) {
	t, err := d.find(name)
	if err != nil {
		return t, err
	}
	if t.ID() == "" {
		err := t.Identify(ctx)
		if errors.Is(err, protocol.ErrTimeout) && ctx.Err() == nil {
			err = t.Identify(ctx) // a single answer may get lost
		}
		if err != nil {
			return t, fmt.Errorf("%s has not been identified yet: %w", t.Name(), err)
		}
	}
	if d.Hub.IsDeleted(ctx, t.Device) { // behind this the hub knows it, if it is new
		return t, unknown("%s was deleted in Home Assistant, so it is neither read nor set: `solarhub forget %s` "+
			"brings it back", t.Name(), t.Name())
	}
	return t, ctx.Err()
}

func (d *Desk) exchange(ctx context.Context, asked control.AskExchange) (control.Exchanged, error) {
	req, err := asked.Request(time.Now())
	if err != nil {
		return control.Exchanged{}, err
	}
	var endpoints []string
	for _, l := range d.Lines() {
		if endpoints = append(endpoints, l.Config.Endpoint()); l.Config.Endpoint() != asked.Endpoint {
			continue
		}
		for _, c := range l.Config.Devices {
			if c.Unit == req.Unit && req.Pace == (protocol.Pace{}) {
				req.Pace = c.Line.Pace
			}
		}
		resp, err := l.Bus.Do(ctx, req)
		return control.Exchanged{Words: resp.Words, Sent: resp.Sent, Done: resp.Done, Connection: resp.Connection}, err
	}
	return control.Exchanged{}, unknown("this SolarHub has no line %s; it has: %s", asked.Endpoint,
		strings.Join(endpoints, ", "))
}

func (d *Desk) ledger(ctx context.Context, asked control.AskDevice) ([]control.Entry, error) {
	all, err := d.Hub.Ledger(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, l := range d.Lines() {
		for _, one := range l.Devices {
			names[one.ID()] = one.Name()
		}
	}
	return Entries(all, names, asked.Device)
}

func (d *Desk) forget(ctx context.Context, asked control.AskDevice) (control.Done, error) {
	t, err := d.find(asked.Device)
	if err != nil {
		return control.Done{}, err
	}
	id, err := d.Hub.Forget(ctx, t.Device)
	if err == nil && id == "" {
		err = fmt.Errorf("%s has never been identified: there is nothing to forget", t.Name())
	}
	return control.Done{ID: id}, err
}

func (d *Desk) replace(ctx context.Context, asked control.AskReplace) (control.Done, error) {
	t, err := d.find(asked.ID)
	if err != nil {
		return control.Done{}, err
	}
	asked.ID = t.ID()
	r := d.Hub.Call(ctx, replacing(asked))
	if r.Err != nil {
		return control.Done{}, failure(r.Err)
	}
	return control.Done{ID: asked.ID}, nil
}

func (d *Desk) reload(ctx context.Context, _ struct{}) (control.Done, error) {
	if d.Reload == nil {
		return control.Done{}, &control.Error{Code: control.CodeNotHere,
			Reason: "this SolarHub does not read its configuration anew: restart it"}
	}
	changed, err := d.Reload(ctx)
	return control.Done{Changed: slices.Clone(changed)}, err
}

// isOver reports whether whoever asked is gone.
func isOver(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, ctx.Err())
}
