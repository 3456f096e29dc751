//go:build unix

package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// longest is how many bytes the path of a socket may have: 104 with the zero behind it on macOS and the BSDs, 108 on
// Linux (unix(4), unix(7)).
const longest = 103

// made is what a socket is called while it is made: hardly longer than its name at its place.
const made = "s"

// Listen opens the socket of a data folder, which only the user of this process and root can open. What an earlier
// process has left is replaced: the caller has the lock of the cache in the folder, so nobody else is alive there.
// Close removes it.
//
// The socket is made in a folder that nobody else can enter and moved to its place when its permissions are right.
// Where the path is too long for a socket, it stays in that folder, among the temporary files, and a symbolic link in
// the data folder leads to it.
func Listen(data string) (net.Listener, error) {
	at := place(data)
	l, err := listen(data, at)
	if err != nil {
		return nil, fmt.Errorf("open the control socket %s: %w", at, err)
	}
	return l, nil
}

func listen(data, at string) (net.Listener, error) {
	private, err := os.MkdirTemp(data, ".c")
	if err != nil {
		return nil, err
	}
	far := max(len(filepath.Join(private, made)), len(at)) > longest
	if far {
		_ = os.Remove(private)
		if private, err = os.MkdirTemp("", "solarhub-"); err != nil {
			return nil, err
		}
	}
	own := filepath.Join(private, made)
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: own, Net: "unix"})
	if err != nil {
		return nil, errors.Join(err, os.Remove(private))
	}
	l.SetUnlinkOnClose(false)
	s := &socket{UnixListener: l, at: at, private: private}
	if err := errors.Join(os.Chmod(own, 0o600), s.show(own, far)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// socket is a listener that removes its files.
type socket struct {
	*net.UnixListener
	at      string // where it is looked for
	private string // the folder in which it was made; empty: it is no longer needed
}

// show puts the socket, or a link to it, where it is looked for.
func (s *socket) show(own string, far bool) error {
	if far {
		if err := os.Remove(s.at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return os.Symlink(own, s.at)
	}
	if err := os.Rename(own, s.at); err != nil {
		return err
	}
	private := s.private
	s.private = ""
	return os.Remove(private)
}

// Close ends the listening and removes the socket.
func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	_ = os.Remove(s.at) // it may be gone with its folder
	if s.private != "" {
		_ = os.RemoveAll(s.private)
	}
	return err
}

// connect connects with the program of a data folder. The error wraps ErrNobody where nobody listens.
func connect(ctx context.Context, data string) (net.Conn, error) {
	at := place(data)
	if far, err := os.Readlink(at); err == nil {
		at = far
	}
	if len(at) > longest { // so none was made there
		return nil, ErrNobody
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", at)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, fmt.Errorf("%w (%s)", ErrNobody, at)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s belongs to another user: run this command as the user of the SolarHub that runs, "+
			"or with sudo", at)
	case err != nil:
		return nil, fmt.Errorf("ask the SolarHub that runs: %w", err)
	}
	return conn, nil
}
