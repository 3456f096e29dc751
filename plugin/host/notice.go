package host

import (
	"context"
	"errors"
	"slices"
)

// maxNotices is how many notices may wait for a session: no more than a person reads.
const maxNotices = 64

// Notify sends a notice, in this session or the next. It does not wait. While notices cannot be sent, the newest of
// each kind and entity is kept, at most maxNotices in all.
func (c *Client) Notify(n Notice) {
	n.Wanted, n.Found = Value(n.Wanted), Value(n.Found)
	c.mu.Lock()
	c.notices = append(slices.DeleteFunc(c.notices, n.sameSubject), n)
	c.notices = c.notices[max(0, len(c.notices)-maxNotices):]
	c.mu.Unlock()
	select {
	case c.noticed <- struct{}{}:
	default:
	}
}

// sameSubject reports whether both have the same kind and entity.
func (n Notice) sameSubject(other Notice) bool { return n.Kind == other.Kind && n.ID == other.ID }

// Waiting returns the notices that wait for a session, oldest first.
func (c *Client) Waiting() []Notice {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.notices)
}

// sendNotices sends the notices that wait. A companion that does not know the command is no fault: the log has them.
func (v *conversation) sendNotices(ctx context.Context) error {
	for {
		n, ok := v.client.nextNotice()
		if !ok {
			return nil
		}
		err := v.session.Do(ctx, CommandNotice, NoticeFrame{Session: v.hello.Session, Notice: n}, nil)
		refused, ok := errors.AsType[*CommandError](err)
		switch {
		case ok && (refused.Code == RefusedUnknownCommand || refused.Code == RefusedInvalidFormat):
			v.client.options.Log.Debug().Err(err).Str("id", n.ID).Msg("The host does not know this kind of notice")
		case err != nil:
			v.client.keepNotice(n)
			return err
		}
	}
}

// keepNotice puts a notice back for the next session, unless a newer one of the same subject waits.
func (c *Client) keepNotice(n Notice) {
	c.mu.Lock()
	newer := slices.ContainsFunc(c.notices, n.sameSubject)
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
