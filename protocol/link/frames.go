package link

import (
	"sync/atomic"

	"solarhub/protocol"
)

// frameCounter counts on the goroutine of a link and is read by others.
type frameCounter struct {
	damaged, late, repeated, foreign, noise atomic.Uint64
}

func (c *frameCounter) snapshot() protocol.Frames {
	return protocol.Frames{
		Damaged: c.damaged.Load(), Late: c.late.Load(), Repeated: c.repeated.Load(), Foreign: c.foreign.Load(), Noise: c.noise.Load(),
	}
}

// skip counts a frame that answers nothing.
func (c *frameCounter) skip(is standing) {
	switch is {
	case late:
		c.late.Add(1)
	case repeated:
		c.repeated.Add(1)
	default:
		c.foreign.Add(1)
	}
}

// maxForeign bounds the frames that answer nothing within one exchange. Loggers and second clients of a gateway send a
// few; a line with more than this is babbling.
const maxForeign = 16
