package cli

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// progressShown is what a person at a terminal sees while something runs; nobody else sees anything.
type progressShown struct {
	writer progress.Writer
	over   chan struct{} // closed when nothing is shown any more
	mu     sync.Mutex
	bars   map[string]*progress.Tracker
}

// showProgress shows a sentence, and a bar for each of some names, until end is called, once.
func showProgress(w io.Writer, sentence string, names []string) *progressShown {
	p := &progressShown{bars: map[string]*progress.Tracker{}}
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
	for _, name := range names {
		t := &progress.Tracker{Message: name, Total: 1000}
		p.bars[name] = t
		p.writer.AppendTracker(t)
	}
	fmt.Fprintln(w, sentence)
	p.over = make(chan struct{})
	go func() { // end waits for it
		defer close(p.over)
		p.writer.Render()
	}()
	return p
}

// tell shows what is done now under a name, how far it is (0..1), and whether it is over. It may be called from any
// goroutine.
func (p *progressShown) tell(name, what string, done float64, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.bars[name]
	if t == nil {
		return
	}
	t.UpdateMessage(name + ": " + what)
	t.SetValue(int64(999 * done))
	if over {
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
