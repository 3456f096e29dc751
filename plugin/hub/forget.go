package hub

import (
	"context"
	"errors"
	"strings"
	"time"

	"solarhub/devices"
)

// Forget drops what is known of a device: whoever answers in its place is taken for new, and shown to the host though
// the owner had deleted it. It returns the id that was known; empty: none. The error is that of ctx or of a hub that
// has ended.
func (h *Hub) Forget(ctx context.Context, d *devices.Device) (id string, err error) {
	if !h.do(ctx, func(s *state) { id = s.forget(d, time.Now()) }) {
		return "", errors.Join(errors.New("the hub does not answer"), ctx.Err())
	}
	return id, nil
}

// forget is what Forget of a cache does, while the device is polled.
func (s *state) forget(d *devices.Device, now time.Time) (id string) {
	u := s.memberOf(d)
	if u == nil {
		return ""
	}
	if id = d.ID(); id == "" {
		return ""
	}
	s.remember(u)
	for key := range s.memory.keysOf(id) {
		s.pending[key] = nil
	}
	s.memory.forget(id)
	again := []string{id}
	for deleted := range s.deleted {
		if strings.HasPrefix(deleted, id+"/") {
			again = append(again, deleted)
		}
	}
	for _, one := range again {
		s.deleted[one], s.pending[deletedPrefix+one] = askedAgain, encode(askedAgain)
	}
	clear(u.values)
	u.known, u.serial = nil, ""
	d.Forget()
	u.status = d.Status() // so that the same device is a change, too
	s.hub.log.Info().Str("device", d.Name()).Str("id", id).
		Msg("Forgotten: whoever answers in its place is taken for a new device")
	s.describe(now)
	s.enable(now)
	return id
}
