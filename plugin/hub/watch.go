package hub

import (
	"context"
	"time"

	"solarhub/devices"
)

// Change is a reading that differs from the one before, or that a device has come or gone.
type Change struct {
	At     time.Time
	Device string // its name
	Key    string // of the point; empty: it is about the device as a whole
	First  bool   // there was no reading before
	Old    Reading
	New    Reading
	Away   string // of the device: why its values do not count; empty: they do
	Lost   int    // changes before this one that were too many for the watcher
}

// maxWaiting is how many changes a watcher may be behind: those of a device with all its points at once.
const maxWaiting = 1024

// watcher is one that is told of changes.
type watcher struct {
	changes chan Change
	lost    int
}

// Watch hands over every change until ctx or the hub ends, on the goroutine of the caller. One that is too slow loses
// changes, and is told how many. It begins with began, when nothing that comes can be missed any more.
func (h *Hub) Watch(ctx context.Context, began func() error, each func(Change) error) error {
	w := &watcher{changes: make(chan Change, maxWaiting)}
	if !h.do(ctx, func(s *state) { s.watchers[w] = true }) {
		return ctx.Err()
	}
	defer h.do(context.WithoutCancel(ctx), func(s *state) { delete(s.watchers, w) })
	if err := began(); err != nil {
		return err
	}
	for {
		select {
		case c := <-w.changes:
			if err := each(c); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-h.ended:
			return nil
		}
	}
}

// tellWatchers tells of a reading that takes the place of another.
func (s *state) tellWatchers(u *member, before *latest, r devices.Reading) {
	if len(s.watchers) == 0 || before.Value == r.Value && !before.ReadAt.IsZero() {
		return
	}
	s.change(Change{At: r.ReadAt, Device: u.device.Name(), Key: r.Key, First: before.ReadAt.IsZero(),
		Old: Reading{before.Value, before.ReadAt, before.raw, before.cached},
		New: Reading{r.Value, r.ReadAt, r.Raw, false}})
}

// tellAway tells that a device does not answer any more, or does again.
func (s *state) tellAway(u *member, before, now devices.Status) {
	if before.Online != now.Online || before.Reason != now.Reason {
		s.change(Change{At: now.Since, Device: u.device.Name(), Away: now.Reason})
	}
}

func (s *state) change(c Change) {
	for w := range s.watchers {
		c.Lost = w.lost
		select {
		case w.changes <- c:
			w.lost = 0
		default:
			w.lost++
		}
	}
}
