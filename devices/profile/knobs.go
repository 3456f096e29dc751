package profile

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"

	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// Knob is one setting of a line or of a device on it: a key under line: of a profile, and a key of a line or a device of a
// configuration. The zero Line has every knob at its default. Who needs which, and when, stands in FORMAT.md.
type Knob struct {
	Key     string
	Allowed string // for people: "0s to 5s"
	Shared  bool   // of the connection, which all devices of a line share: a configuration says it at the line
	take    func(n *strict.Node, l *Line)
	text    func(l Line) string
}

// Take reads what stands at the key into l. What is wrong with it is a finding and leaves l as it was.
func (k Knob) Take(n *strict.Node, l *Line) { k.take(n, l) }

// Text returns what is in force in l, as it is written in a file.
func (k Knob) Text(l Line) string { return k.text(l) }

// Default returns what is in force where nothing is said, as it is written in a file.
func (k Knob) Default() string { return k.text(Line{}) }

// Bounds of the knobs. They are ours: wide enough for every device known, narrow enough to catch a wrong unit.
const (
	maxGap          = 5 * time.Second
	minTimeout      = 10 * time.Millisecond
	maxTimeout      = 30 * time.Second
	maxTurnaround   = 10 * time.Second
	maxSettle       = time.Minute
	maxBusyRetries  = 10
	minBusyWait     = 10 * time.Millisecond
	maxBusyWait     = 10 * time.Second
	minQuiet        = time.Second
	maxQuiet        = time.Hour
	maxConnectDelay = 30 * time.Second
)

// Defaults of the knobs whose zero value does not say them.
const (
	DefaultBusyRetries = 3
	DefaultBusyWait    = 100 * time.Millisecond
	DefaultQuiet       = time.Minute
)

// Knobs are all knobs, in the order in which people read of them.
var Knobs = []Knob{
	span("gap", 0, maxGap, 0, func(l *Line) *time.Duration { return &l.Pace.Gap }),
	span("timeout", minTimeout, maxTimeout, protocol.DefaultTimeout, func(l *Line) *time.Duration { return &l.Pace.Timeout }),
	span("first_timeout", minTimeout, maxTimeout, 0, func(l *Line) *time.Duration { return &l.Pace.First }).
		asDefault("as timeout", func(l Line) bool { return l.Pace.First == 0 }),
	span("turnaround", 0, maxTurnaround, 0, func(l *Line) *time.Duration { return &l.Turnaround }),
	Knob{Key: "max_registers", Allowed: fmt.Sprintf("1 to %d", protocol.MaxReadRegisters), take: takeMaxRegisters, text: maxRegistersText}.
		asDefault("125, on a serial line what passes in 100 ms", func(l Line) bool { return l.MaxRegisters == 0 }),
	{Key: "holes", Allowed: "registers, as holding 700..709", take: takeHoles, text: holesText},
	span("settle", 0, maxSettle, 0, func(l *Line) *time.Duration { return &l.Settle }),
	{Key: "busy_retries", Allowed: fmt.Sprintf("0 to %d", maxBusyRetries), take: takeBusyRetries, text: busyRetriesText},
	span("busy_wait", minBusyWait, maxBusyWait, DefaultBusyWait, func(l *Line) *time.Duration { return &l.Busy.Wait }),
	span("quiet", minQuiet, maxQuiet, DefaultQuiet, func(l *Line) *time.Duration { return &l.Quiet }),
	{Key: "join_writes", Allowed: "true or false", take: takeJoin, text: func(l Line) string { return strconv.FormatBool(l.Join) }},
	{Key: "write_with", Allowed: "single or multiple", take: takeWith, text: withText},

	span("connect_delay", 0, maxConnectDelay, 0, func(l *Line) *time.Duration { return &l.Quirks.ConnectDelay }).shared(),
	choice("transaction_ids", words("strict shape"), func(l *Line) *protocol.Transactions { return &l.Quirks.Transactions }).shared(),
	choice("unit_ids", words("strict lax"), func(l *Line) *protocol.Units { return &l.Quirks.Units }).shared(),
	choice("echo", words("auto off on"), func(l *Line) *protocol.Echo { return &l.Quirks.Echo }).shared(),
	{Key: "latency_timer", Allowed: "set or keep", Shared: true, take: takeLatency, text: latencyText},
}

// KnobKeys returns the keys of the knobs that a connection or, with shared false, each device of it has for itself.
func KnobKeys(shared bool) []string {
	var keys []string
	for _, k := range Knobs {
		if k.Shared == shared {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

func (k Knob) shared() Knob {
	k.Shared = true
	return k
}

// asDefault gives the default a text of its own.
func (k Knob) asDefault(text string, is func(Line) bool) Knob {
	plain := k.text
	k.text = func(l Line) string {
		if is(l) {
			return text
		}
		return plain(l)
	}
	return k
}

// span makes the knob of a time from low to high; the zero value means the default.
func span(key string, low, high, otherwise time.Duration, at func(*Line) *time.Duration) Knob {
	return Knob{
		Key: key, Allowed: strict.Span(low) + " to " + strict.Span(high),
		take: func(n *strict.Node, l *Line) {
			if d, ok := n.Duration(low, high); ok {
				*at(l) = d
			}
		},
		text: func(l Line) string { return strict.Span(cmp.Or(*at(&l), otherwise)) },
	}
}

// choice makes the knob of a word; the words are in the order of the values.
func choice[T ~uint8](key string, words []string, at func(*Line) *T) Knob {
	last := len(words) - 1
	return Knob{
		Key: key, Allowed: strings.Join(words[:last], ", ") + " or " + words[last],
		take: func(n *strict.Node, l *Line) {
			if i, ok := n.OneOf(words...); ok {
				*at(l) = T(i)
			}
		},
		text: func(l Line) string { return words[*at(&l)] },
	}
}

func takeMaxRegisters(n *strict.Node, l *Line) {
	if most, err := strconv.ParseUint(n.Raw(), 10, 64); err == nil && most > protocol.MaxReadRegisters {
		n.Fail("max_registers %d: one read carries %d at most, by the standard; that is the nearest that works", most, protocol.MaxReadRegisters)
	} else if most, ok := n.Int(1, protocol.MaxReadRegisters); ok {
		l.MaxRegisters = uint16(most)
	}
}

func maxRegistersText(l Line) string { return strconv.Itoa(int(l.MaxRegisters)) }

// takeHoles adds to the holes that are known already.
func takeHoles(n *strict.Node, l *Line) {
	for _, item := range items(n) {
		hole, err := ParseHole(textOf(item))
		if err != nil {
			item.Fail("hole: %v", err)
			continue
		}
		l.Holes = append(l.Holes[:len(l.Holes):len(l.Holes)], hole)
	}
}

func holesText(l Line) string {
	if len(l.Holes) == 0 {
		return "none"
	}
	return HolesText(l.Holes)
}

func takeBusyRetries(n *strict.Node, l *Line) {
	if retries, ok := n.Int(0, maxBusyRetries); ok {
		l.Busy.Retries = int(retries)
		if retries == 0 {
			l.Busy.Retries = NoBusyRetries
		}
	}
}

func busyRetriesText(l Line) string {
	return strconv.Itoa(max(cmp.Or(l.Busy.Retries, DefaultBusyRetries), 0))
}

func takeJoin(n *strict.Node, l *Line) {
	if join, ok := n.Bool(); ok {
		l.Join = join
	}
}

func takeWith(n *strict.Node, l *Line) {
	if i, ok := n.OneOf(writeWords...); ok {
		l.With = WithSingle + With(i)
	}
}

func withText(l Line) string {
	if l.With == WithEach {
		return "as each register says"
	}
	return writeWords[l.With-WithSingle]
}

func takeLatency(n *strict.Node, l *Line) {
	if i, ok := n.OneOf("set", "keep"); ok {
		l.Quirks.KeepLatency = i == 1
	}
}

func latencyText(l Line) string {
	if l.Quirks.KeepLatency {
		return "keep"
	}
	return "set"
}
