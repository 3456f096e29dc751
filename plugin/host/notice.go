package host

import (
	"context"
	"errors"
	"slices"
)

// maxNotices bounds the notices that wait for a session: one for each entity, and no more than a person reads.
const maxNotices = 64

// Notify has the host told of something, in this session or the next. It does not wait. Of one kind and entity only the newest
// is kept while it cannot be told, and of more than maxNotices the newest.
func (c *Client) Notify(n Notice) {
	n.Wanted, n.Found = Value(n.Wanted), Value(n.Found)
	c.mu.Lock()
	c.notices = append(slices.DeleteFunc(c.notices, n.isOf), n)
	c.notices = c.notices[max(0, len(c.notices)-maxNotices):]
	c.mu.Unlock()
	select {
	case c.noticed <- struct{}{}:
	default:
	}
}

// isOf reports whether both tell of the same thing.
func (n Notice) isOf(other Notice) bool { return n.Kind == other.Kind && n.ID == other.ID }

// notify tells what waits. A companion that knows no notices is no fault: the log has told of them.
func (v *conversation) notify(ctx context.Context) error {
	for {
		n, ok := v.client.nextNotice()
		if !ok {
			return nil
		}
		err := v.session.Do(ctx, CommandNotice, NoticeFrame{Session: v.hello.Session, Notice: n}, nil)
		refused, ok := errors.AsType[*CommandError](err)
		switch {
		case ok && (refused.Code == RefusedUnknownCommand || refused.Code == RefusedInvalidFormat):
			v.client.options.Log.Debug().Err(err).Str("id", n.ID).Msg("The host takes no such notice")
		case err != nil:
			v.client.keep(n)
			return err
		}
	}
}

// keep puts a notice back for the next session, unless a newer one waits.
func (c *Client) keep(n Notice) {
	c.mu.Lock()
	newer := slices.ContainsFunc(c.notices, n.isOf)
	c.mu.Unlock()
	if !newer {
		c.Notify(n)
	}
}

func (c *Client) nextNotice() (n Notice, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.notices) == 0 {
		return Notice{}, false
	}
	n, c.notices = c.notices[0], c.notices[1:]
	return n, true
}
