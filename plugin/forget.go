package plugin

import (
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/hub"
)

// Forget drops what the cache remembers of a device, which is found by its name in the configuration: the next start
// takes whoever answers there for new, and shows it to the host though the owner had deleted it. It returns the id that
// was remembered; empty: none. SolarHub must not run meanwhile: *cache.LockedError.
func Forget(cfg config.Config, name string, log zerolog.Logger) (id string, err error) {
	l, d, err := cfg.Device(name)
	if err != nil {
		return "", err
	}
	store, _, err := cache.Open(cfg.Data, log)
	if err != nil {
		return "", fmt.Errorf("forget %s: %w", d.Name, err)
	}
	id, err = hub.Forget(store, placeKey(l, d))
	return id, errors.Join(err, store.Close())
}
