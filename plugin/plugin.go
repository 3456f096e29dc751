// Package plugin is SolarHub as a host sees it: it builds lines and devices from a configuration, keeps what they
// report, and carries the host's calls to them.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/host"
	"solarhub/plugin/hub"
	"solarhub/plugin/lock"
)

// Deps is what a Plugin is given beside its configuration.
type Deps struct {
	Log     zerolog.Logger
	Version string // of the plugin, from its manifest

	// Observer is told of each exchange on a line, on the goroutine that owns the line: it must be quick. Optional.
	Observer func(Exchange)

	// What tests replace of the way to the host; see host.Options.
	MaxWait    time.Duration
	HTTPClient *http.Client
	Clock      host.Clock
}

// Plugin is SolarHub: the lines of a configuration, their devices, and the connection to the host. It is run once.
type Plugin struct {
	config config.Config
	deps   Deps
	hub    *hub.Hub
	client *host.Client

	leaving chan []string           // devices that the host is to remove; asked once in a run
	lines   atomic.Pointer[[]*line] // nil before and after Run
}

// New makes a plugin of a configuration. Nothing is opened or started before Run. The error names what is missing.
func New(cfg config.Config, deps Deps) (*Plugin, error) {
	p := &Plugin{config: cfg, deps: deps, leaving: make(chan []string, 1)}
	outbox := host.NewOutbox()
	p.hub = hub.New(outbox, hub.Asks{Redescribe: func() { p.client.Redescribe() },
		Remove: func(ids []string) { p.leaving <- ids },
		Notify: func(n host.Notice) { p.client.Notify(n) }}, deps.Log)
	var err error
	p.client, err = host.New(host.Options{
		Address: cfg.Host.URL, Token: cfg.Host.Token, Insecure: cfg.Host.Insecure,
		PluginVersion: deps.Version, Installation: cfg.Name, Plugin: p.hub, Outbox: outbox,
		Removed: p.hub.Deleted, StillDeleted: p.hub.StillDeleted, Diagnostics: p.diagnostics,
		MaxWait: deps.MaxWait, HTTPClient: deps.HTTPClient, Clock: deps.Clock, Log: deps.Log,
	})
	if err != nil {
		return nil, err
	}
	if len(cfg.Lines) == 0 {
		return nil, errors.New("there are no lines")
	}
	return p, nil
}

// Run opens the cache, starts everything and keeps it running until ctx ends; then it ends everything in order and
// returns nil. Errors: a line or a cache that another process uses, or a part that failed or did not stop. A cache that
// cannot be used is no error: until it can, nothing is kept over a restart.
func (p *Plugin) Run(ctx context.Context) (err error) {
	log := p.deps.Log
	release, err := lock.Lines(p.config.Endpoints()...)
	if err != nil {
		return fmt.Errorf("another process asks the devices of a line already: stop it, or take the line out of one "+
			"configuration: %w", err)
	}
	defer func() { err = errors.Join(err, release()) }()
	store, damage, err := cache.Open(p.config.Data, log)
	if err != nil {
		return err
	}
	tellDamage(damage, log)
	remembered, odd := hub.Recall(store)
	if odd != nil {
		log.Warn().Err(odd).Msg("Records of the cache cannot be understood and are left out")
	}
	lines, m := []*line{}, maker{p.config.Name, p.hub, p.deps.Observer, log}
	for _, c := range p.config.Lines {
		lines = append(lines, m.line(c, remembered))
	}
	p.lines.Store(&lines)
	defer p.lines.Store(nil)

	failed := make(chan error, 1)
	places := placesOf(lines)
	values, client := newStage("hub", failed), newStage("host", failed)
	values.run(func(ctx context.Context) error { return p.hub.Run(ctx, places, remembered, store) })
	for _, l := range lines {
		l.start(failed)
	}
	client.run(p.client.Run)
	client.run(p.removeLeft)
	log.Info().Str("name", p.config.Name).Int("lines", len(lines)).Int("devices", len(places)).Msg("SolarHub runs")

	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	// The host's calls come to their ends and it is told, the polls stop, the hub saves what is known, the lines close.
	if late := stopAll([]*stage{client}, pollsOf(lines), []*stage{values}, busesOf(lines)); late != nil {
		return errors.Join(err, late) // the cache may still be in use; left open, it loses nothing
	}
	return errors.Join(err, store.Close())
}

// tellDamage says what of the cache could not be read.
func tellDamage(damage *cache.Damage, log zerolog.Logger) {
	switch {
	case damage == nil:
	case damage.Aside == "":
		log.Warn().Err(damage.Err).
			Msg("The end of the cache could not be read: the last changes before this start are missing")
	default:
		log.Error().Err(damage.Err).Str("set_aside", damage.Aside).
			Msg("The cache is damaged and set aside: last values and learnt facts behind the damage are missing")
	}
}
