package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/plugin/config"
	"solarhub/plugin/forecast"
	"solarhub/protocol"
)

// readsWidth is where a list of reads is broken.
const readsWidth = 110

func (a *app) checkCommand() *cobra.Command {
	var config configFlag
	var live, write bool
	var long time.Duration
	command := &cobra.Command{
		Use:   "check [PROFILE.yaml ...]",
		Short: "Check configuration and profiles, and predict how fast it will be",
		Long: `Check the configuration and the profiles it names, without touching any line or Home Assistant. Everything that
is wrong is listed with file, line and column, and the command ends with 1.

If all is right, it prints for each device how it will be read: the requests, and the milliseconds they take on the
wire, for the points that are on at first and for all of them; and for each line how long a write waits at most.

With files as arguments it checks these profiles instead.

With --live it opens the lines, reads the devices for a while, tries other settings where something goes wrong, and says
in a sentence what is wrong with a line and what to do. It prints the settings that help; with --write it writes them
into the configuration, and leaves comments and layout as they are. Nothing is written to a device, and Home Assistant
is not needed. It ends with 1 if something must be mended.`,
		Example: `  solarhub check
  solarhub check --config /etc/solarhub/solarhub.yaml
  solarhub check ./my-inverter.yaml
  solarhub check --live --for 1m
  solarhub check --live --write`,
		RunE: func(command *cobra.Command, args []string) error {
			switch {
			case live && len(args) > 0:
				return usagef("--live checks the lines of a configuration, not a profile: leave %s out", args[0])
			case !live && command.Flags().Changed("for"):
				return usagef("--for says how long --live takes: it needs --live")
			}
			if write && !live {
				return usagef("--write writes what --live finds: it needs --live")
			}
			if len(args) > 0 {
				return a.checkProfiles(args)
			}
			path, err := config.find()
			if err != nil {
				return err
			}
			if live {
				return a.checkLive(command.Context(), path, long, write)
			}
			return a.checkConfig(path)
		},
	}
	config.register(command.Flags())
	command.Flags().BoolVar(&live, "live", false, "open the lines, read the devices, and say what is wrong")
	command.Flags().BoolVar(&write, "write", false, "write the settings that --live finds into the configuration")
	command.Flags().DurationVar(&long, "for", 20*time.Second, "how long the devices are read with --live")
	return command
}

// checkProfiles checks files and goes on after one with findings.
func (a *app) checkProfiles(files []string) error {
	failed := false
	for _, file := range files {
		p, err := profile.Open(file)
		if err == nil {
			fmt.Fprintf(a.Out, "%s is right: %s, %s\n", file, p.Name, counted(len(mostPoints(p)), "point"))
			continue
		}
		failed = true
		a.findings(err)
	}
	if failed {
		return errReported
	}
	return nil
}

// mostPoints returns the points of the variant that has most of them.
func mostPoints(p *profile.Profile) []profile.Point {
	most, _ := p.Resolve(p.FirstVariant()) // a loaded profile resolves each of its variants
	for _, variant := range p.Variants {
		if points, _ := p.Resolve(variant); len(points) > len(most) {
			most = points
		}
	}
	return most
}

// findings prints what is wrong with a file, each finding on its line as compilers do.
func (a *app) findings(err error) {
	fmt.Fprintln(a.Err, err)
	var found strict.Findings
	if errors.As(err, &found) {
		fmt.Fprintln(a.Err, counted(len(found), "finding"))
	}
}

// rightConfig loads a configuration, or prints all that is wrong with it.
func (a *app) rightConfig(path string) (config.Config, error) {
	cfg, err := config.Load(path)
	if err != nil {
		a.findings(err)
		return config.Config{}, errReported
	}
	return cfg, nil
}

func (a *app) checkConfig(path string) error {
	cfg, err := a.rightConfig(path)
	if err != nil {
		return err
	}
	lines, err := forecast.Of(cfg)
	if err != nil {
		return err
	}
	n := 0
	for _, l := range lines {
		n += len(l.Devices)
	}
	fmt.Fprintf(a.Out, "%s is right: %s with %s, for Home Assistant at %s\n", path, counted(len(lines), "line"),
		counted(n, "device"), cfg.Host.URL)
	for _, l := range lines {
		a.predictLine(l)
	}
	return nil
}

// counted returns "1 line", "2 lines".
func counted(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

func (a *app) predictLine(l forecast.Line) {
	pace := ""
	if l.Config.Transport != config.TCP {
		pace = ", " + l.Config.Serial.String()
	}
	fmt.Fprintf(a.Out, "\n%s%s\n", l.Config, pace)
	a.settings("  ", l.Settings)
	for _, d := range l.Devices {
		a.predictDevice(d)
	}
	a.load(l)
	a.bound(l)
}

// load tells how much of the line its devices take together.
func (a *app) load(l forecast.Line) {
	enabled, all := l.Load()
	if len(l.Devices) > 1 {
		fmt.Fprintf(a.Out, "\n  Together they have the line in use for %.0f %% of the time, with all points %.0f %%.\n",
			100*enabled, 100*all)
	}
	if all > 1 {
		fmt.Fprintln(a.Out, "\n  Above 100 % in use the line is polled without a pause, all classes are thinned "+
			"alike, and values are older than their\n  intervals say.")
	}
}

// bound tells how long a write waits, and what comes on top of that.
func (a *app) bound(l forecast.Line) {
	alive := l.Bound
	alive.Dead = 0
	fmt.Fprintf(a.Out, "\n  A write that is next in turn waits for the line %s ms at most, %s ms where a device may "+
		"be dead.\n"+
		"  Behind one other set-value it is %s ms, behind eight %s ms: each is a write and its read-back, and one "+
		"read is let in\n"+
		"  for every eight of these. What a dead device leaves unanswered takes its %s ms each time.\n",
		ms(alive.Wait(0)), ms(l.Bound.Wait(0)), ms(alive.Wait(2)), ms(alive.Wait(16)), ms(l.Bound.Dead))
	if d := l.Config.Quirks.ConnectDelay; d > 0 {
		fmt.Fprintf(a.Out, "  On a new connection it waits for connect_delay too, %s ms.\n", ms(d))
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

func (a *app) predictDevice(d forecast.Device) {
	fmt.Fprintf(a.Out, "\n  %s: %s, unit %d\n", d.Config.Name, d.Config.Profile.ID, d.Config.Unit)
	a.settings("    ", d.Settings)
	fmt.Fprintln(a.Out)
	t := newTable(nil, "variant", "points", "count", "requests", "registers", "wire ms", "longest ms", "line in use")
	configs := rightAligned("count", "requests", "registers", "wire ms", "longest ms", "line in use")
	configs = append(configs, table.ColumnConfig{Name: "variant", Hidden: len(d.Variants) == 1})
	t.SetColumnConfigs(configs)
	for _, v := range d.Variants {
		for _, p := range named(v) {
			t.AppendRow(table.Row{v.Name, p.name, p.Points, len(p.Reads), p.Registers, ms(p.Time), ms(p.Longest),
				fmt.Sprintf("%.0f %%", 100*p.Load)})
		}
	}
	for line := range strings.Lines(t.Render()) {
		fmt.Fprint(a.Out, "    ", line)
	}
	fmt.Fprintln(a.Out)
	for _, v := range d.Variants {
		for _, p := range named(v) {
			fmt.Fprintf(a.Out, "\n    requests for %s, each with its ms on the wire:\n%s\n",
				strings.TrimSpace(v.Name+" "+p.name), reads(d.Config, p.Plan))
			if p.Err != nil {
				fmt.Fprintf(a.Out, "    left out: %v\n", p.Err)
			}
		}
	}
	a.slowNow(d)
}

// slowNow tells of a device whose class now alone takes longer than its interval.
func (a *app) slowNow(d forecast.Device) {
	every := d.Config.Intervals[profile.Now]
	var worst namedPlan
	for _, v := range d.Variants {
		for _, p := range named(v) {
			if p.Now > max(every, worst.Now) && (worst.name == "" || worst.name == p.name) {
				worst = p
			}
		}
	}
	if worst.name != "" {
		fmt.Fprintf(a.Out, "\n    The class now alone takes %s ms of each %s ms (points: %s): its values come that "+
			"late. now: %s under poll is what works.\n",
			ms(worst.Now), ms(every), worst.name,
			strict.Span((worst.Now + 10*time.Millisecond).Truncate(10*time.Millisecond)))
	}
}

// namedPlan is a plan and what it is called.
type namedPlan struct {
	forecast.Plan
	name string
}

func named(v forecast.Variant) []namedPlan {
	return []namedPlan{{v.Enabled, "on at first"}, {v.All, "all"}}
}

func rightAligned(columns ...string) []table.ColumnConfig {
	var configs []table.ColumnConfig
	for _, c := range columns {
		configs = append(configs, table.ColumnConfig{Name: c, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	return configs
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

// wrap lists words with commas between them behind a head, broken into lines.
func wrap(head, indent string, words []string) string {
	var b strings.Builder
	line := head
	for i, w := range words {
		if i < len(words)-1 {
			w += ","
		}
		if len(line)+1+len(w) > readsWidth && line != indent {
			fmt.Fprintln(&b, line)
			line = indent
		}
		line += " " + w
	}
	b.WriteString(line)
	return b.String()
}

// ms prints a time in milliseconds: whole ones from 10 on.
func ms(d time.Duration) string {
	v := float64(d) / float64(time.Millisecond)
	if v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
