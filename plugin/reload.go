package plugin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/plugin/host"
)

// A running plugin takes over a changed configuration. The unit of change is the line: one on which anything differs is
// stopped in order and started anew, its devices go on with what is known of them, and calls to them wait meanwhile.
// Nothing else is interrupted.

// reload is a configuration that Run is to take over.
type reload struct {
	config config.Config
	done   chan reloaded // has room for the one answer
}

type reloaded struct {
	what config.Differences
	err  error
}

// holdWithin is how long a reload waits for the calls that have begun: a write with its read-back takes a second or
// two, and one to a device that is away fails within this.
const holdWithin = 10 * time.Second

// errNotRunning: there is nobody to take over a configuration.
var errNotRunning = errors.New("SolarHub is stopping: the changed configuration counts with its next start")

// Reload reads the configuration anew and takes over what differs, and returns that. After an error nothing has
// changed. Errors: all that is wrong with a file; what takes a restart; a line that another process uses; that the
// plugin stops; the end of ctx before the turn of this call. A call before Run waits for it, and several are carried
// out one after the other. The log says what came of it.
func (p *Plugin) Reload(ctx context.Context) (what config.Differences, err error) {
	if p.deps.Load == nil {
		return what, errors.New("there is no file that could be read again")
	}
	cfg, err := p.deps.Load()
	if err == nil {
		what, err = p.takeOver(ctx, cfg)
	}
	log := p.deps.Log
	switch {
	case ctx.Err() != nil:
	case err != nil:
		for line := range strings.Lines(err.Error()) {
			log.Error().Msg(strings.TrimSpace(line))
		}
		log.Error().Msg("The changed configuration is not taken over: nothing has changed")
	case what.None():
		log.Info().Msg("The configuration has not changed")
	default:
		log.Info().Strs("changed", what.Sentences()).Msg("The changed configuration is in force")
	}
	return what, err
}

// takeOver has Run take over a configuration.
func (p *Plugin) takeOver(ctx context.Context, cfg config.Config) (config.Differences, error) {
	r := reload{config: cfg, done: make(chan reloaded, 1)}
	select {
	case p.reloads <- r:
	case <-p.ended:
		return config.Differences{}, errNotRunning
	case <-ctx.Done():
		return config.Differences{}, ctx.Err()
	}
	got := <-r.done
	return got.what, got.err
}

// take takes over a configuration.
func (w *work) take(ctx context.Context, cfg config.Config) (what config.Differences, err error) {
	none := config.Differences{}
	if what, err = config.Compare(w.config, cfg); err != nil || what.None() {
		return none, err
	}
	client, err := w.plugin.newClient(cfg)
	if err != nil {
		return none, err
	}
	if _, err := w.locks.Take(cfg.Endpoints()...); err != nil {
		return none, lineTaken(err)
	}
	if err := w.exchange(ctx, cfg, what); err != nil {
		return none, err
	}
	w.config = cfg
	w.show()
	if err := w.letGo(cfg.Endpoints()); err != nil {
		w.plugin.deps.Log.Warn().Err(err).Msg("The lock of a line that is gone cannot be given up")
	}
	if len(what.Host) > 0 {
		err = w.reconnect(client)
	}
	return what, err
}

// exchange stops the lines that differ, and starts those of the new configuration in their place. Its error ends the
// run, or is that of a run that ends.
func (w *work) exchange(ctx context.Context, cfg config.Config, what config.Differences) error {
	var gone, lines, fresh []*line
	kept := map[string]*line{}
	for _, l := range w.lines {
		if name := l.Config.String(); what.Touches(name) {
			gone = append(gone, l)
		} else {
			kept[name] = l
		}
	}
	within, cancel := context.WithTimeout(ctx, holdWithin)
	defer cancel()
	defer w.plugin.hub.Hold(within, devicesOf(gone))()
	if ctx.Err() != nil {
		return errNotRunning
	}
	if err := stopAll(pollsOf(gone), busesOf(gone)); err != nil {
		return w.fail(err)
	}
	known, ok := w.plugin.hub.Memory(context.Background())
	if !ok {
		return errNotRunning // the hub has failed, and that ends the run
	}
	for _, c := range cfg.Lines {
		l := kept[c.String()]
		if l == nil {
			l = w.maker().line(c, known)
			fresh = append(fresh, l)
		}
		lines = append(lines, l)
	}
	w.plugin.hub.Arrange(placesOf(lines))
	for _, l := range fresh {
		l.start(w.failed)
	}
	w.lines = lines
	return nil
}

// fail ends the run, because a part of it did not stop.
func (w *work) fail(err error) error {
	select {
	case w.failed <- err:
	default: // another part has failed already
	}
	return err
}

// letGo releases the locks of all lines but those at the endpoints.
func (w *work) letGo(but []string) error {
	held := slices.DeleteFunc(slices.Collect(maps.Keys(w.locks)), func(endpoint string) bool {
		return slices.Contains(but, endpoint)
	})
	return w.locks.Release(held...)
}

// reconnect has another client take the place of the one that runs. It goes on with the notices that wait.
func (w *work) reconnect(client *host.Client) error {
	if err := stopAll([]*stage{w.client}); err != nil {
		return w.fail(err)
	}
	before := w.plugin.client.Swap(client)
	for _, n := range before.Waiting() {
		client.Notify(n)
	}
	w.connect()
	return nil
}

func devicesOf(lines []*line) (all []*devices.Device) {
	for _, l := range lines {
		all = append(all, l.Devices...)
	}
	return all
}
