package link

import (
	"bytes"
	"time"

	"solarhub/protocol"
)

// matcher finds the reply to one request in the bytes of an RTU line, among stray bytes, frames of others, late and repeated
// replies and the echo of the request. Without a request it only listens. It does no I/O.
type matcher struct {
	unit    protocol.UnitID
	own     shape          // zero: nothing is asked
	request []byte         // the request's ADU, to know its echo by
	echo    protocol.Echo  // whether the line repeats what is sent; DetectEcho: an echo is taken out if it is one for sure
	as      protocol.Units // which unit id the reply may carry
	units   *units
	count   *frameCounter
	note    *condition
	trace   func(frame []byte)
	proof   bool      // nothing had come when the request was out: what comes then is no copy of what came before
	at, now time.Time // when what take is given came in, and the time

	judged  judgement // of the reply that take returned
	heard   bool      // the echo has been taken out
	foreign int       // frames that answered nothing
	noise   int       // bytes that belong to no frame
	spoiled bool      // a reply of the right shape came with a wrong checksum
	soon    bool      // a reply came too soon
}

// take looks for the reply in b and returns it with what is behind it, or nil and what of b must be kept until more bytes are in.
func (m *matcher) take(b []byte) (found, rest []byte) {
	b = m.withoutEcho(b)
	if m.beginsEcho(b) {
		return nil, b
	}
	held := -1 // where a frame may begin that is not yet whole
	start := 0
	for at := 0; at < len(b); {
		r, looks := replyAt(b[at:])
		ours := m.own != shape{} && mayBeOf(m.unit, r.unit, m.as)
		switch {
		case looks == whole && (held < 0 || ours && m.likely(r)):
			m.wasted(at - start)
			at += len(r.adu)
			start, held = at, -1
			if m.answers(r, ours) {
				return r.adu, b[at:]
			}
			continue
		case looks == damaged && ours && held < 0 && !r.exception && r.shape == m.own:
			m.spoiled = true
			m.count.damaged.Add(1)
		case looks == partial && held < 0:
			held = at
		}
		at++
	}
	if held < 0 {
		held = len(b)
	}
	m.wasted(held - start)
	return nil, b[held:]
}

// answers judges a sound frame and counts it if it is not the reply.
func (m *matcher) answers(r reply, ours bool) bool {
	j, own := judgement{}, shape{}
	a := m.units.account(r.unit)
	if ours {
		a, own = m.units.account(m.unit), m.own
	}
	if a != nil {
		j = a.judge(r, own, m.at, m.now)
	}
	switch {
	case j.is == awaited:
		m.judged = j
		return true
	case j.is == late:
		m.note.late(m.at.Sub(j.cause.sent))
	case j.is == unasked && !ours && !r.exception && r.shape == m.own && mayBeOf(m.unit, r.unit, protocol.LaxUnits):
		m.note.units.Store(true)
	}
	m.skip(r.adu, j.is)
	return false
}

// likely reports whether a frame inside what may be the beginning of a longer one is to be believed: only the very reply
// that is waited for.
func (m *matcher) likely(r reply) bool {
	return !r.exception && r.shape == m.own || r.exception && r.shape.function == m.own.function && len(m.units.account(m.unit).owed) == 0
}

// withoutEcho takes the request itself out of what came in: an adapter that hears its own sender repeats it. The reply
// to a single write is equal to its request, so there an echo is taken out only where it is known that the line echoes.
func (m *matcher) withoutEcho(b []byte) []byte {
	if m.heard || m.request == nil || m.echo == protocol.NoEcho || m.echo == protocol.DetectEcho && ambiguous(m.own) {
		return b
	}
	at := bytes.Index(b, m.request)
	if at < 0 {
		return b
	}
	m.heard = true
	m.wasted(at)
	return b[at+len(m.request):]
}

// beginsEcho reports whether b may be the beginning of an echo, which must not be looked at as a reply.
func (m *matcher) beginsEcho(b []byte) bool {
	return !m.heard && m.echo != protocol.NoEcho && len(b) < len(m.request) && bytes.HasPrefix(m.request, b)
}

// ambiguous: the reply to a write of a single coil or register is equal to its request.
func ambiguous(s shape) bool { return s.function == 5 || s.function == 6 }

func (m *matcher) skip(frame []byte, is standing) {
	m.foreign++
	m.count.skip(is)
	if m.trace != nil {
		m.trace(frame)
	}
}

func (m *matcher) wasted(n int) {
	m.noise += n
	m.count.noise.Add(uint64(n))
}
