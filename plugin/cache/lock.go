package cache

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// lock is the hold of one process on a cache folder. The system lets go of it when the process ends, however it ends.
// Badger has one too, but tells its refusal by a text only, and would let go of it while content is set aside.
type lock struct{ file *os.File }

// acquire takes the lock of dir, or fails with *LockedError.
func acquire(dir string) (*lock, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	held, err := try(file)
	if err == nil && !held {
		err = &LockedError{Dir: dir, PID: owner(file)}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	// Who holds it is a courtesy to whoever does not get it: a failure to write it down harms nothing.
	_ = file.Truncate(0)
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())), 0)
	return &lock{file: file}, nil
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

// release lets go. The file stays: deleting it would let two processes hold locks on two files of the same name.
func (l *lock) release() error { return l.file.Close() }

// Held returns a *LockedError if another process uses the cache in dir. It changes nothing; a folder that is not there is used by
// nobody.
func Held(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
	if err != nil {
		return nil // nobody has begun, or one whose files are not ours to look at
	}
	defer file.Close()
	if free, err := try(file); err == nil && !free {
		return &LockedError{Dir: dir, PID: owner(file)}
	}
	return nil
}
