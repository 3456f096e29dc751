package plugin

import (
	"fmt"

	"solarhub/plugin/cache"
	"solarhub/plugin/config"
)

// Owner returns the id of the process that runs with the data folder of a configuration. The error says that none does,
// and where it was looked for.
func Owner(cfg config.Config) (pid int, err error) {
	if pid = cache.Owner(cfg.Data); pid == 0 {
		return 0, fmt.Errorf("no SolarHub runs with the data folder %s: start it with `solarhub run`. If you have "+
			"changed data:, stop the one that runs and start it again; a systemd service has a folder of its own, "+
			"which STATE_DIRECTORY names", cfg.Data)
	}
	return pid, nil
}
