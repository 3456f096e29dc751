//go:build unix

package sim

import (
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// openTerminal opens a pseudo terminal that is raw from the beginning: otherwise it would send replies back before a
// client has set it.
func openTerminal() (master, client *os.File, err error) {
	blocking, client, err := pty.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("open a pty: %w", err)
	}
	defer blocking.Close()
	if _, err = term.MakeRaw(int(client.Fd())); err == nil {
		master, err = pollable(blocking)
	}
	if err != nil {
		client.Close()
		return nil, nil, fmt.Errorf("open a pty: %w", err)
	}
	return master, client, nil
}

// pollable returns a second descriptor of f that is in the runtime's poller, so that Close and deadlines end a Read.
func pollable(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
