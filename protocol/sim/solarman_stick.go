package sim

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"sync"
	"time"
)

// Stick is a Solarman stick between its clients and an inverter. The zero value is one with the serial number 0.
type Stick struct {
	Serial uint32
	Banner bool // each connection begins with the name of the firmware
	Plain  bool // it speaks Modbus TCP on its port, and takes the frames of a stick for that
	// Odd is the share of answers, 0 to 1, beside which something else travels: one before, one behind and a checksum
	// over the checksum are drawn for each.
	Odd  float64
	Seed uint64 // of what is drawn
	// Silent is how long behind a request the stick says that its inverter does not answer, which is 2.03 s on a real
	// one (davidrapan/ha-solarman #46). 0: it says nothing.
	Silent time.Duration
}

// Solarman is the framing of a stick. All connections that are served with it are connections to the same stick, which
// sends each answer to all of them (davidrapan/ha-solarman #715).
func Solarman(k Stick) Framing {
	random := rand.New(rand.NewPCG(k.Seed, uint64(k.Serial)))
	s := &stick{Stick: k, random: random, client: byte(random.Uint32()), open: map[*stickConn]struct{}{}}
	if k.Plain {
		return stickFraming{TCP, s}
	}
	manners := manners{name: "solarman", numbered: true, checked: true, serial: true, envelope: aroundV5 + beforeRTU}
	return stickFraming{v5Framing{manners, s}, s}
}

// stickFraming is what goes over the connections to a stick.
type stickFraming struct {
	Framing
	stick *stick
}

func (f stickFraming) over(stream io.ReadWriteCloser) io.ReadWriteCloser {
	c := &stickConn{ReadWriteCloser: stream, stick: f.stick, writing: make(chan struct{}, 1)}
	f.stick.mu.Lock()
	defer f.stick.mu.Unlock()
	f.stick.open[c] = struct{}{}
	return c
}

func (f stickFraming) unanswered(req frame) delivery {
	if f.stick.Silent == 0 || f.stick.Plain {
		return delivery{}
	}
	f.stick.mu.Lock()
	defer f.stick.mu.Unlock()
	return delivery{delay: f.stick.Silent, parts: [][]byte{f.stick.answer(byte(req.transaction), []byte{silentV5, 0})}}
}

// stick is what the connections share.
type stick struct {
	Stick
	mu      sync.Mutex
	random  *rand.Rand
	counter byte // of the frames it has sent to anybody: the high byte of the sequence
	client  byte // the sequence of another client, which counts up
	open    map[*stickConn]struct{}
}

// timesV5 are the ages and the clock in an answer: working time, time since power on, offset.
var timesV5 = []byte{0xB6, 0xA6, 0x0F, 0x00, 0x1B, 0x27, 0x00, 0x00, 0x53, 0x76, 0x07, 0x63}

// oddly draws whether something is odd. The lock is held.
func (s *stick) oddly() bool { return s.Odd > 0 && s.random.Float64() < s.Odd }

// frame makes a frame of the stick. The lock is held.
func (s *stick) frame(code uint16, sequence byte, payload ...[]byte) []byte {
	s.counter++
	data := bytes.Join(payload, nil)
	b := binary.LittleEndian.AppendUint16([]byte{0xA5}, uint16(len(data)))
	b = binary.LittleEndian.AppendUint16(b, code)
	b = append(b, sequence, s.counter)
	b = binary.LittleEndian.AppendUint32(b, s.Serial)
	b = append(b, data...)
	return append(b, sumV5(b), 0x15)
}

// answer makes the answer to a request: an RTU frame, or one of the stick's codes. The lock is held.
func (s *stick) answer(sequence byte, rest []byte) []byte {
	return s.frame(answerV5, sequence, []byte{2, 1}, timesV5, rest)
}

// another is what no request of this client has asked for: a heartbeat, or an answer to the cloud, which has the
// sequence 0 (jmccrohan/pysolarmanv5 #107), or to another client, which asks for its own registers. The lock is held.
func (s *stick) another() []byte {
	theirs := RTU.encode(frame{unit: 1, pdu: []byte{4, 4, 1, 2, 3, 4}})
	switch s.random.IntN(3) {
	case 0:
		return s.frame(beatV5, s.client, []byte{0})
	case 1:
		return s.answer(0, theirs)
	}
	s.client++
	return s.answer(s.client, theirs)
}

// stickConn is a connection at the stick's end. What is for the stick itself is answered here.
type stickConn struct {
	io.ReadWriteCloser
	stick *stick
	begun bool
	in    []byte // what came in and is not yet looked at
	on    []byte // what is for the inverter

	writing chan struct{} // has room for who writes; waiting for it is waiting as any, for testing/synctest, too
}

// firmware is what some sticks begin with. Source: StephanJoubert/home_assistant_solarman #367.
const firmware = "AT+YZCMPVER=MW3_16U_5406_2.27\r\n\r\n"

// Read returns what is for the inverter.
func (c *stickConn) Read(b []byte) (int, error) {
	if !c.begun && c.stick.Banner {
		_, _ = c.send([]byte(firmware)) // who has gone is told by what follows
	}
	c.begun = true
	for len(c.on) == 0 {
		more := make([]byte, 512)
		n, err := c.ReadWriteCloser.Read(more)
		c.in = append(c.in, more[:n]...)
		c.sort()
		if err != nil && len(c.on) == 0 {
			return 0, err
		}
	}
	n := copy(b, c.on)
	c.on = c.on[n:]
	return n, nil
}

// sort hands on what is for the inverter, and what is none of a stick's frames; part of one is kept.
func (c *stickConn) sort() {
	for len(c.in) > 0 {
		v, size, whole := cutV5(c.in)
		if size > 0 && !whole {
			return
		}
		size = max(size, 1)
		if whole {
			c.forStick(v, c.in[:size])
		} else {
			c.on = append(c.on, c.in[0])
		}
		c.in = c.in[size:]
	}
}

func (c *stickConn) forStick(v v5, whole []byte) {
	s := c.stick
	switch {
	case s.Plain:
		// It takes the length for a transaction id and the first byte of the serial number for a function.
		// Source: jmccrohan/pysolarmanv5 #5.
		refusal := append(bytes.Clone(whole[:5]), 3, whole[6], whole[7]|0x80, 2)
		_, _ = c.send(refusal)
	case v.code != requestV5: // what clients say to a heartbeat
	case v.serial != s.Serial:
		s.mu.Lock()
		b := s.answer(v.sequence, []byte{otherV5, 0})
		s.mu.Unlock()
		_, _ = c.Write(b)
	default:
		c.on = append(c.on, whole...)
	}
}

// Write sends an answer to all clients.
func (c *stickConn) Write(b []byte) (int, error) {
	if !c.stick.Plain {
		for _, other := range c.stick.others(c) {
			other.alsoWrite(b)
		}
	}
	return c.send(b)
}

// send sends to this client alone.
func (c *stickConn) send(b []byte) (int, error) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	return c.ReadWriteCloser.Write(b)
}

// alsoWrite sends what another client has asked for. On a pipe it is lost if nobody reads.
func (c *stickConn) alsoWrite(b []byte) {
	c.writing <- struct{}{}
	defer func() { <-c.writing }()
	if c.SetWriteDeadline(time.Now().Add(10*time.Millisecond)) == nil {
		_, _ = c.ReadWriteCloser.Write(b) // it may have gone
		_ = c.SetWriteDeadline(time.Time{})
	}
}

func (s *stick) others(c *stickConn) (all []*stickConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for o := range s.open {
		if o != c {
			all = append(all, o)
		}
	}
	return all
}

// Close is for both ends.
func (c *stickConn) Close() error {
	c.stick.mu.Lock()
	delete(c.stick.open, c)
	c.stick.mu.Unlock()
	return c.ReadWriteCloser.Close()
}

// SetWriteDeadline and SetLinger are those of a socket, if it is one.
func (c *stickConn) SetWriteDeadline(t time.Time) error {
	if s, ok := c.ReadWriteCloser.(interface{ SetWriteDeadline(time.Time) error }); ok {
		return s.SetWriteDeadline(t)
	}
	return nil
}

func (c *stickConn) SetLinger(sec int) error {
	if s, ok := c.ReadWriteCloser.(lingerer); ok {
		return s.SetLinger(sec)
	}
	return nil
}
