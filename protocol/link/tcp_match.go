package link

import (
	"encoding/binary"

	"solarhub/protocol"
)

// A Modbus TCP stream has no mark by which the beginning of an ADU can be told from what a device sends beside it. What
// is searched for is the reply to the request in flight: its transaction id, the protocol id, its unit id, function and
// byte count are nine bytes that must all be right. What lies before it is taken for ADUs of others where it can be one
// of them, else for stray bytes. So nothing that comes beside a reply costs the connection.

// mbapLook is what the bytes at some place of a stream look like.
type mbapLook uint8

const (
	mbapNone    mbapLook = iota // no ADU begins here
	mbapBegun                   // one may begin here; more bytes are needed
	mbapOther                   // a whole one, which is not the reply
	mbapOwn                     // the reply; more bytes are needed
	mbapReply                   // the whole reply
	mbapGarbled                 // by its transaction id the reply, and it does not fit the request
)

// next takes the next ADU out of what came in and says what it is. Without one, frame is nil, and what may be the
// beginning of one is kept. x is the request in flight, nil if there is none.
func (l *TCPLink) next(x *transfer) (frame []byte, looks mbapLook, wrong string) {
	b, held := l.buf[:l.have], -1
	for at := range b {
		looks, size, wrong := l.judge(x, b[at:], at > 0 || l.astray)
		switch {
		case looks == mbapOwn && held < 0:
			l.waste(at)
			return nil, looks, ""
		case looks == mbapBegun && held < 0:
			held = at
		case looks == mbapReply, held < 0 && (looks == mbapOther || looks == mbapGarbled):
			found := l.reply[:copy(l.reply[:], b[at:at+size])]
			l.waste(at)
			l.drop(size)
			l.astray = false
			return found, looks, wrong
		}
	}
	if held < 0 {
		held = len(b)
	}
	l.waste(held)
	return nil, mbapNone, ""
}

// waste drops bytes that belong to no ADU.
func (l *TCPLink) waste(n int) {
	if n == 0 {
		return
	}
	l.frames.noise.Add(uint64(n))
	l.noise += n
	l.astray = true
	l.trace(false, l.buf[:n])
	l.drop(n)
}

// judge says what b begins with and how long that is. Behind stray bytes only an ADU is believed that agrees with its
// length field, unless it has the id of the request.
func (l *TCPLink) judge(x *transfer, b []byte, astray bool) (looks mbapLook, size int, wrong string) {
	if x != nil && !l.byShape() && l.isOwn(b) {
		return l.judgeOwn(x.req, b)
	}
	switch {
	case len(b) < mbapHead:
		if mayBeMBAP(b) {
			return mbapBegun, 0, ""
		}
		return mbapNone, 0, ""
	case b[2] != 0 || b[3] != 0:
		return mbapNone, 0, ""
	}
	size, declared := mbapSize(b), mbapDeclared(b)
	switch agree := size == declared; {
	case agree:
	case l.byShape():
		if astray || size == 0 {
			return mbapNone, 0, ""
		}
	case l.transactions.owes(b) && declared >= mbapHead && declared <= mbapFrame:
		if size == 0 || size > declared {
			size = declared
		}
	default:
		return mbapNone, 0, ""
	}
	if len(b) < size {
		return mbapBegun, 0, ""
	}
	return mbapOther, size, ""
}

// isOwn reports whether b begins, as far as it goes, with the id of the request in flight.
func (l *TCPLink) isOwn(b []byte) bool {
	own := [4]byte{byte(l.transactions.last >> 8), byte(l.transactions.last)}
	n := min(len(b), len(own))
	return string(b[:n]) == string(own[:n])
}

// judgeOwn does it for an ADU with the transaction id of the request. LSE-3 sticks cut the reply to a write, and its
// length field agrees: nothing more of it comes (evcc #33016, davidrapan/ha-solarman #262).
func (l *TCPLink) judgeOwn(req protocol.Request, b []byte) (looks mbapLook, size int, wrong string) {
	if len(b) < mbapHead {
		return mbapOwn, 0, ""
	}
	size = mbapSize(b)
	if wrong := l.misfit(req, b[:mbapHead], misfitHead); wrong != "" {
		if size == 0 || size > len(b) {
			size = mbapHead // what follows of it is dropped as it comes
		}
		return mbapGarbled, size, wrong
	}
	if len(b) < size {
		if req.Op != protocol.Read && mbapDeclared(b) == len(b) {
			return mbapGarbled, len(b), "cut short"
		}
		return mbapOwn, 0, ""
	}
	if end := mbapDeclared(b); end >= mbapHead && end < size && l.beginsLate(b[end:]) {
		return mbapGarbled, mbapHead, "cut short, with another reply behind it"
	}
	return mbapReply, size, l.misfit(req, b[:size], misfit)
}

// beginsLate reports whether a reply to an earlier request begins with b, as far as it goes.
func (l *TCPLink) beginsLate(b []byte) bool {
	return len(b) > 1 && mayBeMBAP(b[:min(len(b), mbapHead-1)]) && l.transactions.owes(b)
}

// owes reports whether b begins with the id of a request that is not answered.
func (t *transactions) owes(b []byte) bool {
	id := binary.BigEndian.Uint16(b)
	for i := range min(t.n, len(t.sent)) {
		if s := &t.sent[i]; s.id == id && !s.answered {
			return true
		}
	}
	return false
}
