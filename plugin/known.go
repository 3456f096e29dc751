package plugin

import (
	"errors"
	"os"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/hub"
)

// WithKnown fills in which devices were at the places of the configuration when SolarHub ran last, as the cache
// remembers them: so it shows when another one answers. What was learnt of them is left out. A cache that is not there,
// or that a running SolarHub has, remembers nothing.
func WithKnown(cfg config.Config, log zerolog.Logger) (config.Config, error) {
	if _, err := os.Stat(cfg.Data); err != nil {
		return cfg, nil // a first look at a line makes no folder
	}
	store, _, err := cache.Open(cfg.Data, log)
	if _, locked := errors.AsType[*cache.LockedError](err); locked {
		return cfg, nil
	}
	if err != nil {
		return cfg, err
	}
	remembered, _ := hub.Recall(store) // what cannot be understood is as if it were not there
	for _, l := range cfg.Lines {
		for i, d := range l.Devices {
			if who, _, ok := remembered.Known(placeKey(l, d), d.Profile.ID); ok {
				l.Devices[i].Known = &who
			}
			l.Devices[i].Replaced = remembered.Replaced()
		}
	}
	return cfg, store.Close()
}
