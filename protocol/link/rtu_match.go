package link

import (
	"bytes"
	"cmp"
	"time"

	"solarhub/protocol"
)

// matcher finds the reply to one request in the bytes of an RTU line, among stray bytes, frames of others, late replies
// and the echo of the request. Without a request it only listens. It does no I/O.
type matcher struct {
	unit    protocol.UnitID
	own     shape          // of the reply that is awaited; zero: nothing is asked
	request []byte         // the request's ADU, to know its echo by
	echo    bool           // the line repeats what is sent: the reply comes behind a copy of the request
	units   protocol.Units // which unit id the reply may carry
	known   *units
	count   *frameCounter
	note    *condition
	trace   func(frame []byte)
	at      time.Time // when what take is given came in

	heard   bool // the echo has been taken out
	others  int  // frames that answered nothing
	misfits int  // of these, from the unit and for the function that were asked, but of another size
	noise   int  // bytes that belong to no frame
	damaged bool // a reply of the right shape came with a wrong checksum
	missing int  // bytes that the reply at the beginning of the rest needs to be whole; 0: none begins there
}

// take looks for the reply in b and returns it with what is behind it, or nil and what of b must be kept until more
// bytes are in.
func (m *matcher) take(b []byte) (found, rest []byte) {
	m.missing = 0
	b = m.withoutEcho(b)
	echo := !m.heard && len(b) < len(m.request) && bytes.HasPrefix(m.request, b)
	if echo && m.echo {
		m.missing = len(m.request) - len(b)
		return nil, b // the beginning of an echo may not be looked at as a reply
	}
	held := -1 // where a frame may begin that is not yet whole
	start := 0
	for at := 0; at < len(b); {
		r, size, looks := parseReply(b[at:])
		ours := m.own != shape{} && m.units.Take(m.unit, r.unit)
		if looks == damaged && ours && r.exception && r.shape.function == m.own.function && len(b)-at < rtuMax {
			if r.adu, looks = b[at:at+paddedEnd(b[at:])], whole; len(r.adu) == 0 {
				looks = partial // its checksum may be further behind
			}
		}
		switch {
		case looks == whole && (held < 0 || ours && m.acceptsInside(r)):
			m.wasted(at - start)
			at += len(r.adu)
			start, held = at, -1
			if m.answers(r, ours) {
				return r.adu, b[at:]
			}
			continue
		case looks == damaged && ours && held < 0 && !r.exception && r.shape == m.own:
			m.damaged = true
			m.count.damaged.Add(1)
		case looks == partial && held < 0:
			held = at
			if size = cmp.Or(size, rtuException); ours &&
				(r.exception || r.shape.size == m.own.size || r.shape.function == 0) {
				m.missing = size - (len(b) - at)
			}
		}
		at++
	}
	switch {
	case echo:
		return nil, b
	case held < 0:
		held = len(b)
	}
	m.wasted(held - start)
	return nil, b[held:]
}

// answers says whether a sound frame is the reply and counts it if it is not.
func (m *matcher) answers(r reply, ours bool) bool {
	own := shape{}
	if ours {
		own = m.own
	}
	kind, sent := m.known.classify(r, m.unit, own)
	switch {
	case kind == awaited:
		return true
	case kind == late:
		m.note.late(m.at.Sub(sent))
	case !ours && !r.exception && r.shape == m.own && protocol.LaxUnits.Take(m.unit, r.unit):
		m.note.units.Store(true)
		m.note.unit.Store(uint32(r.unit))
	}
	if m.others++; ours && kind == foreign && r.shape.function == m.own.function {
		m.misfits++
	}
	m.count.skip(kind)
	if m.trace != nil {
		m.trace(r.adu)
	}
	return false
}

// acceptsInside reports whether a frame is to be believed that lies inside what may be the beginning of a longer one:
// only the very reply that is waited for.
func (m *matcher) acceptsInside(r reply) bool {
	if r.exception {
		return r.shape.function == m.own.function && len(*m.known.pending(m.unit)) == 0
	}
	return r.shape == m.own
}

// withoutEcho takes the request itself out of what came in, where the line is known to repeat it. Where it is not, a
// request that comes back is noted, unless it looks like its own reply.
func (m *matcher) withoutEcho(b []byte) []byte {
	if m.heard || m.request == nil {
		return b
	}
	at := bytes.Index(b, m.request)
	if at < 0 {
		return b
	}
	if !m.echo {
		if registers := m.own.function == 3 || m.own.function == 4; registers {
			m.note.echoes.Store(true)
		}
		return b
	}
	m.heard = true
	m.note.echoes.Store(true)
	m.wasted(at)
	return b[at+len(m.request):]
}

func (m *matcher) wasted(n int) {
	m.noise += n
	m.count.noise.Add(uint64(n))
}
