// Package cache keeps what must survive a restart: small values under text keys, in one folder that one process owns.
// It knows nothing of what the values mean.
//
// Badger holds the values in memory, and a file of batches holds them on the disk. Badger's own files are not used,
// because it maps them into memory: a write to a mapped file on a full disk and a read of a mapped file on a bad disk
// kill the process with SIGBUS, in goroutines of Badger's own, where nobody can catch it. A file that is written with
// write and fsync returns an error.
package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"

	"solarhub/plugin/lock"
)

// Store is an open cache. Its methods may be called from several goroutines, but not after Close.
type Store struct {
	dir string
	log zerolog.Logger

	mu   sync.Mutex
	db   *badger.DB // holds what the file holds, and nothing else
	lock *lock.Lock // nil: the folder could not be taken yet
	file *os.File   // what batches are appended to; nil: the next batch begins a new file
	size int64      // of file
	full int64      // the size at which a new file is begun, which holds each value once
}

// LockedError: another process uses the cache.
type LockedError struct {
	Dir string
	PID int // of the other process; 0: unknown
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("another process (id %d)", e.PID)
	}
	return fmt.Sprintf("the cache folder %s is in use by %s: stop it, or give this SolarHub a folder of its own "+
		"with `data:`",
		e.Dir, who)
}

// Names in the folder of a cache.
const (
	content    = "state"     // the file of batches
	newContent = "state.new" // the file that will take its place
	lockName   = "lock"
	aside      = "damaged-" // + time: an old content that could not be read
)

// Open opens the cache in dir, which is made if it is not there. The only error is *LockedError. A folder that cannot
// be used is no error: the cache begins with what could be read, and Put tries again and says why. Content that is
// damaged is no error either: what precedes the damage is kept, and damage tells the rest. damage is nil if all is
// well.
func Open(dir string, log zerolog.Logger) (s *Store, damage *Damage, err error) {
	db, err := newMemory(log)
	if err != nil {
		return nil, nil, fmt.Errorf("open cache: %w", err)
	}
	s = &Store{dir: dir, log: log, db: db}
	err = s.attach()
	if locked, ok := errors.AsType[*LockedError](err); ok {
		return nil, nil, errors.Join(locked, db.Close())
	}
	damage, _ = errors.AsType[*Damage](err)
	return s, damage, nil
}

// take makes the folder of a cache if it is not there, and locks it.
func take(dir string) (*lock.Lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := lock.Acquire(filepath.Join(dir, lockName))
	if held, ok := errors.AsType[*lock.HeldError](err); ok {
		return nil, &LockedError{Dir: dir, PID: held.PID}
	}
	return l, err
}

// attach takes the folder and what its file holds. Values that are in memory already are newer and stay.
func (s *Store) attach() error {
	held, err := take(s.dir)
	if _, ok := errors.AsType[*LockedError](err); ok {
		return err
	}
	s.lock = held
	known, bad := snapshot(s.db)
	if bad != nil {
		return bad
	}
	found, bad := read(s.path(content))
	maps.DeleteFunc(found, func(key string, _ []byte) bool { return known[key] != nil })
	bad = errors.Join(bad, apply(s.db, found)) // also if the folder cannot be written: old values are better than none
	switch {
	case err != nil:
		return err
	case errors.Is(bad, fs.ErrNotExist):
		return nil
	case bad != nil:
		return s.damaged(bad)
	case len(known) == 0:
		s.resume()
	}
	return nil
}

// resume has the next batch appended to the file that was read. If that cannot be, a new one is begun.
func (s *Store) resume() {
	file, err := os.OpenFile(s.path(content), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return
	}
	if info, err := file.Stat(); err == nil {
		s.begin(file, info.Size())
	}
}

// begin makes file the one that batches are appended to.
func (s *Store) begin(file *os.File, size int64) {
	s.file, s.size, s.full = file, size, size+max(size, leastGrowth)
}

// leastGrowth is how much is appended before a new file is begun. A file grows to twice its size at least, so that no
// value is written more than twice on the average.
const leastGrowth = 256 << 10

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Each calls f for every key that begins with prefix, in order of the keys. value is f's to keep. It ends with the
// error of f, which must not call the Store.
func (s *Store) Each(prefix string, f func(key string, value []byte) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return each(s.db, prefix, f)
}

// Put writes a batch and returns when it is on the disk; a nil value deletes its key. A batch is written as a whole or
// not at all. It costs about 0.5 ms on a good disk and up to 50 ms on an SD card: gather changes for seconds.
//
// With a *RefusedError everything but the keys that it names is on the disk. With any other error nothing of the batch
// is kept, and it may succeed later.
func (s *Store) Put(batch map[string][]byte) error {
	good, refused := sift(batch)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(good) > 0 {
		if err := s.put(good); err != nil {
			return fmt.Errorf("cache: put %d values: %w", len(good), err)
		}
	}
	if refused != nil {
		return refused
	}
	return nil
}

func (s *Store) put(batch map[string][]byte) error {
	if !s.attached() {
		s.detach()
		if err := s.attach(); err != nil {
			return err
		}
	}
	if s.file == nil || s.size > s.full {
		return s.rewrite(batch)
	}
	frame := encode(batch)
	if err := write(s.file, frame); err != nil {
		s.leave() // how much of the frame is in the file is not known: nothing may follow it
		return err
	}
	s.size += int64(len(frame))
	return apply(s.db, batch)
}

// rewrite begins a new file, which holds each value once, and a new table in memory, which forgets what was replaced.
// The old file stays until the new one is complete.
func (s *Store) rewrite(batch map[string][]byte) error {
	values, err := snapshot(s.db)
	if err != nil {
		return err
	}
	maps.Copy(values, batch)
	maps.DeleteFunc(values, func(_ string, value []byte) bool { return value == nil })
	size, err := create(s.path(newContent), values)
	if err != nil {
		return err
	}
	db, err := newMemory(s.log)
	if err != nil {
		return err
	}
	if err := apply(db, values); err != nil {
		return errors.Join(err, db.Close())
	}
	s.leave() // Windows renames nothing onto an open file
	if err := os.Rename(s.path(newContent), s.path(content)); err != nil {
		return errors.Join(err, db.Close())
	}
	old := s.db
	s.db = db
	syncFolder(s.dir)
	if file, err := os.OpenFile(s.path(content), os.O_WRONLY|os.O_APPEND, 0); err == nil {
		s.begin(file, size)
	}
	return old.Close()
}

// attached reports whether the folder is held, and whether the files in it are those that were opened: it may have been
// removed, or another file system may have been mounted over it.
func (s *Store) attached() bool {
	return s.lock != nil && s.lock.Held() && (s.file == nil || inPlace(s.file))
}

func inPlace(file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(file.Name())
	return err == nil && os.SameFile(opened, named)
}

func (s *Store) detach() {
	s.leave()
	if s.lock != nil {
		_ = s.lock.Release()
		s.lock = nil
	}
}

// leave closes the file, so that the next batch begins a new one.
func (s *Store) leave() {
	if s.file != nil {
		_ = s.file.Close() // each batch was synced
		s.file = nil
	}
}

// Close closes the cache. It is called once.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.detach()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close cache: %w", err)
	}
	return nil
}
