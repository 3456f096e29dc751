package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// ErrPTYClosed: the pty has been closed for good.
var ErrPTYClosed = errors.New("pty is closed")

// PTY is a serial port made of a pseudo terminal. A client opens Path. Safe for concurrent use.
type PTY struct {
	link string

	mu      sync.Mutex
	master  *os.File // nil while unplugged
	client  *os.File // the client's side, held open: without it every close by a client would end the master
	closed  bool
	changed chan struct{} // closed at each Plug, Unplug and Close
}

// OpenPTY opens a pseudo terminal, plugged in. With link not empty a symbolic link of that name leads to it for as long
// as it is plugged in; one left behind by an earlier run is replaced, anything else there is an error.
func OpenPTY(link string) (*PTY, error) {
	p := &PTY{link: link, changed: make(chan struct{})}
	if err := p.Plug(); err != nil {
		return nil, err
	}
	return p, nil
}

// Path returns what a client opens: the link, or the terminal itself if there is none; empty while that is unplugged.
func (p *PTY) Path() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.link != "":
		return p.link
	case p.client != nil:
		return p.client.Name()
	}
	return ""
}

// Plug opens a new terminal and puts it under the same link. It does nothing if p is plugged in.
func (p *PTY) Plug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrPTYClosed
	}
	if p.master != nil {
		return nil
	}
	master, client, err := openTerminal()
	if err != nil {
		return err
	}
	if p.link != "" {
		if err := relink(client.Name(), p.link); err != nil {
			master.Close()
			client.Close()
			return fmt.Errorf("plug in %s: %w", p.link, err)
		}
	}
	p.master, p.client = master, client
	p.signal()
	return nil
}

// Unplug takes the terminal away, as pulling out a USB adapter does: a client's reads and writes fail and the link is
// gone.
func (p *PTY) Unplug() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.master == nil {
		return nil
	}
	defer p.signal()
	var unlinked error
	if p.link != "" {
		unlinked = os.Remove(p.link)
	}
	// The master may already be closed by the connection that served it.
	if err := p.master.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		unlinked = errors.Join(unlinked, err)
	}
	unlinked = errors.Join(unlinked, p.client.Close())
	p.master, p.client = nil, nil
	if unlinked != nil {
		return fmt.Errorf("unplug: %w", unlinked)
	}
	return nil
}

// Close unplugs for good.
func (p *PTY) Close() error {
	err := p.Unplug()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.signal()
	}
	return err
}

// signal tells plugged that something has changed. The lock is held.
func (p *PTY) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *PTY) state() (master *os.File, closed bool, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.master, p.closed, p.changed
}

// plugged returns the terminal's master, waiting for Plug if need be.
func (p *PTY) plugged(ctx context.Context) (*os.File, error) {
	for {
		master, closed, changed := p.state()
		switch {
		case closed:
			return nil, ErrPTYClosed
		case master != nil:
			return master, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// holds reports whether master has not been unplugged.
func (p *PTY) holds(master *os.File) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.master == master
}

// relink makes link lead to target. What is there already must be a link to a terminal.
func relink(target, link string) error {
	old, err := os.Readlink(link)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("there is something else that is no link: %w", err)
	case !strings.HasPrefix(old, "/dev/"):
		return fmt.Errorf("there is a link to %s, which is no terminal", old)
	default:
		if err := os.Remove(link); err != nil {
			return err
		}
	}
	return os.Symlink(target, link)
}
