package link

import (
	"context"
	"time"
)

// Some servers close each connection behind a reply, or behind a few, as the standard allows
// (alejoseb/Modbus-STM32-HAL-FreeRTOS #28). Such a link opens one connection after the other by itself and counts them
// as one: what answers is believed to be the same device for sameFor, and less where the address could not be reached
// meanwhile. To exchange a device takes longer than that, and takes its address away.
const (
	closesWithin = 30 * time.Second // of its opening a connection is closed by a server of this kind
	closesTwice  = 2                // connections in a row tell one
	sameFor      = 5 * time.Minute  // as the slowest poll: a device is identified no more often than it is read
)

// closing is what a link knows of the ends of its connections.
type closing struct {
	may     bool      // the other end is a server
	opened  time.Time // the connection
	replies int       // on it
	limit   int       // replies behind which the last one was closed
	early   int       // connections in a row that were closed by the other end
	since   time.Time // when the first connection of those that count as one was opened; zero: the next is another one
}

// learnt reports whether the other end closes its connections by itself.
func (c *closing) learnt() bool { return c.early >= closesTwice }

// hungUp notes that the other end has closed the connection.
func (c *closing) hungUp() {
	if c.may && c.replies > 0 && time.Since(c.opened) < closesWithin {
		c.early, c.limit = c.early+1, c.replies
	} else {
		c.early = 0
	}
}

// replied notes a reply and reports whether the connection is of no more use. The first of those that count as one is
// left to the other end: it may close them no longer.
func (c *closing) replied() bool {
	if c.replies++; c.replies > c.limit {
		c.early = 0
	}
	return c.learnt() && c.replies == c.limit && c.opened != c.since
}

// connect opens the line.
func (l *line) connect(ctx context.Context) error {
	s, err := l.dial(ctx)
	if err != nil {
		l.closing.since = time.Time{}
		return l.fail("open", err)
	}
	if p, ok := s.(interface{ sleep(time.Duration) }); ok {
		l.sleep = p.sleep
	}
	c, now := &l.closing, time.Now()
	if !c.learnt() || now.Sub(c.since) >= sameFor {
		l.connection++
		c.since = now
	}
	c.opened, c.replies = now, 0
	l.condition.closes.Store(c.learnt())
	l.conn, l.looked, l.free = newPeekConn(s), now, now.Add(l.delay)
	return nil
}

// reconnect opens a line anew that the other end has closed as it always does.
func (l *line) reconnect(ctx context.Context) error {
	if l.conn != nil || !l.closing.learnt() {
		return nil
	}
	if err := l.connect(ctx); err != nil {
		return err
	}
	return l.Ready(ctx)
}
