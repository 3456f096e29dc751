package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/muesli/cancelreader"
	"golang.org/x/term"
)

// person is who sits at the terminal and answers questions, one line each. The questions are plain lines, so that they
// work over any connection and with a screen reader.
type person struct {
	in      *os.File
	out     io.Writer
	lines   *term.Terminal // keeps what was typed ahead
	answers io.Reader      // of the question that is asked
}

// errLeft: the person has left the conversation.
var errLeft = errors.New("ended by you")

// person returns who sits at the terminal; nil if nobody does.
func (a *app) person() *person {
	in, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || !terminal(a.Err) {
		return nil
	}
	p := &person{in: in, out: a.Err}
	p.lines = term.NewTerminal(p, "")
	return p
}

// Read and Write are what the terminal's lines are made of.
func (p *person) Read(b []byte) (int, error) { return p.answers.Read(b) }

func (p *person) Write(b []byte) (int, error) { return p.out.Write(b) }

// ask asks a question and returns the answer, or what is given for the case that there is none.
func (p *person) ask(ctx context.Context, question, otherwise string) (string, error) {
	if otherwise != "" {
		question += " [" + otherwise + "]"
	}
	p.lines.SetPrompt(question + ": ")
	answer, err := p.line(ctx, p.lines.ReadLine)
	if answer == "" {
		answer = otherwise
	}
	return answer, err
}

// askSecret asks for something that the terminal must not show.
func (p *person) askSecret(ctx context.Context, question string) (string, error) {
	return p.line(ctx, func() (string, error) { return p.lines.ReadPassword(question + ": ") })
}

// yes asks a question until it is answered with yes or no.
func (p *person) yes(ctx context.Context, question string, otherwise bool) (bool, error) {
	word := map[bool]string{true: "yes", false: "no"}[otherwise]
	for {
		answer, err := p.ask(ctx, question+" (yes or no)", word)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		fmt.Fprintf(p.out, "%q is neither yes nor no.\n", answer)
	}
}

// line reads one line with the terminal in raw mode, which ends with it in every case. The error is errLeft after
// Ctrl-C or if the terminal goes away, and the cause of ctx if that ends.
func (p *person) line(ctx context.Context, read func() (string, error)) (string, error) {
	reader, err := cancelreader.NewReader(p.in)
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	defer reader.Close()
	p.answers = reader
	if width, height, err := term.GetSize(int(p.in.Fd())); err == nil && width > 0 {
		_ = p.lines.SetSize(width, height) // fails only for a width that it cannot have
	}
	before, err := term.MakeRaw(int(p.in.Fd()))
	if err != nil {
		return "", fmt.Errorf("read from the terminal: %w", err)
	}
	cancelled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		reader.Cancel()
	})
	answer, err := read()
	if !stop() {
		<-cancelled
		p.lines = term.NewTerminal(p, "") // the old one keeps the half of a line
	}
	if back := term.Restore(int(p.in.Fd()), before); err == nil {
		err = back
	}
	switch {
	case errors.Is(err, term.ErrPasteIndicator):
		err = nil
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = errLeft
	}
	if err != nil {
		fmt.Fprintln(p.out)
	}
	return strings.TrimSpace(answer), err
}
