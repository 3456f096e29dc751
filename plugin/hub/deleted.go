package hub

import (
	"context"
	"strings"
	"sync"
	"time"

	"solarhub/devices"
)

// A device or part that the owner deletes in the host stays deleted, through restarts of both, until it is asked for
// again: until its entry in the configuration changes, or `solarhub forget` names it. Meanwhile it is neither described
// to the host nor polled.

// deletedPrefix begins the key of a deleted device or part; its id follows. The value is the entry of the configuration
// at that time.
const deletedPrefix = "deleted/"

// askedAgain is the value when the owner has asked for the device again. What the host says of older deletions no
// longer counts.
const askedAgain = "asked for again"

// deletions hold what the host has reported and Run has not taken yet.
type deletions struct {
	mu   sync.Mutex
	all  []deletion
	wake chan struct{}
}

type deletion struct {
	id  string
	now bool // the owner deletes it now; else it is known that he did, some time before
}

// Deleted is called when the owner deletes devices or parts in the host. It does not wait.
func (h *Hub) Deleted(ids []string) { h.deletions.add(ids, true) }

// StillDeleted is called with the devices or parts that the owner deleted some time ago. It does not wait.
func (h *Hub) StillDeleted(ids []string) { h.deletions.add(ids, false) }

func (d *deletions) add(ids []string, now bool) {
	d.mu.Lock()
	for _, id := range ids {
		d.all = append(d.all, deletion{id, now})
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *deletions) take() []deletion {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.all
	d.all = nil
	return all
}

// delete remembers what the owner has deleted. A device that is away is forgotten too: its place is free for whoever
// answers there, as after an inverter was replaced.
func (s *state) delete(all []deletion, now time.Time) {
	changed := false
	for _, one := range all {
		root, _, part := strings.Cut(one.id, "/")
		for _, u := range s.members {
			if u.device.ID() != root && (u.device.ID() != "" || u.pendingID != root) {
				continue
			}
			if entry, known := s.deleted[one.id]; !known || one.now && entry != u.entry {
				s.deleted[one.id], s.pending[deletedPrefix+one.id] = u.entry, encode(u.entry)
				changed = true
				s.hub.log.Warn().Str("device", u.device.Name()).Str("id", one.id).
					Msg("Deleted in Home Assistant: it stays so until its entry in the configuration changes, or " +
						"`solarhub forget` names it")
			}
			if !part && u.asked && !u.status.Online && s.isDeleted(u, one.id) {
				u.device.Forget()
			}
		}
	}
	if changed {
		s.describe(now)
	}
}

// isDeleted reports whether the owner has deleted a device or part, and has not asked for it again since.
func (s *state) isDeleted(u *member, id string) bool {
	entry, ok := s.deleted[id]
	if ok && entry != u.entry && entry != askedAgain {
		s.deleted[id], s.pending[deletedPrefix+id] = askedAgain, encode(askedAgain)
		return false
	}
	return ok && entry != askedAgain
}

// IsDeleted reports whether the owner has deleted the device in the host, and has not asked for it again since.
func (h *Hub) IsDeleted(ctx context.Context, d *devices.Device) (yes bool) {
	h.do(ctx, func(s *state) {
		u := s.memberOf(d)
		yes = u != nil && d.ID() != "" && s.isDeleted(u, d.ID())
	})
	return yes
}
