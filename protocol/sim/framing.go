package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"solarhub/protocol"
)

// Framing is how a PDU is wrapped for the line. All faults, all pacing and the Journal work on any of them; the values
// are comparable.
//
// To add one, write a file of its name with a struct that embeds manners and has the two other methods, and a value, or
// a function of what the envelope needs (the serial number of a stick):
//
//	var Stick Framing = stick{manners{name: "stick", numbered: true, checked: true, serial: true, envelope: 28}}
//
// next finds requests among nonsense, encode is the way back. What a reply repeats of its request is in
// frame.transaction, which faults change, or can be taken from frame.asked. What else an envelope's peer sends
// (heartbeats, its own errors) is a Raw fault or a part of what encode returns.
type Framing interface {
	fmt.Stringer
	// next cuts the first request out of b. It returns how many bytes in front of it are noise, and its length, 0 if
	// there is none yet; noise is counted then, too. With silent no more bytes are coming: what is not whole is noise.
	// The request's slices may lie in b. An error means that the stream cannot be trusted any more.
	next(b []byte, silent bool) (f frame, noise, size int, err error)
	// encode wraps a reply.
	encode(f frame) []byte
	// kind says what kind of line the framing is for; embedding manners implements it.
	kind() manners
}

// manners is what kind of line a framing is for.
type manners struct {
	name     string
	numbered bool // a reply repeats its request's transaction
	checked  bool // damage of any byte shows by a checksum; without, what is damaged is the header
	serial   bool // who is not there does not answer, nor does anyone to unit 0: no gateway speaks for them
	wire     bool // bytes travel one by one, and are lost where nobody takes them; silence may end a request
	gaps     bool // t3.5 must lie in front of a request
	datagram bool // what comes together is one message, and so is what goes out together
	unsound  int  // bytes in front that the checksum is not of
	envelope int  // bytes of an ADU beyond those of RTU, which do not travel on the serial line behind it
}

func (m manners) kind() manners { return m }

// String returns the word for messages: tcp, rtu.
func (m manners) String() string { return m.name }

// Numbered reports whether replies of a framing say which request they answer.
func Numbered(f Framing) bool { return f.kind().numbered }

const mostPDU = 253 // Source: MODBUS Application Protocol V1.1b3, 4.1

// frame is a message between its times: a request that has been cut out of a stream, or a reply to be sent.
type frame struct {
	transaction uint16 // what a reply repeats of its request: the transaction id, the sequence of a stick; 0 for none
	unit        protocol.UnitID
	pdu         []byte
	adu         []byte // as received
	asked       []byte // of a reply: the request's ADU, where an envelope repeats more of it
	at          time.Time
	arrived     time.Time
}

// damage changes one byte of a reply's ADU so that it cannot be sound.
func (m manners) damage(adu []byte, random *rand.Rand) {
	i := 3 // the low byte of the protocol id
	if m.checked {
		i = m.unsound + random.IntN(len(adu)-m.unsound)
	}
	adu[i] ^= byte(1 + random.IntN(255))
}
