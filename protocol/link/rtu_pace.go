package link

import (
	"time"

	"solarhub/protocol"
)

// pace is whether a line keeps the time of its baud, as far as it has shown. A virtual port, a USB device that has no wire and a
// device server that was told another baud do not.
type pace struct {
	hasty bool // replies come sooner than the wire can carry them: time proves nothing
	soon  int  // exchanges in a row that ended with nothing but a reply that came too soon
	kept  int  // replies in a row that took their time
}

// fastClock is how much faster than its baud says a device may send: UARTs agree within a few percent, or not at all.
const fastClock = 0.03

// soonest is the least time from the first byte of a request to the last of its reply, of so many characters.
func soonest(s protocol.Serial, request, reply int) time.Duration {
	wire := s.Chars(request + reply)
	return wire - time.Duration(float64(wire)*fastClock)
}

// slow reports whether a request takes so long, 4 ms and more, that a port has handed over by its end what came at its beginning.
func slow(s protocol.Serial) bool { return s.Baud <= 19200 }

// tooSoon reports whether a reply that took so long can be none. suspect means that there is another reason for it than the
// request: if there is none, it shows that the line does not keep its time.
func (p *pace) tooSoon(took, soonest time.Duration, suspect bool) bool {
	if took >= soonest || p.hasty {
		return false
	}
	p.hasty = !suspect
	return suspect
}

// keeps reports whether the line has shown often enough that it keeps its time for what comes sooner to be no answer.
func (p *pace) keeps() bool { return !p.hasty && p.kept >= 3 }

// believed notes that a reply was taken.
func (p *pace) believed(took, soonest time.Duration) {
	p.soon = 0
	if p.kept++; took < soonest {
		p.kept = 0
	}
}

// inVain notes that nothing came behind a reply that came too soon. The second time in a row it must have been the reply.
func (p *pace) inVain() {
	p.soon++
	p.hasty = p.hasty || p.soon > 1
}

// echo is whether a line repeats what is sent, as it has shown on this connection.
type echo struct {
	told   protocol.Echo // DetectEcho: it is found out
	known  bool          // a reply to something else than a single write has shown it
	silent int           // how many such replies without an echo are still believed to be the exception
}

// echoLasts is how many replies without an echo end the belief that the line echoes.
const echoLasts = 3

func (e *echo) unknown() bool { return e.told == protocol.DetectEcho && !e.known }

// mode returns what is known now.
func (e *echo) mode() protocol.Echo {
	if e.told == protocol.DetectEcho && e.silent > 0 {
		return protocol.WithEcho
	}
	return e.told
}

// learn notes whether an echo came before a reply.
func (e *echo) learn(s shape, heard bool) {
	switch {
	case ambiguous(s):
		return
	case heard:
		e.silent = echoLasts
	case e.silent > 0:
		e.silent--
	}
	e.known = true
}
