package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/devices/profile/strict"
	"solarhub/plugin"
	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/control"
	"solarhub/plugin/lock"
)

// reached is a SolarHub to ask, and which of its devices: the one that runs and has the lines, or one that this command
// runs itself for as long as it takes, with the line of the device alone.
type reached struct {
	*control.Client
	device string   // as it was named; empty: the only one
	words  []string // the arguments behind the device
	alone  bool
	leave  func() error // ends what this command runs, in order
}

// reach finds the SolarHub that has the lines of a configuration, or runs one. words are the arguments of a command:
// the first may name a device.
func (a *app) reach(ctx context.Context, flag configFlag, words []string) (r reached, err error) {
	_, cfg, err := a.load(flag)
	if err != nil {
		return r, err
	}
	for end := time.Now().Add(takeOver); ; {
		if r, err = a.running(ctx, cfg, words); !errors.Is(err, control.ErrNobody) {
			return r, err
		}
		if r, err = a.alone(ctx, cfg, words); !isTaken(err) || time.Now().After(end) {
			return r, elsewhere(err)
		}
		select { // another command has the line, and is about to open its socket
		case <-time.After(takeOver / 20):
		case <-ctx.Done():
			return r, errLeft
		}
	}
}

// takeOver is how long it is tried to reach another command that has just taken the line.
const takeOver = 2 * time.Second

// isTaken reports whether another process has the line or the cache.
func isTaken(err error) bool {
	_, line := errors.AsType[*lock.HeldError](err)
	_, folder := errors.AsType[*cache.LockedError](err)
	return line || folder
}

// elsewhere says how to reach a SolarHub that has the line and keeps its data in a folder of its own.
func elsewhere(err error) error {
	held, ok := errors.AsType[*lock.HeldError](err)
	if !ok {
		return err
	}
	who := "Another program"
	if held.PID != 0 {
		who += fmt.Sprintf(" (process %d)", held.PID)
	}
	return fmt.Errorf("%s has the line. If it is a SolarHub that keeps its data in another folder, as a systemd "+
		"service does, name that: sudo STATE_DIRECTORY=/var/lib/solarhub solarhub ...; else stop it first: %w", who,
		held)
}

// running asks the SolarHub that runs. The error wraps control.ErrNobody where none does.
func (a *app) running(ctx context.Context, cfg config.Config, words []string) (r reached, err error) {
	c, err := control.Dial(ctx, cfg.Data)
	if err != nil {
		return r, err
	}
	p, err := c.Program(ctx)
	if err != nil {
		return r, err
	}
	var names, ids []string
	for _, l := range p.Lines {
		for _, d := range l.Devices {
			names, ids = append(names, d.Name), append(ids, d.ID)
		}
	}
	r = reached{Client: c, leave: func() error { return nil }}
	r.device, r.words, err = deviceAmong(names, ids, words)
	return r, err
}

// deviceAmong takes the name or id of a device from the front of some words, if it is there.
func deviceAmong(names, ids, words []string) (device string, rest []string, err error) {
	if len(words) > 0 && words[0] != "" && slices.Contains(slices.Concat(names, ids), words[0]) {
		return words[0], words[1:], nil
	}
	switch {
	case len(names) == 1:
		return "", words, nil
	case len(words) == 0:
		return "", nil, usagef("which device? There are: %s", strings.Join(names, ", "))
	}
	return "", nil, usagef("there is no device %q; there are: %s%s", words[0], strings.Join(names, ", "),
		strict.Meant(words[0], names))
}

// alone runs a SolarHub that has the line of one device and no host.
func (a *app) alone(ctx context.Context, cfg config.Config, words []string) (r reached, err error) {
	if r.device, r.words, err = deviceAmong(deviceNames(cfg), nil, words); err != nil {
		return r, err
	}
	l, d, err := cfg.Device(r.device)
	if err != nil {
		return r, usage(err)
	}
	l.Devices = []devices.Config{d}
	cfg.Lines = []config.Line{l}
	log, err := a.debugLogger()
	if err != nil {
		return r, err
	}
	p, err := plugin.New(cfg, plugin.Deps{Log: log, Version: a.manifest.Version, Alone: true})
	if err != nil {
		return r, err
	}
	return r, r.run(ctx, p)
}

// run runs a plugin until leave, and returns when it can be asked.
func (r *reached) run(ctx context.Context, p *plugin.Plugin) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	asking, failed := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() { // leave waits for it
		err := p.Run(running)
		failed(err)
		ended <- err
	}()
	r.Client, r.alone = p.Control(), true
	r.leave = func() error {
		stop()
		return <-ended
	}
	if _, err := r.Program(asking); err != nil {
		return cmp.Or(r.leave(), err)
	}
	return nil
}

// done ends what this command runs, and says in the words of a person why it ended early.
func (r reached) done(ctx context.Context, err error) error {
	late := r.leave()
	if ctx.Err() != nil && err != nil {
		return errLeft
	}
	return errors.Join(err, late)
}
