// Package lock keeps a thing for one process: a lock on a file, which the system takes back when the process ends,
// however it ends.
package lock

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
)

// HeldError: another process has the lock.
type HeldError struct {
	Path string // of the lock file
	PID  int    // of the other process; 0: unknown
}

func (e *HeldError) Error() string {
	if e.PID == 0 {
		return e.Path + " is held by another process"
	}
	return fmt.Sprintf("%s is held by another process (id %d)", e.Path, e.PID)
}

// Lock is a lock that this process has.
type Lock struct{ file *os.File }

// Acquire takes the lock of a file without waiting, and makes the file if it is missing. Every user of the machine can
// take the lock. The error is a *HeldError, or says why the file cannot be used.
func Acquire(path string) (*Lock, error) {
	for range 10 { // each time the holder before has just removed the file
		file, err := open(path)
		if err != nil {
			return nil, fmt.Errorf("lock: %w", err)
		}
		held, err := try(file)
		if err == nil && !held {
			err = &HeldError{Path: path, PID: owner(file)}
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		if !current(file, path) {
			file.Close()
			continue
		}
		// The process id is a courtesy to whoever does not get the lock. A failure to write it down does no harm.
		_ = file.Truncate(0)
		_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
		return &Lock{file: file}, nil
	}
	return nil, fmt.Errorf("lock: %s comes and goes", path)
}

// current reports whether a file is still the one at path.
func current(file *os.File, path string) bool {
	mine, err := file.Stat()
	now, gone := os.Stat(path)
	return err == nil && gone == nil && os.SameFile(mine, now)
}

// open opens the file, whoever owns it, or makes it for every user. It opens an existing file without O_CREATE, because
// in a folder like /tmp the system refuses O_CREATE for another user's file (fs.protected_regular).
func open(path string) (*os.File, error) {
	for range 2 { // another process may make the file between the two
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return file, err
		}
		file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			if err == nil {
				_ = file.Chmod(0o666) // whatever the umask says
			}
			return file, err
		}
	}
	return nil, fmt.Errorf("%s: comes and goes", path)
}

// owner returns the process id in the file, or 0.
func owner(file *os.File) int {
	text := make([]byte, 20)
	n, _ := file.ReadAt(text, 0)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(text[:n])))
	if err != nil {
		return 0
	}
	return pid
}

// Held reports whether the lock still keeps others away: its file may have been removed, or another one put in its
// place.
func (l *Lock) Held() bool { return l.file != nil && current(l.file, l.file.Name()) }

// Release gives the lock up. It removes the file first, while nobody else can have the lock; a process that has just
// opened the file notices and tries again.
func (l *Lock) Release() error {
	if l.file == nil {
		return nil
	}
	if !l.Held() {
		return l.file.Close() // the file of that name is somebody else's
	}
	_ = os.Remove(l.file.Name()) // it may be another user's, or Windows may refuse: then it stays
	return l.file.Close()
}
