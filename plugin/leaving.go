package plugin

import (
	"context"
	"errors"
	"time"

	"solarhub/plugin/host"
)

// removeEvery is the pause between two tries to have the host remove devices.
const removeEvery = 5 * time.Second

// leave notes which devices have left the configuration. The hub's goroutine alone calls it; a newer list replaces one
// that removeLeft has not taken.
func (p *Plugin) leave(ids []string) {
	select {
	case <-p.leaving:
	default:
	}
	p.leaving <- ids
}

// removeLeft has the host remove the devices that are no longer in the configuration, as soon as there is a session.
func (p *Plugin) removeLeft(ctx context.Context) error {
	var ids []string
	for {
		var again <-chan time.Time
		if len(ids) > 0 && !p.removed(ctx, ids) {
			again = time.After(removeEvery)
		}
		select {
		case ids = <-p.leaving:
		case <-again:
		case <-ctx.Done():
			return nil
		}
	}
}

// removed has the host remove devices; false if that is to be tried again.
func (p *Plugin) removed(ctx context.Context, ids []string) bool {
	_, err := p.client.Load().Remove(ctx, ids)
	refused, ok := errors.AsType[*host.CommandError](err)
	switch {
	case err == nil:
		p.hub.Left(ctx, ids)
	case ok && refused.Code != host.RefusedStaleSession:
		p.deps.Log.Warn().Err(err).Strs("devices", ids).
			Msg("Home Assistant does not remove devices that are no longer in the configuration: delete them there")
	default:
		return false
	}
	return true
}
