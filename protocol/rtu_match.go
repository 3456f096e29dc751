package protocol

import "bytes"

// matcher finds the reply to one request in the bytes of an RTU line, among stray bytes, frames of others, late replies
// and the echo of the request. It does no I/O.
type matcher struct {
	unit    UnitID
	own     shape
	request []byte // the request's ADU, to know its echo by
	echoes  bool   // the line is known to repeat what is sent
	debts   *debts
	count   *frameCounter
	trace   func(frame []byte)

	heard   bool // the echo has been taken out
	foreign int  // frames that answered nothing
	noise   int  // bytes that belong to no frame
	spoiled bool // a reply of the right shape came with a wrong checksum
}

// take looks for the reply in b and returns it, or nil and what of b must be kept until more bytes are in.
func (m *matcher) take(b []byte) (reply, rest []byte) {
	b = m.withoutEcho(b)
	held := -1 // where a frame may begin that is not yet whole
	start := 0
	for at := 0; at < len(b); {
		r, looks := replyAt(b[at:])
		ours := r.unit == m.unit
		switch {
		case looks == whole && ours && (held < 0 || m.likely(r)):
			if yes, known := m.debts.answered(r.shape, r.exception, m.own); yes {
				m.wasted(at - start)
				return r.adu, nil
			} else {
				m.skip(r.adu, known)
			}
			m.wasted(at - start)
			at += len(r.adu)
			start, held = at, -1
			continue
		case looks == whole && held < 0:
			m.wasted(at - start)
			m.skip(r.adu, false)
			at += len(r.adu)
			start = at
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

// likely reports whether a frame inside what may be the beginning of a longer one is to be believed: only the very reply
// that is waited for.
func (m *matcher) likely(r rtuReply) bool {
	return !r.exception && r.shape == m.own || r.exception && r.shape.function == m.own.function && len(m.debts.owed) == 0
}

// withoutEcho takes the request itself out of what came in: an adapter that hears its own sender repeats it. The reply
// to a single write is equal to its request, so there an echo is taken out only where a read has shown that the line echoes.
func (m *matcher) withoutEcho(b []byte) []byte {
	ambiguous := m.own.function == 5 || m.own.function == 6
	if m.heard || ambiguous && !m.echoes {
		return b
	}
	at := bytes.Index(b, m.request)
	if at < 0 {
		return b
	}
	m.heard, m.echoes = true, true
	m.wasted(at)
	return b[at+len(m.request):]
}

func (m *matcher) skip(frame []byte, late bool) {
	m.foreign++
	if late {
		m.count.late.Add(1)
	} else {
		m.count.foreign.Add(1)
	}
	if m.trace != nil {
		m.trace(frame)
	}
}

func (m *matcher) wasted(n int) {
	m.noise += n
	m.count.noise.Add(uint64(n))
}
