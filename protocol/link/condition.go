package link

import (
	"sync/atomic"
	"time"

	"solarhub/protocol"
)

// condition is a LinkCondition that the goroutine of a link writes and others read.
type condition struct {
	gap, latest                 atomic.Int64
	echoes, transactions, units atomic.Bool
	latencyTimer                atomic.Pointer[string]
}

func (c *condition) snapshot() protocol.LinkCondition {
	s := protocol.LinkCondition{
		Gap: time.Duration(c.gap.Load()), Latest: time.Duration(c.latest.Load()),
		Echoes: c.echoes.Load(), Transactions: c.transactions.Load(), Units: c.units.Load(),
	}
	if timer := c.latencyTimer.Load(); timer != nil {
		s.LatencyTimer = *timer
	}
	return s
}

// late notes how long after its request a reply came in.
func (c *condition) late(after time.Duration) {
	c.latest.Store(max(c.latest.Load(), int64(after)))
}
