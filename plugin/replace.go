package plugin

import (
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/plugin/cache"
	"solarhub/plugin/config"
	"solarhub/plugin/hub"
)

// Replace has the device with a serial number take the place of the one with a device id, at the next start: it goes on
// with its id, its entities and their history. SolarHub must not run meanwhile: *cache.LockedError.
func Replace(cfg config.Config, id, serial string, log zerolog.Logger) error {
	if err := profile.CheckDeviceID(serial); err != nil {
		return fmt.Errorf("%q cannot be a serial number: %w", serial, err)
	}
	store, _, err := cache.Open(cfg.Data, log)
	if locked, ok := errors.AsType[*cache.LockedError](err); ok {
		return fmt.Errorf("SolarHub runs: confirm in Home Assistant, under Settings, System, Repairs, that the device "+
			"was replaced, or stop SolarHub first: %w", locked)
	}
	if err != nil {
		return err
	}
	err = hub.Replace(store, id, serial, func(place, traits string) []profile.Point {
		for _, l := range cfg.Lines {
			for _, d := range l.Devices {
				if placeKey(l, d) == place {
					points, _ := d.Profile.ResolveNamed(traits)
					return points
				}
			}
		}
		return nil
	})
	return errors.Join(err, store.Close())
}
