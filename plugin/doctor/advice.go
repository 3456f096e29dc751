// Package doctor says what is wrong with a line or a device, in a sentence that names what to do. It watches running
// lines (Gauge), opens lines to try what helps (CheckLive), and reads all registers of a device (ReadDump). It writes
// nothing to a device.
package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/protocol"
)

// Illness is what is wrong with a line or a device, by the word that tests and programs know it by.
type Illness string

// The illnesses, the most important first: what hides others goes before them.
const (
	IllPort         Illness = "port"         // the serial port cannot be opened
	IllInUse        Illness = "in use"       // another process holds it
	IllUnreachable  Illness = "unreachable"  // nobody listens at the address
	IllLogger       Illness = "logger"       // a stick has another serial number
	IllHangUp       Illness = "hang-up"      // the connection is taken and closed
	IllNoFrames     Illness = "no frames"    // bytes come, and none are a frame
	IllTransactions Illness = "transactions" // a gateway with wrong transaction ids
	IllUnits        Illness = "units"        // a gateway with wrong unit ids
	IllMismatch     Illness = "mismatch"     // a gateway answers something else than was asked
	IllSilent       Illness = "silent"       // nothing answers at a unit id
	IllAway         Illness = "away"         // it answered before and does not now
	IllWrongDevice  Illness = "stranger"     // something else answers than the profile expects
	IllDamaged      Illness = "damaged"      // checksums are wrong
	IllFirst        Illness = "first"        // only what is asked first on a connection is lost or late
	IllLate         Illness = "late"         // replies come after the timeout
	IllHasty        Illness = "hasty"        // requests that come too soon are lost
	IllLong         Illness = "long"         // long reads fail
	IllHoles        Illness = "holes"        // it does not read across some registers
	IllUnanswered   Illness = "unanswered"   // requests get no answer, and why was not found
	IllOddReply     Illness = "odd reply"    // some registers are answered with what is no reply
	IllGarbled      Illness = "garbled"      // some replies of a gateway are
	IllRefused      Illness = "refused"      // the device refuses registers
	IllUnread       Illness = "unread"       // there was no whole poll
	IllPlain        Illness = "plain"        // a stick speaks Modbus TCP
	IllCloses       Illness = "closes"       // the other end closes the connection behind each reply
	IllForeign      Illness = "foreign"      // another master
	IllBusy         Illness = "busy"         // the device says so
	IllBehind       Illness = "behind"       // the line cannot keep up
	IllLatency      Illness = "latency"      // the timer of a USB adapter
	IllMoved        Illness = "moved"        // a USB adapter has another number than was given
	IllClock        Illness = "clock"        // of the device
	IllOddValue     Illness = "odd value"    // a value that cannot be true
	IllEcho         Illness = "echo"         // the line repeats what is sent, and was not told to
)

// Advice is one sentence about one illness.
type Advice struct {
	Illness Illness `json:"illness"`
	Device  string  `json:"device,omitempty"` // name of the one it is about; empty: the line
	Text    string  `json:"text"`
	Mend    bool    `json:"mend"` // a person must do something; else it is good to know

	Settings []Setting `json:"settings,omitempty"` // that put an end to it, where that is known
}

// Setting is a key of the configuration with the value to give it.
type Setting struct {
	Key, Value string
	OfLine     bool // it stands beside the line's devices, not at one
}

// with adds a setting of a device that helps.
func (a Advice) with(key, value string) Advice {
	a.Settings = append(a.Settings, Setting{Key: key, Value: value})
	return a
}

// withLine adds a setting of the line that helps.
func (a Advice) withLine(key, value string) Advice {
	a.Settings = append(a.Settings, Setting{Key: key, Value: value, OfLine: true})
	return a
}

// Sentence returns the text as it is shown by itself: with a capital, where it begins with a word, and a full stop.
func (a Advice) Sentence() string {
	t := a.Text
	if t != "" && t[0] >= 'a' && t[0] <= 'z' {
		t = strings.ToUpper(t[:1]) + t[1:]
	}
	if strings.HasSuffix(t, "?") || strings.HasSuffix(t, ".") {
		return t
	}
	return t + "."
}

// Symptoms are what the doctor knows about one line.
type Symptoms struct {
	Line    config.Line
	Watched time.Duration   // over which the counters run
	Stats   protocol.Stats  // in that time
	Recent  *protocol.Stats // of the last of it: what does not happen any more is not told. nil: all of it is recent
	Devices []DeviceSymptoms

	Live      bool              // only the doctor uses the line, and has polled each device from its start
	Tried     bool              // what follows was tried, here and of the devices
	Alive     []protocol.UnitID // unit ids that answered when they were tried
	Setting   *protocol.Serial  // another serial setting under which a device answered
	Transport *config.Transport // another way in which it answered at the same address
}

// DeviceSymptoms are what the doctor knows about one device of the line.
type DeviceSymptoms struct {
	Config  devices.Config
	Status  devices.Status
	Poll    devices.PollReport
	Stats   protocol.UnitStats
	Learned devices.Learned

	Now         time.Time // of the symptoms
	Implausible []devices.Implausible
	Clock       devices.Clock
	Unread      []devices.Unread // points without a value
	Polled      int              // points that are polled

	// What trials found; 0 where they found nothing, or were not made.
	Fits    []string      // profiles that take what answers for a device of theirs, where the configuration's does not
	Answers bool          // a single request after a silence was answered in time, though none was before
	Slowest time.Duration // the longest that a reply took when it was waited for
	Gap     time.Duration // the shortest gap tried that ended the timeouts
	Waking  time.Duration // what the first reply on a new connection took, if that is longer than the timeout
	Connect time.Duration // the silence after connecting that the first request needs
	Most    uint16        // registers of the longest read that is answered, if longer ones are not
}

// WellText is the advice for a line without problems.
const WellText = "No problem found"

// Headline returns the most important sentence that the owner of a device is to read, about the device or its line, or
// WellText. It has at most the 255 characters that a host shows as a state. What is only good to know is left to `check
// --live`, but for a line that is slower than it could be.
func (f Fitness) Headline(device string) string {
	for _, a := range f.Advice {
		if (a.Mend || a.Illness == IllCloses) && (a.Device == "" || a.Device == device) {
			return short(a.Sentence())
		}
	}
	return WellText
}

func short(text string) string {
	const most = 255
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// advise returns the advice for a line, the most important first; none if the line is well. It is pure.
func advise(s Symptoms) []Advice {
	all := lineAdvice(s)
	if carriesNothing(all) {
		return all // what its devices look like follows from that
	}
	for _, d := range s.Devices {
		all = append(all, deviceAdvice(s, d)...)
	}
	all = slices.DeleteFunc(all, func(a Advice) bool { return s.isOver(a) })
	all = append(all, s.unwell(all)...)
	slices.SortStableFunc(all, func(a, b Advice) int { return cmp.Compare(rank(a), rank(b)) })
	return all
}

// carriesNothing reports whether the line as a whole carries nothing.
func carriesNothing(all []Advice) bool {
	return slices.ContainsFunc(all, func(a Advice) bool {
		switch a.Illness {
		case IllPort, IllInUse, IllUnreachable, IllLogger, IllHangUp, IllNoFrames, IllMismatch:
			return a.Mend
		}
		return false
	})
}

var order = []Illness{IllPort, IllInUse, IllUnreachable, IllLogger, IllHangUp, IllNoFrames, IllTransactions, IllUnits,
	IllMismatch, IllSilent, IllAway, IllWrongDevice,
	IllDamaged, IllGarbled, IllFirst, IllLate, IllHasty, IllLong, IllHoles, IllOddReply, IllUnanswered, IllForeign,
	IllBusy, IllBehind, IllUnread, IllRefused, IllPlain, IllCloses, IllOddValue, IllClock, IllLatency,
	IllMoved, IllEcho}

// rank orders advice: what must be mended goes first.
func rank(a Advice) int {
	i := slices.Index(order, a.Illness)
	if !a.Mend {
		i += len(order)
	}
	return i
}

func mend(i Illness, format string, args ...any) Advice {
	return Advice{Illness: i, Text: fmt.Sprintf(format, args...), Mend: true}
}

func note(i Illness, format string, args ...any) Advice {
	return Advice{Illness: i, Text: fmt.Sprintf(format, args...)}
}

// answered counts the exchanges in which the line carried a reply.
func answered(s protocol.Stats) uint64 { return s.Replies + s.Exceptions }

// share returns n as a fraction of a total.
func share(n, of uint64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// withRoom returns a measured time plus a fifth, rounded up to a round number.
func withRoom(d time.Duration) time.Duration {
	step := 10 * time.Millisecond
	switch {
	case d >= 2*time.Second:
		step = 500 * time.Millisecond
	case d >= 200*time.Millisecond:
		step = 100 * time.Millisecond
	}
	d += d / 5
	return (d + step - 1) / step * step
}

// listed joins words as people do: "1, 2 and 3".
func listed[T any](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	if n := len(texts); n > 1 {
		return strings.Join(texts[:n-1], ", ") + " and " + texts[n-1]
	}
	return strings.Join(texts, "")
}

// times counts: "once", "3 times".
func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
