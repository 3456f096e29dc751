package plugin

import (
	"context"

	"solarhub/plugin/config"
	"solarhub/plugin/hub"
	"solarhub/plugin/lock"
)

// work is what Run owns while it runs.
type work struct {
	running
	plugin *Plugin
	locks  lock.Set
	failed chan error // the first failure of a part
	values *stage     // the hub
	client *stage     // of the host; nil: there is none
	asked  *stage     // the control socket
}

// running is what runs at a moment.
type running struct {
	config config.Config
	lines  []*line // in the order of the configuration
}

// begin makes the lines and starts everything.
func (p *Plugin) begin(locks lock.Set, remembered hub.Memory, store hub.Keeper) *work {
	w := &work{plugin: p, running: running{config: p.config}, locks: locks, failed: make(chan error, 1)}
	for _, c := range p.config.Lines {
		w.lines = append(w.lines, w.maker().line(c, remembered))
	}
	w.show()
	w.values = newStage("hub", w.failed)
	places := placesOf(w.lines)
	w.values.run(func(ctx context.Context) error { return p.hub.Run(ctx, places, remembered, store) })
	w.values.run(p.removeLeft)
	for _, l := range w.lines {
		l.start(w.failed)
	}
	w.connect()
	w.asked = newStage("control socket", w.failed)
	w.asked.run(p.serveControl)
	p.deps.Log.Info().Str("name", p.config.Name).Int("lines", len(w.lines)).Int("devices", len(places)).
		Msg("SolarHub runs")
	return w
}

func (w *work) maker() maker {
	return maker{w.config.Name, w.plugin.hub, w.plugin.deps.Observer, w.plugin.deps.Log}
}

// show lets others see what runs now.
func (w *work) show() {
	now := w.running
	w.plugin.now.Store(&now)
}

// connect starts the client.
func (w *work) connect() {
	if w.plugin.deps.Alone {
		return
	}
	w.client = newStage("host", w.failed)
	w.client.run(w.plugin.client.Load().Run)
}

// wait waits until ctx ends, or returns why a part has failed. Meanwhile it takes over changed configurations.
func (w *work) wait(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.failed:
			return err
		case r := <-w.plugin.reloads:
			what, err := w.take(ctx, r.config)
			r.done <- reloaded{what, err}
		}
	}
}

// stop ends everything in order: calls come to their ends and the host is told, the polls stop, the hub saves what is
// known, the lines close.
func (w *work) stop() error {
	callers := []*stage{w.asked}
	if w.client != nil {
		callers = append(callers, w.client)
	}
	return stopAll(callers, pollsOf(w.lines), []*stage{w.values}, busesOf(w.lines))
}
