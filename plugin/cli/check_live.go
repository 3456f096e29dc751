package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/rs/zerolog"

	"solarhub/devices"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
	"solarhub/protocol"
)

// adviceWidth is where a sentence is broken.
const adviceWidth = 110

// checkLive opens the lines for real and prints how they are. It fails if a person must mend something.
func (a *app) checkLive(ctx context.Context, path string, long time.Duration, write bool) error {
	if long <= 0 {
		return usagef("--for %v is not above 0", long)
	}
	cfg, err := config.Load(path)
	if err != nil {
		a.findings(err)
		return errReported
	}
	log, err := a.logger()
	if err != nil {
		return err
	}
	if log.GetLevel() > zerolog.DebugLevel {
		log = zerolog.Nop() // the report says it all
	}
	show := showProgress(a.Err, cfg.Lines, long)
	all, err := doctor.CheckLive(ctx, cfg, doctor.LiveOptions{For: long, Log: log, Progress: show.tell})
	show.end()
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		fmt.Fprintln(a.Out, "It was ended before its time: this is what was seen by then.")
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

// fitness prints one line with its devices, and what is to be said of it.
func (a *app) fitness(f doctor.Fitness) {
	pace := ""
	if f.Line.Transport != config.TCP {
		pace = ", " + f.Line.Serial.String()
	}
	s := f.Stats
	fmt.Fprintf(a.Out, "\n%s%s: %s in %v, line in use %.0f %%\n\n", f.Line, pace, counted(int(s.Requests), "request"),
		f.Watched.Round(time.Second/10), 100*s.Load)
	t := newTable(nil, "device", "unit", "requests", "timeouts", "refused", "round trip ms", "write wait ms",
		"full poll", "predicted ms", "measured ms")
	t.SetColumnConfigs(rightAligned("unit", "requests", "timeouts", "refused", "round trip ms", "write wait ms",
		"full poll", "predicted ms", "measured ms"))
	for _, d := range f.Devices {
		t.AppendRow(table.Row{d.Config.Name, d.Config.Unit, d.Stats.Requests, d.Stats.Timeouts, d.Stats.Exceptions,
			spread(d.Stats.Latency),
			spread(d.Stats.WriteWait), some(d.Poll, counted(d.Poll.Requests, "request")),
			some(d.Poll, ms(d.Poll.Predicted)), some(d.Poll, ms(d.Poll.Took))})
	}
	fmt.Fprint(a.Out, indented(t.Render(), "  "), "\n\n")
	fmt.Fprintf(a.Out, "  round trip and write wait: half below / 95 %% below / longest; full poll: its requests, "+
		"and the time they take\n")
	fmt.Fprintf(a.Out, "  gap in force %s ms; frames: %d damaged, %d late, %d foreign; %d bytes of noise; opened %d "+
		"times\n",
		ms(s.Link.Gap), s.Frames.Damaged, s.Frames.Late, s.Frames.Foreign, s.Frames.Noise, s.Openings)
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
		wrapped := text.WrapSoft(advice.Sentence(), adviceWidth)
		fmt.Fprintln(a.Out, "  "+mark+strings.TrimPrefix(indented(wrapped, "    "), "    "))
	}
}

// some returns a figure of the poll, if there was one.
func some(p devices.PollReport, figure string) string {
	if p.Requests == 0 {
		return "-"
	}
	return figure
}

func indented(t, by string) string {
	lines := strings.Split(strings.TrimRight(t, "\n"), "\n")
	for i := range lines {
		lines[i] = by + strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// spread prints half below / 95 % below / longest.
func spread(s protocol.Spread) string {
	if s.Count == 0 {
		return "-"
	}
	return ms(s.P50) + " / " + ms(s.P95) + " / " + ms(s.Max)
}

// progressShown is what a person at a terminal sees meanwhile; nobody else sees anything.
type progressShown struct {
	writer progress.Writer
	over   chan struct{} // closed when nothing is shown any more
	mu     sync.Mutex
	lines  map[string]*progress.Tracker
}

// showProgress begins to show, one bar for each line. end is called once.
func showProgress(w io.Writer, lines []config.Line, long time.Duration) *progressShown {
	p := &progressShown{lines: map[string]*progress.Tracker{}}
	if !terminal(w) {
		return p
	}
	p.writer = progress.NewWriter()
	p.writer.SetOutputWriter(w)
	p.writer.SetAutoStop(false)
	p.writer.SetMessageLength(56)
	p.writer.SetTrackerLength(20)
	p.writer.SetUpdateFrequency(100 * time.Millisecond)
	p.writer.Style().Visibility.Value = false
	p.writer.Style().Visibility.Time = false
	p.writer.Style().Options.PercentFormat = "%4.0f%%"
	for _, l := range lines {
		t := &progress.Tracker{Message: l.String(), Total: 1000}
		p.lines[l.String()] = t
		p.writer.AppendTracker(t)
	}
	fmt.Fprintf(w, "Polling for %v. Ctrl-C ends it with what is known by then.\n", long)
	p.over = make(chan struct{})
	go func() { // end waits for it
		defer close(p.over)
		p.writer.Render()
	}()
	return p
}

func (p *progressShown) tell(now doctor.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.lines[now.Line]
	if t == nil {
		return
	}
	t.UpdateMessage(now.Line + ": " + now.What)
	t.SetValue(int64(999 * now.Done))
	if now.Over {
		t.MarkAsDone()
	}
}

func (p *progressShown) end() {
	if p.writer == nil {
		return
	}
	for {
		p.writer.Stop() // is lost on a writer that has not quite begun
		select {
		case <-p.over:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}
