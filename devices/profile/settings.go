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

// Setting is one setting of a line or of a device. It is a key under line: of a profile, and a key of a line or a
// device in a configuration. FORMAT.md says who needs which, and when.
type Setting struct {
	Key     string
	Allowed string // as people read it: "0s to 5s"
	Shared  bool   // of the connection: all devices of a line share it, and a configuration sets it at the line
	take    func(n *strict.Node, l *LineSettings)
	text    func(l LineSettings) string
}

// Take reads the value of the key into l. A value that is wrong is a finding and leaves l unchanged.
func (k Setting) Take(n *strict.Node, l *LineSettings) { k.take(n, l) }

// Text returns the value in force in l, as a file would have it.
func (k Setting) Text(l LineSettings) string { return k.text(l) }

// Default returns the value in force if no file sets it, as a file would have it.
func (k Setting) Default() string { return k.text(LineSettings{}) }

// Bounds of the settings. We chose them: wide enough for every known device, narrow enough to catch a wrong unit.
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

// Defaults that are not the zero value of their field.
const (
	DefaultBusyRetries = 3
	DefaultBusyWait    = 100 * time.Millisecond
	DefaultQuiet       = time.Minute
)

// Settings are all settings, in the order of FORMAT.md.
var Settings = []Setting{
	span("gap", 0, maxGap, 0, func(l *LineSettings) *time.Duration { return &l.Pace.Gap }),
	span("timeout", minTimeout, maxTimeout, protocol.DefaultTimeout,
		func(l *LineSettings) *time.Duration { return &l.Pace.Timeout }),
	span("first_timeout", minTimeout, maxTimeout, 0, func(l *LineSettings) *time.Duration { return &l.Pace.First }).
		asDefault("as timeout", func(l LineSettings) bool { return l.Pace.First == 0 }),
	span("turnaround", 0, maxTurnaround, 0, func(l *LineSettings) *time.Duration { return &l.Turnaround }).
		asDefault("measured, 20ms until then", func(l LineSettings) bool { return l.Turnaround == 0 }),
	Setting{Key: "max_registers", Allowed: fmt.Sprintf("1 to %d", protocol.MaxReadRegisters), take: takeMaxRegisters,
		text: func(l LineSettings) string { return strconv.Itoa(int(l.MaxRegisters)) }}.
		asDefault("125, on a serial line what passes in 100 ms",
			func(l LineSettings) bool { return l.MaxRegisters == 0 }),
	Setting{Key: "holes", Allowed: "registers, as holding 700..709", take: takeHoles,
		text: func(l LineSettings) string { return HolesText(l.Holes) }}.
		asDefault("none", func(l LineSettings) bool { return len(l.Holes) == 0 }),
	{Key: "named_only", Allowed: "true or false",
		take: func(n *strict.Node, l *LineSettings) {
			if only, ok := n.Bool(); ok {
				l.NamedOnly = only
			}
		},
		text: func(l LineSettings) string { return strconv.FormatBool(l.NamedOnly) }},
	span("settle", 0, maxSettle, 0, func(l *LineSettings) *time.Duration { return &l.Settle }),
	{Key: "busy_retries", Allowed: fmt.Sprintf("0 to %d", maxBusyRetries), take: takeBusyRetries,
		text: busyRetriesText},
	span("busy_wait", minBusyWait, maxBusyWait, DefaultBusyWait,
		func(l *LineSettings) *time.Duration { return &l.Busy.Wait }),
	span("quiet", minQuiet, maxQuiet, DefaultQuiet, func(l *LineSettings) *time.Duration { return &l.Quiet }),
	{Key: "join_writes", Allowed: "true or false",
		take: func(n *strict.Node, l *LineSettings) {
			if join, ok := n.Bool(); ok {
				l.Join = join
			}
		},
		text: func(l LineSettings) string { return strconv.FormatBool(l.Join) }},
	choice("write_with", writeWords, WriteSingle, func(l *LineSettings) *WriteFunction { return &l.With }).
		asDefault("as each register says", func(l LineSettings) bool { return l.With == WritePerPoint }),

	span("connect_delay", 0, maxConnectDelay, 0,
		func(l *LineSettings) *time.Duration { return &l.Quirks.ConnectDelay }).shared(),
	choice("transaction_ids", words("strict shape"), 0,
		func(l *LineSettings) *protocol.Transactions { return &l.Quirks.Transactions }).shared(),
	{Key: "unit_ids", Allowed: "strict, lax or a unit id of 0..255", Shared: true, take: takeUnitIDs,
		text: unitIDsText},
	choice("echo", words("off on"), 0, func(l *LineSettings) *protocol.Echo { return &l.Quirks.Echo }).shared(),
	choice("direction", words("adapter rts inverted_rts"), 0,
		func(l *LineSettings) *protocol.Direction { return &l.Quirks.Direction }).shared(),
	{Key: "latency_timer", Allowed: "set or keep", Shared: true,
		take: func(n *strict.Node, l *LineSettings) {
			if i, ok := n.OneOf("set", "keep"); ok {
				l.Quirks.KeepLatency = i == 1
			}
		},
		text: func(l LineSettings) string {
			if l.Quirks.KeepLatency {
				return "keep"
			}
			return "set"
		}},
}

// SettingKeys returns the keys of the settings that belong to a connection or, with shared false, to each device.
func SettingKeys(shared bool) []string {
	var keys []string
	for _, k := range Settings {
		if k.Shared == shared {
			keys = append(keys, k.Key)
		}
	}
	return keys
}

func (k Setting) shared() Setting {
	k.Shared = true
	return k
}

// asDefault makes text the wording of the default.
func (k Setting) asDefault(text string, is func(LineSettings) bool) Setting {
	plain := k.text
	k.text = func(l LineSettings) string {
		if is(l) {
			return text
		}
		return plain(l)
	}
	return k
}

// span makes a setting that is a time from low to high. The zero value means the default.
func span(key string, low, high, otherwise time.Duration, at func(*LineSettings) *time.Duration) Setting {
	return Setting{
		Key: key, Allowed: strict.Span(low) + " to " + strict.Span(high),
		take: func(n *strict.Node, l *LineSettings) {
			if d, ok := n.Duration(low, high); ok {
				*at(l) = d
			}
		},
		text: func(l LineSettings) string { return strict.Span(cmp.Or(*at(&l), otherwise)) },
	}
}

// choice makes a setting that is one of some words, in the order of the values from first on.
func choice[T ~uint8](key string, words []string, first T, at func(*LineSettings) *T) Setting {
	last := len(words) - 1
	return Setting{
		Key: key, Allowed: strings.Join(words[:last], ", ") + " or " + words[last],
		take: func(n *strict.Node, l *LineSettings) {
			if i, ok := n.OneOf(words...); ok {
				*at(l) = first + T(i)
			}
		},
		text: func(l LineSettings) string { return words[*at(&l)-first] },
	}
}

func takeMaxRegisters(n *strict.Node, l *LineSettings) {
	if most, err := strconv.ParseUint(n.Raw(), 10, 64); err == nil && most > protocol.MaxReadRegisters {
		n.Fail("max_registers %d: one read carries %d at most, by the standard; that is the nearest that works", most,
			protocol.MaxReadRegisters)
	} else if most, ok := n.Int(1, protocol.MaxReadRegisters); ok {
		l.MaxRegisters = uint16(most)
	}
}

// takeHoles adds to the holes that l has already.
func takeHoles(n *strict.Node, l *LineSettings) {
	for _, item := range items(n) {
		hole, err := ParseHole(textOf(item))
		if err != nil {
			item.Fail("hole: %v", err)
			continue
		}
		l.Holes = append(l.Holes[:len(l.Holes):len(l.Holes)], hole)
	}
}

// takeUnitIDs takes a word, or the one id that a gateway always answers with.
func takeUnitIDs(n *strict.Node, l *LineSettings) {
	if _, err := strconv.Atoi(n.Raw()); err == nil {
		if id, ok := n.Int(0, 255); ok {
			l.Quirks.Units = protocol.AlsoUnit(protocol.UnitID(id))
		}
	} else if word := n.Raw(); n.IsScalar() && word != "strict" && word != "lax" {
		n.Fail("%q is not strict, lax or a unit id of 0..255", word)
	} else if i, ok := n.OneOf("strict", "lax"); ok {
		l.Quirks.Units = protocol.Units(i)
	}
}

func unitIDsText(l LineSettings) string {
	if id, ok := l.Quirks.Units.Also(); ok {
		return strconv.Itoa(int(id))
	}
	return words("strict lax")[l.Quirks.Units]
}

func takeBusyRetries(n *strict.Node, l *LineSettings) {
	if retries, ok := n.Int(0, maxBusyRetries); ok {
		l.Busy.Retries = cmp.Or(int(retries), NoBusyRetries)
	}
}

func busyRetriesText(l LineSettings) string {
	return strconv.Itoa(max(cmp.Or(l.Busy.Retries, DefaultBusyRetries), 0))
}
