package plugin

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"

	"solarhub/plugin/host"
)

// removeLeft has the host remove the devices that are no longer in the configuration, as soon as there is a session.
func (p *Plugin) removeLeft(ctx context.Context) error {
	var ids []string
	select {
	case ids = <-p.leaving:
	case <-ctx.Done():
		return nil
	}
	remove := func() (int, error) {
		n, err := p.client.Remove(ctx, ids)
		if refused, ok := errors.AsType[*host.CommandError](err); ok && refused.Code != host.RefusedStaleSession {
			return n, backoff.Permanent(err)
		}
		return n, err
	}
	_, err := backoff.Retry(ctx, remove,
		backoff.WithBackOff(backoff.NewConstantBackOff(5*time.Second)), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		p.hub.Left(ctx, ids)
	case ctx.Err() == nil:
		p.deps.Log.Warn().Err(err).Strs("devices", ids).
			Msg("Home Assistant does not remove devices that are no longer in the configuration: delete them there")
	}
	<-ctx.Done()
	return nil
}
