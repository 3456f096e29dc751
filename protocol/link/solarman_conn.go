package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"solarhub/protocol"
)

// solarmanConn is a connection to a stick: it takes and gives ADUs of Modbus TCP, and what travels are the stick's
// frames. What answers nobody, or somebody else, ends here.
type solarmanConn struct {
	conn    *peekConn
	stick   *solarman
	adu     []byte // of the request in flight
	request []byte // the frame that it went out in
	in      []byte // what came in and is not yet a whole frame; it lies in buf
	buf     [4096]byte
}

func (c *solarmanConn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// Close ends the connection so that the stick is rid of it: sticks have few sockets and hang when these are used up
// (StephanJoubert/home_assistant_solarman #523, jmccrohan/pysolarmanv5 #75). Where bytes have come that nobody has
// read, Close alone would reset it.
func (c *solarmanConn) Close() error {
	c.stick.closed = time.Now()
	if s, ok := c.conn.stream.(interface{ CloseWrite() error }); ok {
		_ = s.CloseWrite() // Close says it too
	}
	return c.conn.Close()
}

// Write sends an ADU of Modbus TCP.
func (c *solarmanConn) Write(adu []byte) (int, error) {
	c.adu = append(c.adu[:0], adu...)
	n, err := c.send()
	return min(n, len(adu)), err
}

// send sends the request in flight, under a sequence of its own.
func (c *solarmanConn) send() (int, error) {
	s := c.stick
	if s.plain {
		c.request = c.adu
	} else {
		rtu := append([]byte(nil), c.adu[mbapHeader-1:]...)
		rtu = binary.LittleEndian.AppendUint16(rtu, crc16(rtu))
		c.request = solarmanRequest(s.sequences.next([2]byte(c.adu), time.Now()), s.serial, rtu)
	}
	s.trace(true, c.request)
	return c.conn.Write(c.request)
}

// Read returns the next ADU that answers a request of ours, or a noReply for the one in flight.
func (c *solarmanConn) Read(b []byte) (int, error) {
	for {
		n, err := c.answer(b)
		if n > 0 || err != nil {
			return n, err
		}
		n, err = c.conn.Read(c.space())
		c.in = c.buf[:len(c.in)+n]
		if n == 0 && err != nil {
			return 0, c.stick.ended(err)
		}
		if c.refusedAsModbusTCP() {
			c.stick.trace(false, c.in)
			c.in = nil
			c.stick.plain = true
			c.stick.condition.plain.Store(true)
			if _, err := c.send(); err != nil {
				return 0, err
			}
		}
	}
}

// readAvailable does it with what has come in already. What a stick says of earlier requests is of no interest now.
func (c *solarmanConn) readAvailable(b []byte) (int, error) {
	for range maxStale {
		if n, _ := c.answer(b); n > 0 {
			return n, nil
		}
		n, gone := c.conn.readAvailable(c.space())
		if gone {
			return 0, protocol.ErrHungUp
		}
		c.in = c.buf[:len(c.in)+n]
		if n == 0 {
			return 0, nil
		}
	}
	return 0, errors.New("it sends without end")
}

// space is where the next bytes go, behind what is kept.
func (c *solarmanConn) space() []byte {
	c.in = c.buf[:copy(c.buf[:], c.in)]
	return c.buf[len(c.in):]
}

// answer copies the next ADU in what came in to b, and returns 0 if there is none.
func (c *solarmanConn) answer(b []byte) (int, error) {
	if c.stick.plain {
		n := copy(b, c.in)
		if c.in = c.in[n:]; n > 0 {
			c.stick.trace(false, b[:n])
		}
		return n, nil
	}
	for {
		f, ok := c.next()
		if !ok {
			return 0, nil
		}
		if n, err := c.take(f, b); n > 0 || err != nil {
			return n, err
		}
	}
}

// next takes the next sound frame out of what came in. What may be the beginning of one is kept.
func (c *solarmanConn) next() (f solarmanFrame, ok bool) {
	held := -1
	for at := range c.in {
		f, size, looks := parseSolarman(c.in[at:])
		switch {
		case looks == whole:
			c.skip(at)
			c.stick.trace(false, c.in[:size])
			c.in = c.in[size:]
			return f, true
		case looks == damaged && f.isAnswer() && c.stick.sequences.sent[f.sequence].owed:
			c.stick.frames.damaged.Add(1)
		case looks == partial && held < 0:
			held = at
		}
	}
	if held < 0 {
		held = len(c.in)
	}
	c.skip(held)
	return f, false
}

// skip drops bytes that belong to no frame, as the name of its firmware with which a micro inverter's stick begins
// (StephanJoubert/home_assistant_solarman #367).
func (c *solarmanConn) skip(n int) {
	if n > 0 {
		c.stick.frames.noise.Add(uint64(n))
		c.stick.trace(false, c.in[:n])
		c.in = c.in[n:]
	}
}

// take puts the ADU in a frame into b. It is an error if the frame says that the request in flight gets none, and 0 if
// it is of no use: the stick's heartbeat, an answer to the cloud or to another client.
func (c *solarmanConn) take(f solarmanFrame, b []byte) (int, error) {
	s := c.stick
	if s.serial == 0 {
		s.serial = f.serial
	}
	if !f.isAnswer() {
		return 0, nil
	}
	e := &s.sequences.sent[f.sequence]
	rtu, code := f.modbus()
	switch {
	case !e.owed:
		s.sequences.others(f.sequence, s.frames)
		return 0, nil
	case f.serial != s.serial && code != solarmanSerial:
		s.frames.foreign.Add(1)
		return 0, nil
	}
	e.owed = false
	if adu := soundRTU(rtu); adu != nil {
		return copy(b, mbapOf(e.transaction, adu)), nil
	}
	if rtu != nil {
		s.frames.damaged.Add(1)
	}
	if f.sequence != s.sequences.last {
		return 0, nil
	}
	return 0, c.without(rtu != nil, code, f.serial)
}

// without says why the request in flight has no reply. Where it was the serial number, and nobody has given it, the
// request goes out once more with the right one.
func (c *solarmanConn) without(damaged bool, code uint16, serial uint32) error {
	s, asked := c.stick, binary.LittleEndian.Uint32(c.request[7:])
	switch {
	case damaged:
		return noReply{fmt.Errorf("%w but one with a wrong checksum", protocol.ErrTimeout)}
	case code == solarmanSilent:
		return noReply{fmt.Errorf("%w from the inverter, says the stick", protocol.ErrTimeout)}
	case code == solarmanSerial && s.cfg.Serial != 0 && serial != s.cfg.Serial:
		return protocol.LoggerError{Is: serial, Asked: s.cfg.Serial}
	case code == solarmanSerial && serial != asked:
		s.serial = serial
		_, err := c.send()
		return err
	}
	return noReply{fmt.Errorf("%w, only code %d of the stick", protocol.ErrTimeout, code)}
}

// mbapOf makes an ADU of Modbus TCP of an RTU frame.
func mbapOf(transaction [2]byte, rtu []byte) []byte {
	n := len(rtu) - 2
	b := append(transaction[:], 0, 0, byte(n>>8), byte(n))
	return append(b, rtu[:n]...)
}

// refusedAsModbusTCP reports whether what came in is how a stick that speaks Modbus TCP answers a frame: it takes the
// length for a transaction id, the control code for a protocol id and the serial number's first byte for a function.
// Such are many LSE-3 and DLS-L, and some LSW-3 (jmccrohan/pysolarmanv5 #5, davidrapan/ha-solarman #21, #262,
// StephanJoubert/home_assistant_solarman #247).
func (c *solarmanConn) refusedAsModbusTCP() bool {
	b, r := c.in, c.request
	return !c.stick.plain && len(b) == mbapHead && len(r) > mbapHead && [5]byte(b) == [5]byte(r) && b[5] == 3 &&
		b[7]&0x80 != 0 && b[8] != 0
}

func (s *solarman) trace(sent bool, frame []byte) {
	if s.cfg.Trace != nil {
		s.cfg.Trace(sent, frame)
	}
}
