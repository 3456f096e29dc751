package host

import (
	"context"
	"slices"
)

// register sends the definitions, unless the host has them already. It reports whether it sent them.
func (v *conversation) register(ctx context.Context) (sent bool, err error) {
	log := v.client.options.Log
	definitions := v.client.options.Plugin.Describe()
	frames, err := definitions.frames(v.hello.Session)
	if err != nil {
		return false, err
	}
	hash := frames[0].Hash
	// A host that has the definitions still shows nothing of a device that this session did not name: at the start the
	// hello may go out before the devices are described.
	served := definitions.Served()
	if hash == v.hash && slices.Equal(served, v.served) {
		return false, nil
	}
	var result RegisterResult
	for _, f := range frames {
		result = RegisterResult{}
		if err := v.session.Do(ctx, CommandRegister, f, &result); err != nil {
			return false, v.session.dropRefused(err) // the states of what is registered already are sent all the same
		}
		for _, r := range result.Rejected {
			log.Error().Str("id", r.ID).Str("reason", r.Message).Msg("Home Assistant rejects a definition")
		}
	}
	v.hash, v.served = hash, served
	log.Info().Int("entities", len(definitions.Entities)).Int("created", result.Created).
		Int("updated", result.Updated).Int("removed", result.Removed).Msg("Registered")
	return true, nil
}
