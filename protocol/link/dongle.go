package link

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"solarhub/protocol"
)

// dongle is a stream of RTU frames through a dongle of a maker's own, which has frames of its own around what it asks
// an inverter. They say which registers they are about, so what another client or the cloud has asked for ends here,
// unless it is for the same registers. Such a frame is no worse than ours; whether it is in time is told by its shape,
// as on an RTU line.
type dongle struct {
	conn   *peekConn
	by     envelope
	frames *frameCounter // of the link
	trace  func(sent bool, frame []byte)
	asked  []asked // what may still be answered, the newest last
	in     []byte  // what came in and is not yet a whole frame; it lies in buf
	buf    [4096]byte
}

// envelope is what a kind of dongle has around requests and replies. It does no I/O.
type envelope interface {
	// wrap returns the frame of a request, which is given as an RTU frame.
	wrap(rtu []byte) []byte
	// size returns the length of the frame that b begins with. It is 0 if none does, and above len(b) if more bytes are
	// needed, perhaps only to tell.
	size(b []byte) int
	// open returns what a whole frame says. The error means that nothing will come of this connection.
	open(frame []byte) (told, error)
	// unheard returns why a request got no answer that was sent within the timeout, nil if there is nothing to add.
	unheard() error
}

// told is what a dongle's frame says.
type told struct {
	back     []byte // is to be sent back, as a sign of life
	damaged  bool   // the checksum is wrong
	reply    asked  // the request that it answers, with the count of registers that came; no function: it answers none
	units    bool   // reply.unit is known
	function byte   // of the reply, with the error bit
	data     []byte // of the reply, as an RTU frame has it behind the function
}

// asked is a request as its reply repeats it.
type asked struct {
	unit     byte // of the request; the reply of some dongles does not repeat it
	function byte
	addr     uint16
	count    uint16 // of FC 5 and 6 the value
	at       time.Time
}

// askedIn returns the request in an RTU frame.
func askedIn(rtu []byte) asked {
	return asked{rtu[0], rtu[1], binary.BigEndian.Uint16(rtu[2:]), binary.BigEndian.Uint16(rtu[4:]), time.Now()}
}

// throughDongle lets a link speak through a dongle: d with the connection that is made.
func (l *RTULink) throughDongle(address string, d dongle, by DialFunc, timeout time.Duration) {
	timeout = cmp.Or(timeout, DefaultDialTimeout)
	d.frames = &l.frames
	l.dial = func(ctx context.Context) (stream, error) {
		conn, err := dial(ctx, by, address, timeout)
		if err != nil {
			return nil, err
		}
		one := d
		one.conn = newPeekConn(conn)
		return &one, nil
	}
	l.closing.may, l.pace = true, new(pace)
}

func (d *dongle) SetDeadline(t time.Time) error { return d.conn.SetDeadline(t) }

func (d *dongle) Close() error { return d.conn.Close() }

// Write sends a request.
func (d *dongle) Write(rtu []byte) (int, error) {
	d.asked = slices.DeleteFunc(d.asked, func(a asked) bool { return time.Since(a.at) > pendingFor })
	if len(d.asked) == maxPending {
		d.asked = d.asked[1:]
	}
	d.asked = append(d.asked, askedIn(rtu))
	frame := d.by.wrap(rtu)
	d.traced(true, frame)
	n, err := d.conn.Write(frame)
	return min(n, len(rtu)), err
}

// Read returns the next reply to a request of ours.
func (d *dongle) Read(b []byte) (int, error) {
	for {
		if n, err := d.next(b); n > 0 || err != nil {
			return n, err
		}
		n, err := d.conn.Read(d.space())
		d.in = d.buf[:len(d.in)+n]
		if n == 0 && err != nil {
			if why := d.by.unheard(); isTimeout(err) && why != nil {
				return 0, why
			}
			return 0, err
		}
	}
}

// readAvailable does it with what has come in already.
func (d *dongle) readAvailable(b []byte) (int, error) {
	for range maxStale {
		if n, err := d.next(b); n > 0 || err != nil {
			return n, err
		}
		n, gone := d.conn.readAvailable(d.space())
		if gone {
			return 0, protocol.ErrHungUp
		}
		d.in = d.buf[:len(d.in)+n]
		if n == 0 {
			return 0, nil
		}
	}
	return 0, errors.New("it sends without end")
}

// space is where the next bytes go, behind what is kept.
func (d *dongle) space() []byte {
	d.in = d.buf[:copy(d.buf[:], d.in)]
	return d.buf[len(d.in):]
}

// next copies the next reply in what came in to b as an RTU frame, and returns 0 if there is none.
func (d *dongle) next(b []byte) (int, error) {
	for len(d.in) > 0 {
		size := d.by.size(d.in)
		switch {
		case size > len(d.in):
			return 0, nil
		case size == 0:
			d.frames.noise.Add(1)
			d.in = d.in[1:]
			continue
		}
		frame := d.in[:size]
		d.traced(false, frame)
		says, err := d.by.open(frame)
		switch {
		case err != nil:
			return 0, err
		case says.damaged:
			d.frames.damaged.Add(1)
			d.in = d.in[1:] // its length may be what is damaged
			continue
		}
		d.in = d.in[size:]
		if len(says.back) > 0 {
			if _, err := d.conn.Write(says.back); err != nil {
				return 0, err
			}
		}
		if rtu := d.answer(says); rtu != nil {
			return copy(b, rtu), nil
		}
	}
	return 0, nil
}

// answer returns the RTU frame of a reply to one of our requests, nil if it answers none of them. Whether it may come
// from the unit that it names, and may have as many registers as it has, is left to the link, if it is about those that
// the request in flight begins with.
func (d *dongle) answer(says told) []byte {
	if says.reply.function == 0 || len(d.asked) == 0 {
		return nil
	}
	at := slices.IndexFunc(d.asked, says.answers)
	last := d.asked[len(d.asked)-1]
	switch {
	case at >= 0:
		last = d.asked[at]
		d.asked = slices.Delete(d.asked, at, at+1)
	case !says.begins(last):
		d.frames.foreign.Add(1)
		return nil
	}
	unit := last.unit
	if says.units {
		unit = says.reply.unit
	}
	rtu := append([]byte{unit, says.function}, says.data...)
	return binary.LittleEndian.AppendUint16(rtu, crc16(rtu))
}

// begins reports whether a frame is about the registers that a request begins with.
func (t told) begins(a asked) bool { return a.function == t.reply.function && a.addr == t.reply.addr }

// answers reports whether a frame is the reply to a request. A refusal says nothing of the count.
func (t told) answers(a asked) bool {
	return t.begins(a) && (t.function&0x80 != 0 || a.count == t.reply.count) && (!t.units || a.unit == t.reply.unit)
}

func (d *dongle) traced(sent bool, frame []byte) {
	if d.trace != nil {
		d.trace(sent, frame)
	}
}

// registers returns the data of a reply to a read: the byte count and the registers.
func registers(values []byte) []byte { return append([]byte{byte(len(values))}, values...) }

// unknownCode is the exception code of a refusal that has none: 0, which is none of the standard's.
const unknownCode = 0
