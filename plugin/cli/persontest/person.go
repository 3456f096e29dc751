//go:build unix

// Package persontest plays a person at a terminal.
package persontest

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience is how long a person waits for what must come.
const patience = 60 * time.Second

// Person reads what stands on a terminal and types lines.
type Person struct {
	t      *testing.T
	master *os.File
	read   chan struct{} // closed when nothing comes any more

	mu   sync.Mutex
	text bytes.Buffer
	seen int // so much of it was waited for
}

// New returns a person and the terminal that a program is to use. The program's end is closed with the test.
func New(t *testing.T) (p *Person, terminal *os.File) {
	t.Helper()
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(master, &pty.Winsize{Rows: 50, Cols: 120}); err != nil {
		t.Fatal(err)
	}
	p = &Person{t: t, master: pollable(t, master), read: make(chan struct{})}
	go p.look()
	t.Cleanup(func() {
		_ = terminal.Close()
		_ = master.Close()
		<-p.read
	})
	return p, terminal
}

// pollable returns the same file in a form whose Close ends a Read.
func pollable(t *testing.T, f *os.File) *os.File {
	t.Helper()
	defer f.Close()
	fd, err := syscall.Dup(int(f.Fd()))
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), f.Name())
}

func (p *Person) look() {
	defer close(p.read)
	for chunk := make([]byte, 4096); ; {
		n, err := p.master.Read(chunk)
		p.mu.Lock()
		p.text.Write(chunk[:n])
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Reads waits until a text stands behind what was waited for before, and returns what came up to its end.
func (p *Person) Reads(part string) string {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		rest := p.text.String()[p.seen:]
		i := strings.Index(rest, part)
		if i >= 0 {
			p.seen += i + len(part)
			p.mu.Unlock()
			return rest[:i+len(part)]
		}
		p.mu.Unlock()
	}
	p.t.Fatalf("no %q in %v. There stands:\n%s", part, patience, p.Text())
	return ""
}

// Types types a line and Enter.
func (p *Person) Types(line string) { p.Presses(line + "\r") }

// Presses presses keys: \x03 is Ctrl-C.
func (p *Person) Presses(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// Leaves closes the terminal under the program.
func (p *Person) Leaves() { _ = p.master.Close() }

// control is what moves the cursor and colours the text.
var control = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-z]|\r")

// Text returns all that stands on the terminal, without colours.
func (p *Person) Text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return control.ReplaceAllString(p.text.String(), "")
}
