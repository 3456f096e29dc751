package operate

import (
	"cmp"
	"context"
	"time"

	"solarhub/devices/profile"
	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/hub"
)

// watch tells what changes. What is not polled it reads as often as the fastest class of the device is due.
func (d *Desk) watch(ctx context.Context, asked control.AskValues, send func(control.Change) error) error {
	t, err := d.known(ctx, asked.Device)
	if err != nil {
		return err
	}
	all, err := d.snapshot(ctx, t)
	if err != nil {
		return err
	}
	found, err := d.asked(t, all, asked.Points)
	if err != nil {
		return err
	}
	points, quiet := map[string]profile.Point{}, []string{}
	for _, one := range found {
		if one.point == nil {
			return unknown("registers are not watched, only points: use %s by its key", one.registers)
		}
		if points[one.point.Key] = *one.point; !isOn(*one.point, all.Polled) && one.point.HasValue() {
			quiet = append(quiet, one.point.Key)
		}
	}
	w := &watching{desk: d, target: t, points: points, send: send, shown: map[string]time.Time{}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reading := make(chan struct{})
	go func() { // ends with ctx, and is waited for
		defer close(reading)
		d.keepReading(ctx, t, quiet)
	}()
	defer func() { <-reading }()
	defer cancel()
	err = d.Hub.Watch(ctx, func() error { return w.begin(ctx, found) }, w.change)
	if isOver(ctx, err) {
		return nil // so it was asked to
	}
	return err
}

// keepReading reads points that nobody polls.
func (d *Desk) keepReading(ctx context.Context, t target, keys []string) {
	if len(keys) == 0 {
		return
	}
	tick := time.NewTicker(cmp.Or(t.config.Intervals[profile.Now], 2*time.Second))
	defer tick.Stop()
	for {
		for _, key := range keys {
			d.Hub.Call(ctx, host.Call{Action: host.ActionRead, ID: t.ID() + "_" + key}) // the hub tells of it
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// watching is one watch.
type watching struct {
	desk   *Desk
	target target
	points map[string]profile.Point
	send   func(control.Change) error
	shown  map[string]time.Time // when the reading was made that was sent at first
}

// begin sends the values of now.
func (w *watching) begin(ctx context.Context, found []item) error {
	all, err := w.desk.snapshot(ctx, w.target)
	if err != nil {
		return err
	}
	for _, one := range found {
		if _, known := all.Readings[one.point.Key]; !known {
			continue
		}
		v := valueFrom(w.target, *one.point, all.Readings)
		w.shown[v.Key] = v.ReadAt
		if err := w.send(control.Change{Time: v.ReadAt, New: v}); err != nil {
			return err
		}
	}
	return nil
}

// change sends what has changed, if it is watched.
func (w *watching) change(c hub.Change) error {
	if c.Device != w.target.Name() {
		return nil
	}
	if c.Key == "" {
		return w.send(control.Change{Time: c.At, Lost: c.Lost, About: cmp.Or(c.Away, "it answers"),
			New: control.Value{Device: c.Device, Value: encoded(nil)}})
	}
	p, ok := w.points[c.Key]
	if !ok || !c.New.ReadAt.After(w.shown[c.Key]) {
		return nil
	}
	sent := control.Change{Time: c.At, Lost: c.Lost, New: empty(w.target, p)}
	fill(&sent.New, p, c.New)
	if !c.First {
		old := empty(w.target, p)
		fill(&old, p, c.Old)
		sent.Old = &old
	}
	return w.send(sent)
}
