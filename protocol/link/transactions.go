package link

import "time"

// transactions are the numbers of the requests on a Modbus TCP connection, and what became of the last of them.
type transactions struct {
	last uint16
	sent [64]transaction // by turns
	n    int
}

type transaction struct {
	id       uint16
	at       time.Time
	answered bool
}

// transactionStep lies between the ids of two requests. They do not simply count, because a device that gets an id wrong by a
// little must not hit that of a neighbour: multiples of the golden ratio keep the last 64 at least 500 apart. It is odd, so
// an id comes again after 65,536 requests only.
const transactionStep = 40503

// next returns the id of a request that goes out now.
func (t *transactions) next(now time.Time) uint16 {
	t.last += transactionStep
	t.sent[t.n%len(t.sent)] = transaction{id: t.last, at: now}
	t.n++
	return t.last
}

// answered notes that the last request was answered.
func (t *transactions) answered() { t.sent[(t.n-1)%len(t.sent)].answered = true }

// judge says what a reply to another request than the last is that carries id, and when that was sent.
func (t *transactions) judge(id uint16) (is standing, sent time.Time) {
	for i := range min(t.n, len(t.sent)) {
		s := &t.sent[i]
		switch {
		case s.id != id:
			continue
		case s.answered:
			return repeated, s.at
		}
		s.answered = true
		return late, s.at
	}
	return unasked, time.Time{}
}
