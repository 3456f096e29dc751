package protocol

import "sync/atomic"

// Frames counts what came in on a link and answered nothing, since the link was made.
type Frames struct {
	Damaged  uint64 // replies to a request of ours with a wrong checksum
	Late     uint64 // replies that an earlier request had given up waiting for, or may have
	Repeated uint64 // replies that came again
	Foreign  uint64 // frames of other units or transactions, and those of no known request
	Noise    uint64 // single bytes that belong to no frame
}

// frameCounter counts on the goroutine of a link and is read by others.
type frameCounter struct {
	damaged, late, repeated, foreign, noise atomic.Uint64
}

func (c *frameCounter) snapshot() Frames {
	return Frames{
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
