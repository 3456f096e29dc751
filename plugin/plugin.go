// Package plugin is SolarHub as a host sees it: it builds lines and devices from a configuration, keeps what they
// report, and carries the host's calls to them.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/hub"
	"solarhub/plugin/lock"
	"solarhub/plugin/operate"
)

// Deps is what a Plugin is given beside its configuration.
type Deps struct {
	Log     zerolog.Logger
	Version string // of the plugin, from its manifest

	// Load reads the configuration anew, for Reload. Optional.
	Load func() (config.Config, error)

	// Observer is told of each exchange on a line, on the goroutine that owns the line: it must be quick. Optional.
	Observer func(Exchange)

	// Alone: there is no host. A command has the lines for a while.
	Alone bool

	// What tests replace of the way to the host; see host.Options.
	MaxWait    time.Duration
	HTTPClient *http.Client
	Clock      host.Clock

	// Listen opens the control socket of a data folder. Defaults to control.Listen; tests on virtual time have none,
	// because the clock stands still while anything waits for a socket.
	Listen func(data string) (net.Listener, error)
}

// Plugin is SolarHub: the lines of a configuration, their devices, and the connection to the host. It is run once.
type Plugin struct {
	config  config.Config // at the start
	deps    Deps
	hub     *hub.Hub
	outbox  *host.Outbox
	started int64 // milliseconds since 1970
	client  atomic.Pointer[host.Client]

	leaving chan []string           // the newest list of devices that the host is to remove
	now     atomic.Pointer[running] // nil before and after Run
	reloads chan reload             // to Run
	ended   chan struct{}           // closed when Run takes no more of them

	desk  *operate.Desk
	local *control.Local
	own   *control.Client // of local
}

// New makes a plugin of a configuration. Nothing is opened or started before Run. The error names what is missing.
func New(cfg config.Config, deps Deps) (*Plugin, error) {
	p := &Plugin{config: cfg, deps: deps, outbox: host.NewOutbox(), started: time.Now().UnixMilli(),
		leaving: make(chan []string, 1), reloads: make(chan reload), ended: make(chan struct{})}
	if deps.Listen == nil {
		p.deps.Listen = control.Listen
	}
	p.local, p.own = control.NewLocal()
	if deps.Alone {
		p.hub = hub.New(p.outbox, hub.Asks{Redescribe: func() {}, Notify: func(host.Notice) {}}, deps.Log)
		p.desk = p.newDesk()
		return p, nil
	}
	p.hub = hub.New(p.outbox, hub.Asks{Redescribe: func() { p.client.Load().Redescribe() },
		Remove: p.leave,
		Notify: func(n host.Notice) { p.client.Load().Notify(n) }}, deps.Log)
	client, err := p.newClient(cfg)
	if err != nil {
		return nil, err
	}
	p.client.Store(client)
	p.desk = p.newDesk()
	return p, nil
}

// newClient makes the client for the host of a configuration.
func (p *Plugin) newClient(cfg config.Config) (*host.Client, error) {
	client, err := host.New(host.Options{
		Address: cfg.Host.URL, Token: cfg.Host.Token, Insecure: cfg.Host.Insecure,
		PluginVersion: p.deps.Version, Installation: cfg.Name, Epoch: p.started, Plugin: p.hub, Outbox: p.outbox,
		Removed: p.hub.Deleted, StillDeleted: p.hub.StillDeleted, Diagnostics: p.diagnostics,
		MaxWait: p.deps.MaxWait, HTTPClient: p.deps.HTTPClient, Clock: p.deps.Clock, Log: p.deps.Log,
	})
	if err == nil && len(cfg.Lines) == 0 {
		err = errors.New("there are no lines")
	}
	return client, err
}

// Run opens the cache, starts everything and keeps it running until ctx ends; then it ends everything in order and
// returns nil. Errors: a line or a cache that another process uses, or a part that failed or did not stop. A cache that
// cannot be used is no error: until it can, nothing is kept over a restart.
func (p *Plugin) Run(ctx context.Context) (err error) {
	defer close(p.ended)
	log := p.deps.Log
	locks := lock.Set{}
	if _, err := locks.Take(p.config.Endpoints()...); err != nil {
		return lineTaken(err)
	}
	defer func() { err = errors.Join(err, locks.Release(slices.Collect(maps.Keys(locks))...)) }()
	store, damage, err := cache.Open(p.config.Data, log)
	if err != nil {
		return err
	}
	tellDamage(damage, log)
	remembered, odd := hub.Recall(store)
	if odd != nil {
		log.Warn().Err(odd).Msg("Records of the cache cannot be understood and are left out")
	}
	w := p.begin(locks, remembered, store)
	defer p.now.Store(nil)
	err = w.wait(ctx)
	if late := w.stop(); late != nil {
		return errors.Join(err, late) // the cache may still be in use; left open, it loses nothing
	}
	return errors.Join(err, store.Close())
}

func lineTaken(err error) error {
	return fmt.Errorf("another process asks the devices of a line already: stop it, or take the line out of one "+
		"configuration: %w", err)
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
