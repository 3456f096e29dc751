package cli

import (
	"cmp"
	"fmt"
	"slices"
	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/forecast"
	"solarhub/protocol"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

func (a *app) predictLine(l forecast.Line) {
	pace := ""
	if l.Config.Transport.HasSerial() {
		pace = ", " + l.Config.Serial.String()
	}
	fmt.Fprintf(a.Out, "\n%s%s\n", l.Config, pace)
	a.settings("  ", l.Settings)
	for _, d := range l.Devices {
		a.predictDevice(d)
	}
	a.lineLoad(l)
	a.bound(l)
}

// lineLoad tells how much of the line its devices take together.
func (a *app) lineLoad(l forecast.Line) {
	enabled, all := l.Load()
	if len(l.Devices) > 1 {
		fmt.Fprintf(a.Out, "\n  Together they use the line for %.0f %% of the time, with all points %.0f %%.\n",
			100*enabled, 100*all)
	}
	if all > 1 {
		fmt.Fprintln(a.Out,
			"\n  Above 100 % the line is polled without a pause. Every class is read less often by the same share,"+
				"\n  so values are older than their intervals say.")
	}
}

// bound tells how long a write waits, and what comes on top of that.
func (a *app) bound(l forecast.Line) {
	prompt, alive := l.Bound, l.Bound
	prompt.Late = 0
	alive.Dead, alive.Late = 0, 0
	fmt.Fprintf(a.Out,
		"\n  A write that is next in turn waits at most %s ms for the line, or %s ms if a device may be dead",
		ms(alive.Wait(0)), ms(prompt.Wait(0)))
	if l.Bound.Late > 0 {
		fmt.Fprintf(a.Out, ",\n  or %s ms if one replies later than its timeout", ms(l.Bound.Wait(0)))
	}
	fmt.Fprintf(a.Out, ".\n"+
		"  Behind one other set-value it waits at most %s ms, behind eight %s ms: each is a write and a read-back, "+
		"and "+
		"the line\n  does one read for every eight of these. A request that a dead device does not answer takes %s "+
		"ms.\n"+
		"  On a new connection the device proves who it is before its first write, which takes %s ms.\n",
		ms(alive.Wait(2)), ms(alive.Wait(16)), ms(l.Bound.Dead), ms(l.Bound.Identify))
	if d := l.Config.Quirks.ConnectDelay; d > 0 {
		fmt.Fprintf(a.Out, "  On a new connection it also waits for connect_delay, %s ms.\n", ms(d))
	}
}

// settings tells what is in force where it is not the default, and who says so.
func (a *app) settings(indent string, all []forecast.Setting) {
	for _, from := range []forecast.Origin{forecast.FromFamily, forecast.FromConfiguration, forecast.FromWriteWait,
		forecast.FromLine} {
		var words []string
		for _, s := range all {
			if s.From == from {
				words = append(words, s.Key+" "+s.Text)
			}
		}
		if len(words) > 0 {
			fmt.Fprintln(a.Out, wrap(fmt.Sprintf("%sset by %s:", indent, from), indent+" ", words))
		}
	}
}

// overridden says what the owner knows better of a device than its profile.
func (a *app) overridden(indent string, d devices.Config) {
	a.sentences(indent, d.Profile.Overridden(d.Traits))
}

func (a *app) sentences(indent string, all []string) {
	for _, sentence := range all {
		fmt.Fprintln(a.Out, indented(text.WrapSoft(sentence, printWidth), indent))
	}
}

func (a *app) predictDevice(d forecast.Device) {
	fmt.Fprintf(a.Out, "\n  %s: %s, unit %d\n", d.Config.Name, d.Config.Profile.ID, d.Config.Unit)
	a.settings("    ", d.Settings)
	a.overridden("    ", d.Config)
	if d.Config.ID == "" && needsID(d.Config.Profile) {
		a.sentences("    ", []string{noSerialNumber})
	}
	fmt.Fprintln(a.Out)
	t := newTable(nil, "traits", "points", "count", "requests", "registers", "wire ms", "longest ms", "line in use")
	configs := rightAligned("count", "requests", "registers", "wire ms", "longest ms", "line in use")
	configs = append(configs, table.ColumnConfig{Name: "traits", Hidden: len(d.Cases) == 1})
	t.SetColumnConfigs(configs)
	cases := shownCases(d)
	for _, v := range cases {
		for _, p := range named(v) {
			t.AppendRow(table.Row{v.Name, p.name, p.Points, len(p.Reads), p.Registers, ms(p.Time), ms(p.Longest),
				fmt.Sprintf("%.0f %%", 100*p.Load)})
		}
	}
	for line := range strings.Lines(t.Render()) {
		fmt.Fprint(a.Out, "    ", line)
	}
	fmt.Fprintln(a.Out)
	for _, v := range cases {
		for _, p := range named(v) {
			fmt.Fprintf(a.Out, "\n    requests for %s, each with its ms on the wire:\n%s\n",
				strings.TrimSpace(v.Name+" "+p.name),
				reads(d.Config, p.Plan))
			if p.Err != nil {
				fmt.Fprintf(a.Out, "    left out: %v\n", p.Err)
			}
		}
	}
	a.slowNow(d)
}

// mostCases is how many cases of a family are shown.
const mostCases = 8

// shownCases returns the cases of a device or, if there are many, the typical one and the one that takes most.
func shownCases(d forecast.Device) []forecast.Case {
	if len(d.Cases) <= mostCases {
		return d.Cases
	}
	widest := slices.MaxFunc(d.Cases, func(a, b forecast.Case) int { return cmp.Compare(a.All.Time, b.All.Time) })
	typical := d.Cases[0]
	typical.Name, widest.Name = "typical", "largest"
	return []forecast.Case{typical, widest}
}

// slowNow tells of a device whose class now alone takes longer than its interval.
func (a *app) slowNow(d forecast.Device) {
	every := d.Config.Intervals[profile.Now]
	var worst namedPlan
	for _, v := range d.Cases {
		for _, p := range named(v) {
			if p.Now > max(every, worst.Now) && (worst.name == "" || worst.name == p.name) {
				worst = p
			}
		}
	}
	if worst.name != "" {
		works := strict.Span((worst.Now + 10*time.Millisecond).Truncate(10 * time.Millisecond))
		fmt.Fprintf(a.Out,
			"\n    The class now takes %s ms by itself, but it is due every %s ms (points: %s). Set now: %s under "+
				"poll.\n",
			ms(worst.Now), ms(every), worst.name, works)
	}
}

// namedPlan is a plan and what it is called.
type namedPlan struct {
	forecast.Plan
	name string
}

func named(v forecast.Case) []namedPlan {
	return []namedPlan{{v.Enabled, "on at first"}, {v.All, "all"}}
}

// reads lists the requests of a plan, broken into lines.
func reads(d devices.Config, p forecast.Plan) string {
	timing := devices.TimingOf(d.Line)
	var words []string
	for _, r := range p.Reads {
		words = append(words, fmt.Sprintf("%s (%s)", r.Range, ms(timing.Exchange(protocol.Read, r.Range))))
	}
	return wrap("     ", "     ", words)
}
