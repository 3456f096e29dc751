package link

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"solarhub/protocol"
)

// SolarmanConfig is a link through a Solarman stick. Only Address is needed.
type SolarmanConfig struct {
	Address string // host:port; the sticks' port is 8899
	// Serial is the number on the stick's label; what answers with another one is an error. 0: it is learnt from what
	// the stick sends.
	Serial      uint32
	Name        string        // what errors call the link. Defaults to Address
	Timeout     time.Duration // of a reply, where Pace has none. Defaults to DefaultSolarmanTimeout
	Gap         time.Duration // as in TCPConfig. The stick may be given more: see pace.go
	DialTimeout time.Duration // of opening the connection. Defaults to DefaultDialTimeout
	Quirks      protocol.Quirks
	Dial        DialFunc // makes the connection. Defaults to net.Dialer
	Never       map[protocol.UnitID][]protocol.Range
	Trace       func(sent bool, frame []byte) // as in TCPConfig, with what is around the ADUs
}

// DefaultSolarmanTimeout leaves a stick the time to say that its inverter is silent, which it does after 2.05 s
// (davidrapan/ha-solarman #46), and the cloud's poll before ours.
const DefaultSolarmanTimeout = 5 * time.Second

// NewSolarman returns a closed link. To the units behind a stick it is a Modbus TCP link whose ADUs travel in frames of
// the stick: a transaction id there is a sequence here. A stick that turns out to speak Modbus TCP itself is spoken to
// so; LinkCondition.Plain says it then.
func NewSolarman(cfg SolarmanConfig) *TCPLink {
	l, _ := newSolarman(cfg)
	return l
}

func newSolarman(cfg SolarmanConfig) (*TCPLink, *solarman) {
	l := NewTCP(TCPConfig{Address: cfg.Address, Name: cfg.Name, Gap: cfg.Gap, DialTimeout: cfg.DialTimeout,
		Timeout: cmp.Or(cfg.Timeout, DefaultSolarmanTimeout), Quirks: cfg.Quirks, Never: cfg.Never})
	s := &solarman{cfg: cfg, serial: cfg.Serial, discover: Discover, frames: &l.frames, condition: &l.condition}
	s.sequences.last = byte(rand.Uint32())
	l.pace = new(pace)
	l.dial = func(ctx context.Context) (stream, error) { return s.dial(ctx, l.cfg.DialTimeout) }
	return l, s
}

// solarman is what a link knows of its stick, whatever the connection.
type solarman struct {
	cfg       SolarmanConfig
	serial    uint32 // 0 while it is not known
	sequences sequences
	plain     bool      // it speaks Modbus TCP
	mute      bool      // it has not answered a request without its serial number
	closed    time.Time // the last connection
	discover  func(ctx context.Context, addresses ...string) ([]Found, error)
	frames    *frameCounter
	condition *condition
}

// betweenSolarmans lies between the end of a connection and the next. Source: davidrapan/ha-solarman.
const betweenSolarmans = 200 * time.Millisecond

// dial opens a connection.
func (s *solarman) dial(ctx context.Context, timeout time.Duration) (stream, error) {
	if err := waitUntil(ctx, s.closed.Add(betweenSolarmans), time.Sleep); err != nil {
		return nil, err
	}
	conn, err := dial(ctx, s.cfg.Dial, s.cfg.Address, timeout)
	if err != nil {
		return nil, err
	}
	c := &solarmanConn{conn: newPeekConn(conn), stick: s}
	if s.serial == 0 && s.mute && !s.plain {
		if err := s.find(ctx); err != nil {
			c.Close()
			return nil, err
		}
	}
	return c, nil
}

// ended says why nothing came. A connection to a stick that may want to hear its serial number is of no more use.
func (s *solarman) ended(err error) error {
	if s.serial != 0 || s.plain || !isTimeout(err) {
		return err
	}
	s.mute = true
	return fmt.Errorf("%w to a request without the stick's serial number", protocol.ErrTimeout)
}

// find asks a stick for its serial number that answers nobody who does not know it.
func (s *solarman) find(ctx context.Context) error {
	host, _, err := net.SplitHostPort(s.cfg.Address)
	if err != nil {
		return err
	}
	found, err := s.discover(ctx, host)
	for _, f := range found {
		s.serial = cmp.Or(s.serial, f.Serial)
	}
	switch {
	case s.serial != 0:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	return protocol.LoggerError{}
}

// sequences are the numbers of requests to a stick, which has one byte for them. They outlive a connection: a stick
// sends each answer to all that are open.
type sequences struct {
	last  byte // of the newest request
	heard byte // of the last answer to another client
	sent  [256]struct {
		transaction [2]byte // of the request
		at          time.Time
		owed        bool // it is not answered
	}
}

const (
	// sequenceStep lies between the sequences of two requests, as transactionStep does between ids: all are used in
	// turn, and neighbours in time are none in number.
	sequenceStep = 159
	// clearOfOthers is how far ahead of another client's last sequence none of ours is taken. Others count up by one,
	// and an answer to one that has our sequence and asks for as many registers could not be told from ours.
	clearOfOthers = 32
)

// next returns the sequence of a request that goes out now. 0 is that of the cloud's own polls, whose answers come to
// all clients (jmccrohan/pysolarmanv5 #107). One whose answer may still come is left out; if that is true of all, the
// oldest is taken.
func (q *sequences) next(transaction [2]byte, now time.Time) byte {
	q.last += sequenceStep
	for range q.sent {
		e := q.sent[q.last]
		if q.last != 0 && q.last-q.heard-1 >= clearOfOthers && !(e.owed && now.Sub(e.at) < pendingFor) {
			break
		}
		q.last += sequenceStep
	}
	e := &q.sent[q.last]
	e.transaction, e.at, e.owed = transaction, now, true
	return q.last
}

// others notes an answer to somebody else. Those to the cloud come from every stick and are not counted.
func (q *sequences) others(sequence byte, frames *frameCounter) {
	if sequence != 0 {
		q.heard = sequence
		frames.foreign.Add(1)
	}
}
