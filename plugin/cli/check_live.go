package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"solarhub/devices"
	"solarhub/plugin"
	"solarhub/plugin/doctor"
)

// checkLive opens the lines for real and prints how they are. It fails if a person must mend something.
func (a *app) checkLive(ctx context.Context, flag configFlag, long time.Duration, write bool) error {
	if long <= 0 {
		return usagef("--for %v is not above 0", long)
	}
	path, cfg, err := a.load(flag)
	if err != nil {
		return err
	}
	log, err := a.debugLogger()
	if err != nil {
		return err
	}
	if cfg, err = plugin.WithKnown(cfg, log); err != nil {
		return err
	}
	var names []string
	for _, l := range cfg.Lines {
		names = append(names, l.String())
	}
	show := showProgress(a.Err,
		fmt.Sprintf("Reading for %v. Ctrl-C ends it early and prints what it knows.", long), names)
	all, err := doctor.CheckLive(ctx, cfg, doctor.LiveOptions{For: long, Log: log, Progress: func(now doctor.Progress) {
		show.tell(now.Line, now.What, now.Done, now.Over)
	}})
	show.end()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		fmt.Fprintln(a.Out, "You ended it early, so this is based on less than it could be.")
	}
	ill := false
	for _, f := range all {
		a.fitness(f)
		for _, advice := range f.Advice {
			ill = ill || advice.Mend
		}
	}
	if err := a.settingsFound(path, all, write); err != nil {
		return err
	}
	if ill {
		return errReported
	}
	return nil
}

// fitness prints one line with its devices, and the advice about it.
func (a *app) fitness(f doctor.Fitness) {
	pace := ""
	if f.Line.Transport.HasSerial() {
		pace = ", " + f.Line.Serial.String()
	}
	s := f.Stats
	fmt.Fprintf(a.Out, "\n%s%s: %s in %v, line in use %.0f %%\n\n", f.Line, pace, counted(int(s.Requests), "request"),
		f.Watched.Round(time.Second/10), 100*s.Load)
	figures := []any{"unit", "values", "requests", "timeouts", "refused", "round trip ms", "write wait ms", "full poll",
		"predicted ms", "measured ms"}
	t := newTable(nil, append([]any{"device"}, figures...)...)
	t.SetColumnConfigs(rightAligned(figures...))
	for _, d := range f.Devices {
		t.AppendRow(table.Row{d.Config.Name, d.Config.Unit, values(d), d.Stats.Requests, d.Stats.Timeouts,
			d.Stats.Exceptions, spread(d.Stats.Latency), spread(d.Stats.WriteWait),
			some(d.Poll, counted(d.Poll.Requests, "request")), some(d.Poll, ms(d.Poll.Predicted)),
			some(d.Poll, ms(d.Poll.Took))})
	}
	fmt.Fprint(a.Out, indented(t.Render(), "  "), "\n\n")
	fmt.Fprintf(a.Out,
		"  values: those that came, of the points that are on; round trip and write wait: median / 95 %% are below / "+
			"longest;\n  full poll: its requests, and the time they take\n")
	fmt.Fprintf(a.Out,
		"  gap in force %s ms; frames: %d damaged, %d late, %d foreign, %d that do not fit; %d bytes of noise; "+
			"opened: %s\n",
		ms(s.Link.Gap), s.Frames.Damaged, s.Frames.Late, s.Frames.Foreign, s.Misfits, s.Frames.Noise, times(s.Openings))
	for _, d := range f.Devices {
		a.overridden("  ", d.Config)
		a.sentences("  ", d.Held())
	}
	if len(f.Advice) == 0 {
		fmt.Fprintln(a.Out, "\n  No problem found.")
		return
	}
	fmt.Fprintln(a.Out)
	for _, advice := range f.Advice {
		mark := "- "
		if advice.Mend {
			mark = "! "
		}
		wrapped := text.WrapSoft(advice.Sentence(), printWidth)
		fmt.Fprintln(a.Out, "  "+mark+strings.TrimPrefix(indented(wrapped, "    "), "    "))
	}
}

// values returns how many of the points that are on have a value.
func values(d doctor.DeviceSymptoms) string {
	if d.Polled == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d", d.Polled-len(d.Unread), d.Polled)
}

// some returns a figure of the poll, if there was one.
func some(p devices.PollReport, figure string) string {
	if p.Requests == 0 {
		return "-"
	}
	return figure
}
