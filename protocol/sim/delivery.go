package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"solarhub/protocol"
)

// delivery is how the reply to one request goes out: pure data, played by a connection.
type delivery struct {
	delay  time.Duration // on top of the turnaround
	parts  [][]byte      // each a burst; t3.5 lies between two on a serial line
	pause  time.Duration // between two parts, on top of that
	drip   time.Duration // before each byte; 0: as fast as the line is
	ending ending        // what becomes of the connection
}

// ending is what becomes of a connection behind an exchange.
type ending uint8

const (
	stays ending = iota
	closes
	resets
)

// deliver plans the delivery of a reply under a fault, nil for none. answer carries the request out and returns the
// reply; faults that keep the request from the unit do not call it.
func deliver(framing Framing, req frame, f *Fault, random *rand.Rand, answer func() []byte) delivery {
	if f == nil {
		f = &Fault{}
	}
	switch f.Kind {
	case Drop:
		return delivery{}
	case Exception:
		return delivery{delay: f.Delay, parts: [][]byte{framing.encode(req.reply(exception(req.pdu[0], f.Code)))}}
	case OtherBaud:
		return delivery{delay: f.Delay, parts: [][]byte{f.noise(random, 1+random.IntN(12))}}
	case Raw:
		return f.raw(framing, req, answer())
	}
	pdu := answer()
	if pdu == nil {
		return delivery{}
	}
	reply := req.reply(pdu)
	d := f.frameFault(framing, req, reply, random)
	f.byteFault(&d, random)
	f.lineFault(&d)
	return d
}

func right(adu []byte) delivery { return delivery{parts: [][]byte{adu}} }

// reply is the frame that answers a request with pdu.
func (r frame) reply(pdu []byte) frame {
	return frame{transaction: r.transaction, unit: r.unit, pdu: pdu, asked: r.adu}
}

// frameFault plans what is wrong inside frames that are sound.
func (f *Fault) frameFault(framing Framing, req, reply frame, random *rand.Rand) delivery {
	switch f.Kind {
	case WrongUnit:
		reply.unit++
	case NoUnit:
		reply.unit = 255
	case WrongTransaction:
		reply.transaction++
	case WrongLength:
		reply.pdu = shorter(reply.pdu)
	case WrongCount:
		reply.pdu = miscounted(reply.pdu)
	case Foreign:
		other := reply
		other.transaction--
		other.unit++
		return delivery{parts: [][]byte{framing.encode(other), framing.encode(reply)}}
	}
	adu := framing.encode(reply)
	if f.Kind == Corrupted {
		framing.kind().damage(adu, random)
	}
	return right(adu)
}

// byteFault replaces or adds bytes.
func (f *Fault) byteFault(d *delivery, random *rand.Rand) {
	adu := d.parts[len(d.parts)-1]
	switch f.Kind {
	case Truncated:
		size := f.Size
		if size <= 0 {
			size = len(adu) / 2
		}
		d.parts = [][]byte{adu[:min(size, len(adu))]}
	case Stray:
		d.parts = [][]byte{append(f.noise(random, 3), adu...)}
	case Garbage:
		d.parts = [][]byte{f.noise(random, len(adu))}
	}
}

// lineFault changes when bytes come and whether the connection stays.
func (f *Fault) lineFault(d *delivery) {
	d.delay = f.Delay
	switch f.Kind {
	case ReplyLost:
		d.parts = nil
	case Drip:
		d.delay, d.drip = 0, f.Delay
	case HangUp:
		adu := d.parts[0]
		d.delay, d.parts, d.ending = 0, [][]byte{adu[:len(adu)/2]}, resets
	case CloseBefore:
		d.delay, d.parts, d.ending = 0, nil, closes
	case CloseAfter:
		d.delay, d.ending = 0, closes
	}
}

// noise returns the fault's bytes, or random ones.
func (f *Fault) noise(random *rand.Rand, size int) []byte {
	if f.Bytes != nil {
		return slices.Clone(f.Bytes)
	}
	if f.Size > 0 {
		size = f.Size
	}
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

// shorter takes a register from a reply and keeps its byte count true.
func shorter(pdu []byte) []byte {
	if len(pdu) < 4 {
		return pdu
	}
	pdu = slices.Clone(pdu[:len(pdu)-2])
	if kinds[pdu[0]].op == protocol.Read {
		pdu[1] = byte(len(pdu) - 2)
	}
	return pdu
}

// miscounted makes a reply's byte count too large by two, or a write's echo another one.
func miscounted(pdu []byte) []byte {
	pdu = slices.Clone(pdu)
	if len(pdu) < 3 {
		return pdu
	}
	if kinds[pdu[0]].op == protocol.Read {
		pdu[1] += 2
	} else {
		pdu[len(pdu)-1] ^= 1
	}
	return pdu
}
