package hub

import (
	"strings"
	"sync"
	"time"
)

// A device or part that the owner deletes in the host stays deleted, through restarts of both, until it is asked for
// again: until its entry in the configuration changes, or `solarhub forget` names it. Meanwhile it is neither described
// to the host nor polled.

// deletedPrefix begins the key of a deleted device or part; its id follows. The value is the entry of the configuration
// at that time.
const deletedPrefix = "deleted/"

// deletions are the ids that the host has told and Run has not taken yet.
type deletions struct {
	mu   sync.Mutex
	ids  []string
	wake chan struct{}
}

// Deleted takes that the owner has deleted devices or parts in the host. It does not wait.
func (h *Hub) Deleted(ids []string) {
	h.deletions.mu.Lock()
	h.deletions.ids = append(h.deletions.ids, ids...)
	h.deletions.mu.Unlock()
	select {
	case h.deletions.wake <- struct{}{}:
	default:
	}
}

func (d *deletions) take() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := d.ids
	d.ids = nil
	return ids
}

// delete remembers what the owner has deleted. A device that is away is forgotten too: its place is free for whoever
// answers there, as after an inverter was replaced.
func (s *state) delete(ids []string, now time.Time) {
	changed := false
	for _, id := range ids {
		root, _, part := strings.Cut(id, "/")
		for _, u := range s.members {
			if u.device.ID() != root {
				continue
			}
			if _, known := s.deleted[id]; !known {
				s.deleted[id], s.pending[deletedPrefix+id] = u.entry, encode(u.entry)
				changed = true
				s.hub.log.Warn().Str("device", u.device.Name()).Str("id",
					id).Msg("Deleted in Home Assistant: it stays so until its " +
					"entry in the configuration changes, or `solarhub forget` names it")
			}
			if !part && u.asked && !u.status.Online {
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
	if ok && entry != u.entry {
		delete(s.deleted, id)
		s.pending[deletedPrefix+id] = nil
		return false
	}
	return ok
}
