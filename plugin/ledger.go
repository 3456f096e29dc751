package plugin

import (
	"errors"
	"fmt"
	"os"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/control"
	"solarhub/plugin/hub"
	"solarhub/plugin/operate"
)

// Ledger returns the set-values that the cache keeps, of one device by its name or id or of all: the newest last.
// SolarHub must not run meanwhile: *cache.LockedError.
func Ledger(cfg config.Config, device string, log zerolog.Logger) ([]control.Entry, error) {
	if _, err := os.Stat(cfg.Data); err != nil {
		return nil, fmt.Errorf("nothing is kept in %s: is that the folder of the SolarHub that runs? %w", cfg.Data, err)
	}
	store, _, err := cache.Open(cfg.Data, log)
	if err != nil {
		return nil, err
	}
	remembered, _ := hub.Recall(store) // what cannot be understood is as if it were not there
	names := map[string]string{}
	for _, l := range cfg.Lines {
		for _, d := range l.Devices {
			if who, _, ok := remembered.Known(placeKey(l, d), d.Profile.ID); ok {
				names[who.ID()] = d.Name
			}
		}
	}
	all, err := operate.Entries(remembered.Ledger(), names, device)
	return all, errors.Join(err, store.Close())
}
