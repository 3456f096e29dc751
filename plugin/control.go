package plugin

import (
	"context"
	"net"
	"time"

	"solarhub/plugin/control"
	"solarhub/plugin/doctor"
	"solarhub/plugin/operate"
)

// Commands reach a plugin that runs on its control socket, and the plugin that they run themselves by Control.

// newDesk makes what carries out what is asked.
func (p *Plugin) newDesk() *operate.Desk {
	return &operate.Desk{Hub: p.hub, Lines: p.runningLines, Version: p.deps.Version, Alone: p.deps.Alone,
		Since: time.UnixMilli(p.started), Reload: p.reloadAsked(), Name: func() string { return p.config.Name }}
}

// reloadAsked returns how whoever asks has the configuration read anew; nil: it cannot be.
func (p *Plugin) reloadAsked() func(ctx context.Context) ([]string, error) {
	if p.deps.Load == nil {
		return nil
	}
	return func(ctx context.Context) ([]string, error) {
		what, err := p.Reload(ctx)
		return what.Sentences(), err
	}
}

// runningLines returns the lines that run now; nil before and after Run.
func (p *Plugin) runningLines() (all []doctor.Line) {
	now := p.now.Load()
	if now == nil {
		return nil
	}
	for _, l := range now.lines {
		all = append(all, l.Line)
	}
	return all
}

// Control asks this plugin as others do on its control socket. What is asked before Run waits for it.
func (p *Plugin) Control() *control.Client { return p.own }

// serveControl serves whoever asks until ctx ends. A socket that cannot be opened costs no more than the commands that
// need it.
func (p *Plugin) serveControl(ctx context.Context) error {
	listeners := []net.Listener{p.local}
	if socket, err := p.deps.Listen(p.config.Data); err != nil {
		p.deps.Log.Warn().Err(err).Msg("Commands such as read and write cannot reach this SolarHub")
	} else {
		listeners = append(listeners, socket)
	}
	if err := control.Serve(ctx, p.desk.Operations(), listeners...); err != nil {
		p.deps.Log.Error().Err(err).Msg("Commands such as read and write cannot reach this SolarHub any more")
	}
	<-ctx.Done()
	return nil
}
