package sim

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"solarhub/protocol"
)

// Kind is what goes wrong with one exchange.
type Kind string

// The kinds. Unless it says otherwise the request is carried out, and what goes wrong is the reply.
const (
	Drop      Kind = "drop"       // the request never reached the unit: not carried out, no reply
	ReplyLost Kind = "reply-lost" // carried out, no reply: the outcome of a write is unknown to the client
	Late      Kind = "late"       // the right reply, Delay later than it should
	Exception Kind = "exception"  // not carried out, answered with exception Code
	Truncated Kind = "truncated"  // the reply ends after Size bytes, by default half of it
	// Corrupted: one byte, drawn by lot, is another; on TCP, which has no checksum, the protocol id's.
	Corrupted Kind = "corrupted"
	// Foreign: first a sound frame for another request (another unit or transaction), then the right reply.
	Foreign Kind = "foreign"
	Stray   Kind = "stray" // first Bytes or Size random bytes (by default 3), then the right reply
	// Bytes or Size random bytes (by default as many as the reply has) in place of the reply
	Garbage Kind = "garbage"
	// Echo: the request comes back, as from an RS485 adapter that hears itself, then the right reply.
	Echo Kind = "echo"
	Drip Kind = "drip" // the right reply, Delay before each byte
	// OtherBaud: not carried out, and noise comes as Garbage: what is sent at another pace is not understood.
	OtherBaud Kind = "other-baud"

	WrongUnit Kind = "wrong-unit" // sound, but from the next unit id
	// NoUnit: sound, but from unit id 255: a gateway that does not repeat the request's.
	NoUnit Kind = "no-unit"
	// WrongTransaction: sound, but with another transaction id; on RTU, which has none, the right reply.
	WrongTransaction Kind = "wrong-transaction"
	// WrongLength: a sound frame with one register less than asked; a write's without the last two bytes.
	WrongLength Kind = "wrong-length"
	// WrongCount: a byte count that does not fit its data; a write's reply echoes another value.
	WrongCount Kind = "wrong-count"

	HangUp      Kind = "hang-up"      // half of the reply, then the connection is reset or the pty is gone
	CloseBefore Kind = "close-before" // the connection is closed in place of the reply
	CloseAfter  Kind = "close-after"  // the connection is closed behind the right reply

	// Raw: Frame in place of the reply, also where the unit refuses. It is for what real devices were seen to send.
	Raw Kind = "raw"
)

// Kinds returns all kinds but Raw, which says nothing by itself.
func Kinds() []Kind {
	return []Kind{
		Drop, ReplyLost, Late, Exception, Truncated, Corrupted, Foreign, Stray, Garbage, Echo, Drip, OtherBaud,
		WrongUnit, NoUnit, WrongTransaction, WrongLength, WrongCount, HangUp, CloseBefore, CloseAfter,
	}
}

// Match says which requests a fault is for. The zero value is all.
type Match struct {
	Units       []protocol.UnitID // nil: every unit
	Functions   []byte            // nil: every function
	Range       protocol.Range    // requests that overlap it; Count 0: every range
	Least, Most int               // requests of so many registers or bits, both included; Most 0: any number
	From, Until time.Duration     // since the first request; Until 0: for ever
	Nth         int               // of the requests that fit the fields above, only this one, counted from 1; 0: each
	Every       int               // of those, only each so many-th; 0: each
	Probability float64           // of those, this part, drawn from the script's seed; 0 means 1
}

// WriteFunctions are the functions that write, for Match.
var WriteFunctions = []byte{5, 6, 15, 16}

// Fault is one thing that goes wrong.
type Fault struct {
	Match Match
	Kind  Kind
	// Delay: of Drip before each byte; of HangUp and Close how long a pty is away; of others the reply is this late.
	Delay time.Duration
	Code  byte   // of Exception
	Size  int    // of Truncated, Stray, Garbage, OtherBaud
	Bytes []byte // of Stray, Garbage, OtherBaud
	Count int    // how often it happens at most; 0: without end

	Frame Frame         // of Raw
	Pause time.Duration // of Raw, between two parts of Frame
	Close bool          // of Raw: the connection is closed behind Frame
}

// Script decides for each request whether something goes wrong. The same seed, faults and requests give the same
// decisions. Safe for concurrent use, but a script belongs to one line.
type Script struct {
	mu     sync.Mutex
	began  time.Time // the first request
	rand   *rand.Rand
	faults []scripted
}

// scripted is a fault and how often it fitted and happened.
type scripted struct {
	Fault
	fitted, happened int
}

// NewScript makes a script of faults; of several that a request meets the first counts.
func NewScript(seed uint64, faults ...Fault) *Script {
	s := &Script{rand: rand.New(rand.NewPCG(seed, 0))}
	for _, f := range faults {
		s.faults = append(s.faults, scripted{Fault: f})
	}
	return s
}

// meet returns the fault that a request meets, or nil, and a source of its random bytes. All faults draw for each
// request that fits them, so that one fault does not shift the decisions of another.
func (s *Script) meet(unit protocol.UnitID, q query) (*Fault, *rand.Rand) {
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var met *scripted
	now := time.Now()
	if s.began.IsZero() {
		s.began = now
	}
	age := now.Sub(s.began)
	for i := range s.faults {
		f := &s.faults[i]
		if f.Match.fits(unit, q, age) && f.draws(s.rand) && met == nil {
			met = f
		}
	}
	if met == nil {
		return nil, nil
	}
	met.happened++
	f := met.Fault
	return &f, rand.New(rand.NewPCG(s.rand.Uint64(), 0))
}

func (m Match) fits(unit protocol.UnitID, q query, age time.Duration) bool {
	count := int(q.over.Count)
	return (m.Units == nil || slices.Contains(m.Units, unit)) &&
		(m.Most == 0 || m.Least <= count && count <= m.Most) &&
		m.From <= age && (m.Until == 0 || age < m.Until) &&
		(m.Functions == nil || slices.Contains(m.Functions, q.function)) &&
		(m.Range.Count == 0 || m.Range.Overlaps(q.over))
}

// draws counts a request that fits and reports whether this one is meant.
func (f *scripted) draws(r *rand.Rand) bool {
	f.fitted++
	p := f.Match.Probability
	if p != 0 && r.Float64() >= p {
		return false
	}
	m := f.Match
	its := (m.Nth == 0 || m.Nth == f.fitted) && (m.Every == 0 || f.fitted%m.Every == 0)
	return its && (f.Count == 0 || f.happened < f.Count)
}
