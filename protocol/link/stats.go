package link

import (
	"sync/atomic"
	"time"

	"solarhub/protocol"
)

// frameCounter counts on the goroutine of a link and is read by others.
type frameCounter struct {
	damaged, late, foreign, noise atomic.Uint64
}

func (c *frameCounter) snapshot() protocol.Frames {
	return protocol.Frames{
		Damaged: c.damaged.Load(), Late: c.late.Load(), Foreign: c.foreign.Load(), Noise: c.noise.Load(),
	}
}

// skip counts a frame that does not answer the request in flight.
func (c *frameCounter) skip(kind replyKind) {
	if kind == late {
		c.late.Add(1)
	} else {
		c.foreign.Add(1)
	}
}

// condition is a protocol.LinkCondition that the goroutine of a link writes and others read.
type condition struct {
	gap, latest                         atomic.Int64
	echoes, transactions, units, closes atomic.Bool
	plain                               atomic.Bool
	unit                                atomic.Uint32
	latencyTimer                        atomic.Pointer[string]
	port                                atomic.Pointer[foundPort]
}

func (c *condition) snapshot() protocol.LinkCondition {
	s := protocol.LinkCondition{
		Gap: time.Duration(c.gap.Load()), Latest: time.Duration(c.latest.Load()),
		Echoes: c.echoes.Load(), Transactions: c.transactions.Load(), Units: c.units.Load(), Closes: c.closes.Load(),
		Plain:  c.plain.Load(),
		UnitID: protocol.UnitID(c.unit.Load()),
	}
	if timer := c.latencyTimer.Load(); timer != nil {
		s.LatencyTimer = *timer
	}
	if port := c.port.Load(); port != nil {
		s.Lasting = port.lasting
		if port.moved {
			s.Moved = port.path
		}
	}
	return s
}

// late notes how long after its request a reply came in.
func (c *condition) late(after time.Duration) {
	c.latest.Store(max(c.latest.Load(), int64(after)))
}

// foundPort is where the port of a line was found at its last opening.
type foundPort struct {
	path    string
	moved   bool // it is not the path that was given
	lasting string
}
