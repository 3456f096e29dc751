package cli

import (
	"fmt"
	"io"
	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// progressShown is what a person at a terminal sees while it runs; nobody else sees anything.
type progressShown struct {
	writer progress.Writer
	over   chan struct{} // closed when nothing is shown any more
	mu     sync.Mutex
	lines  map[string]*progress.Tracker
}

// showProgress shows a bar for each line until end is called, once.
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
	fmt.Fprintf(w, "Reading for %v. Ctrl-C ends it early and prints what it knows.\n", long)
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
