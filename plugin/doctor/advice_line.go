package doctor

import (
	"cmp"
	"errors"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// How often something must happen before it is reported, as a share of the requests. Every line in a house has a glitch
// now and then.
const (
	fewDamaged = 0.005
	fewForeign = 0.01
)

// lineAdvice is about the line as a whole.
func lineAdvice(s Symptoms) []Advice {
	var all []Advice
	if s.Transport != nil {
		return append(all, mend(IllNoFrames,
			"%s speaks another language: put `%v:` in the place of `%v:` in the configuration", s.Line.Address,
			*s.Transport, s.Line.Transport))
	}
	if a, ill := stickFailure(s); ill {
		return append(all, a)
	}
	if a, ill := openFailure(s); ill {
		return append(all, a)
	}
	add := func(ill bool, a Advice) {
		if ill {
			all = append(all, a)
		}
	}
	stats, frames := s.Stats, s.Stats.Frames
	add(onlyNoise(s), noFrames(s))
	add(isGarbled(s), garbled(s))
	add(wrongTransactions(s), mend(IllTransactions,
		"the gateway answers with transaction ids that nobody asked with: set `transaction_ids: shape` for this line").
		withLine("transaction_ids", "shape"))
	add(wrongUnits(s), unitIDs(s.Stats.Link.UnitID))
	add(frames.Damaged > 0 && share(frames.Damaged, stats.Requests) >= fewDamaged, damagedReplies(s))
	foreign := frames.Foreign > stats.Misfits && share(frames.Foreign, stats.Requests) >= fewForeign
	add(foreign && !wrongTransactions(s) && !wrongUnits(s) && !oddReplies(s), foreignFrames(s))
	add(stats.Link.Plain, plain(s))
	add(stats.Link.Closes, closes(s))
	add(stats.Link.LatencyTimer != "",
		mend(IllLatency, "the USB adapter holds bytes back: %s; each request takes about 8 ms longer until its "+
			"latency timer is 1 ms",
			strings.TrimSuffix(stats.Link.LatencyTimer, ".")))
	add(stats.Link.Moved+stats.Link.Lasting != "", numberedPort(s.Line.Address, stats.Link))
	add(stats.Link.Echoes && s.Line.Quirks.Echo == protocol.NoEcho, mend(IllEcho,
		"the adapter repeats what is sent, as some RS485 adapters do: set `echo: on` for this line, so that the "+
			"echo of a write is not taken for its confirmation").withLine("echo", "on"))
	return all
}

// numberedPort is for a port that was given by a number that does not last.
func numberedPort(at string, l protocol.LinkCondition) Advice {
	if l.Moved == "" {
		return note(IllMoved, "%s may be another adapter when the machine starts anew; %s is always this one", at,
			l.Lasting)
	}
	return mend(IllMoved, "the adapter of %s is %s since it was plugged in again, and is read there: write %s into "+
		"the configuration, because another adapter may have the old name at the next start", at, l.Moved,
		cmp.Or(l.Lasting, l.Moved))
}

// wrongTransactions reports whether replies arrive that are right but for their transaction id, and the right ones are
// missing. If both arrive, the wrong ones are somebody else's.
func wrongTransactions(s Symptoms) bool {
	return s.Stats.Link.Transactions && s.Line.Quirks.Transactions == protocol.StrictTransactions && inPlace(s)
}

// unitIDs is for a gateway that answers in the name of one unit.
func unitIDs(id protocol.UnitID) Advice {
	value := "lax"
	if !protocol.LaxUnits.Take(id+1, id) {
		value = strconv.Itoa(int(id))
	}
	return mend(IllUnits, "the gateway answers in the name of unit %d, whoever was asked: set `unit_ids: %s` for this "+
		"line", id, value).withLine("unit_ids", value)
}

// wrongUnits is the same for unit ids.
func wrongUnits(s Symptoms) bool {
	return s.Stats.Link.Units && !s.Line.Quirks.Units.Take(s.Stats.Link.UnitID+1, s.Stats.Link.UnitID) && inPlace(s)
}

func inPlace(s Symptoms) bool {
	missing := s.Stats.Timeouts + s.Stats.Failures + s.Stats.Misfits
	return missing > 0 && 2*missing >= s.Stats.Frames.Foreign
}

// openFailure returns the reason why the line cannot be opened, or does not stay open.
func openFailure(s Symptoms) (a Advice, ill bool) {
	err, at := s.Stats.LastError, s.Line.Address
	link, failed := errors.AsType[*protocol.LinkError](err)
	if !failed || errors.Is(err, protocol.ErrTimeout) && s.Stats.Openings > 0 {
		return Advice{}, false
	}
	if link.Op != "open" {
		return brokenConnection(s, link.Err)
	}
	if s.Stats.DownSince.IsZero() {
		return Advice{}, false // it is open again
	}
	if s.Line.Transport.OnPort() {
		return port(link.Err), true
	}
	return unreachable(at, link.Err), true
}

// port passes on why a port cannot be opened: the link names the port, and what to do.
func port(err error) Advice {
	if errors.Is(err, protocol.ErrPortHeld) {
		return mend(IllInUse, "%v", err)
	}
	return mend(IllPort, "%v", err)
}

func unreachable(at string, err error) Advice {
	var name *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return mend(IllUnreachable,
			"%s refuses the connection: is Modbus TCP switched on there, is the port right, or has another client "+
				"its only place?", at)
	case errors.As(err, &name):
		return mend(IllUnreachable,
			"the name in %s is not known: use the address that the device has in the router, and keep it the same "+
				"there", at)
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, protocol.ErrTimeout), isTimeout(err):
		return mend(IllUnreachable,
			"nothing answers at %s: is it switched on, in this network, and is the address right?", at)
	}
	return mend(IllUnreachable, "%s cannot be reached: %v", at, err)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// brokenConnection returns the advice for a connection that was open and ended.
func brokenConnection(s Symptoms, err error) (a Advice, ill bool) {
	switch {
	case s.Line.Transport.OnPort() && !s.Stats.DownSince.IsZero():
		return mend(IllPort, "%s is gone: the adapter was unplugged, or lost its power", s.Line.Address), true
	case wrongTransactions(s), wrongUnits(s):
		return Advice{}, false
	case errors.Is(err, protocol.ErrTimeout), errors.Is(err, protocol.ErrMisfit), s.Line.Transport.OnPort(),
		s.Stats.Failures < 2:
		return Advice{}, false
	case answered(s.Stats) == 0 && errors.Is(err, syscall.ECONNREFUSED): // of UDP, which opens without a word
		return mend(IllUnreachable, "nothing listens on the UDP port of %s: is Modbus over UDP switched on there, and "+
			"is the port right?", s.Line.Address), true
	case answered(s.Stats) == 0 && s.Line.Transport == config.TLS && !errors.Is(err, protocol.ErrHungUp):
		// TLS 1.3 is open before the device refuses our certificate.
		return mend(IllUnreachable, "%s cannot be reached: %v", s.Line.Address, err), true
	case answered(s.Stats) == 0:
		return mend(IllHangUp, "%s takes the connection and closes it at once: it serves one client only, and "+
			"another one has it. Stop that one",
			s.Line.Address), true
	case s.Stats.Failures >= 3 && share(s.Stats.Failures, s.Stats.Requests) >= fewForeign:
		return mend(IllHangUp, "%s has closed the connection %s: another client takes it away, or it wants "+
			"`connect_delay` or a longer `poll`",
			s.Line.Address, times(s.Stats.Failures)), true
	}
	return Advice{}, false
}

// oddReplies reports whether frames that nobody asked for on a serial line came in place of replies: then it is a
// device that answers oddly, not another master.
func oddReplies(s Symptoms) bool {
	odd := func(d DeviceSymptoms) bool { return slices.ContainsFunc(d.Unread, isSilent) }
	return s.Line.Transport.HasSerial() && inPlace(s) && slices.ContainsFunc(s.Devices, odd)
}

// closes is about a line whose other end closes the connection behind each reply.
func closes(s Symptoms) Advice {
	return note(IllCloses, "%s closes the connection behind each reply. SolarHub opens a new one for each request, so "+
		"it works, only slower: look for keep-alive or a longer idle time in its menu", s.Line.Address)
}

// isGarbled reports whether replies come that do not fit what was asked, now to this request and now to that: a device
// that answers some registers oddly is told otherwise.
func isGarbled(s Symptoms) bool {
	if wrongTransactions(s) || wrongUnits(s) {
		return false
	}
	for _, d := range s.Devices {
		if slices.ContainsFunc(d.Unread, func(u devices.Unread) bool { return errors.Is(u.Err, protocol.ErrMisfit) }) {
			return false
		}
	}
	return s.Stats.Misfits >= 2 && share(s.Stats.Misfits, s.Stats.Requests) >= fewForeign
}

// garbled is about such replies.
func garbled(s Symptoms) Advice {
	last := ""
	if err := s.Stats.LastError; errors.Is(err, protocol.ErrMisfit) {
		last = ", the last one " + misfitText(err)
	}
	if answered(s.Stats) == 0 {
		return mend(IllMismatch, "%s answers, but no reply fits what was asked%s: is `unit` right, or does it answer "+
			"in the name of another (`unit_ids`)?", s.Line.Address, last)
	}
	cure := "put 120 ohms at both ends of the line, keep it away from power cables, and try `gap: 350ms`"
	if !s.Line.Transport.HasSerial() {
		cure = "the gateway passes on what is garbled on its serial side. Look there for 120 ohms at both ends, baud " +
			"and parity, and try `gap: 350ms`"
	}
	return mend(IllGarbled, "%d of %d replies do not fit what was asked%s: %s", s.Stats.Misfits, s.Stats.Requests, last,
		cure)
}

// onlyNoise reports whether bytes arrived, but no frame for SolarHub.
func onlyNoise(s Symptoms) bool {
	f := s.Stats.Frames
	return answered(s.Stats) == 0 && f.Noise+f.Damaged > 0 && f.Foreign+f.Late == 0 && !s.Stats.Link.Transactions &&
		!s.Stats.Link.Units
}

func noFrames(s Symptoms) Advice {
	switch {
	case s.Setting != nil:
		return mend(IllNoFrames, "the line runs at %v, not at %v: set %s", *s.Setting, s.Line.Serial,
			settingKeys(*s.Setting, s.Line.Serial)).withSerial(*s.Setting, s.Line.Serial)
	case s.Line.Transport.OnPort():
		return mend(IllNoFrames, "bytes come in, but no frames: the devices do not run at %v. Look for baud and "+
			"parity in their menu", s.Line.Serial)
	case s.Line.Transport == config.RTUOverTCP:
		return mend(IllNoFrames, "bytes come in, but no RTU frames: set baud and parity in the serial server, or "+
			"use `tcp:` if it is a Modbus TCP gateway")
	}
	if s.Line.Transport != config.TCP {
		return mend(IllNoFrames, "what comes in are no frames of %s: is the address right, and does another kind of "+
			"device answer there?", s.Line.Transport)
	}
	return mend(IllNoFrames, "what comes in is not Modbus TCP: is the port right, or is it a serial server that "+
		"wants `rtu_over_tcp:`?")
}

// damagedReplies is for a line that works, more or less.
func damagedReplies(s Symptoms) Advice {
	n, of := s.Stats.Frames.Damaged, s.Stats.Requests
	if !s.Line.Transport.HasSerial() {
		return mend(IllDamaged, "%d of %d replies were damaged: the gateway sends what is not Modbus TCP now and "+
			"then; update it", n, of)
	}
	if onlyNoise(s) {
		return mend(IllDamaged, "every reply was damaged (CRC): parity or stop bits are others than those of %v, or "+
			"A and B are swapped", s.Line.Serial)
	}
	return mend(IllDamaged, "%d of %d replies were damaged (CRC): put 120 ohms at both ends, lead the shield to "+
		"earth at one end, keep away from power cables", n, of)
}

func foreignFrames(s Symptoms) Advice {
	n := s.Stats.Frames.Foreign
	if s.Line.Transport == config.Solarman {
		return otherClients(s)
	}
	if !s.Line.Transport.HasSerial() {
		return mend(IllForeign, "the gateway hands out answers that somebody else asked for (%s): let one client "+
			"ask it, or one after the other", times(n))
	}
	return mend(IllForeign, "another master is on the line (%d frames that nobody here asked for): a logger, a "+
		"meter's owner or a second SolarHub. Take one away", n)
}
