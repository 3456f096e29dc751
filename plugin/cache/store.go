// Package cache keeps what must survive a restart: small values under text keys, in one folder that one process owns. It is
// Badger behind a few methods, with settings measured for a small computer. It knows nothing of what the values mean.
package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/rs/zerolog"
)

// Store is an open cache. Its methods may be called from several goroutines, but not after Close.
type Store struct {
	db   *badger.DB
	lock *lock
}

// Damage says that the content of a cache could not be read, so that an empty one has taken its place.
type Damage struct {
	Aside string // the folder that holds the old content now, for whoever wants to look into it
	Err   error  // what was wrong
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
	return fmt.Sprintf("the cache folder %s is in use by %s: stop it, or give this SolarHub a folder of its own with `data:`", e.Dir, who)
}

// The folders inside that of the cache.
const (
	content = "state"
	aside   = "damaged-"
)

// Open opens the cache in dir, which is made if it is not there. Errors: *LockedError, or why the folder cannot be used.
// Content that cannot be read is no error: it is set aside, the cache begins empty, and damage says so.
func Open(dir string, log zerolog.Logger) (s *Store, damage *Damage, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open cache: %w", err)
	}
	held, err := acquire(dir)
	if err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, content)
	db, bad := open(path, log)
	if bad != nil {
		if db, damage, err = afresh(dir, path, bad, log); err != nil {
			return nil, nil, errors.Join(err, held.release())
		}
	}
	return &Store{db: db, lock: held}, damage, nil
}

// afresh sets the content aside and begins anew. If an empty folder cannot be opened either, the content is not to blame, and
// is put back.
func afresh(dir, path string, bad error, log zerolog.Logger) (*badger.DB, *Damage, error) {
	older, _ := filepath.Glob(filepath.Join(dir, aside+"*"))
	away := filepath.Join(dir, aside+time.Now().UTC().Format("20060102-150405.000"))
	if err := os.Rename(path, away); err != nil {
		return nil, nil, fmt.Errorf("open cache: %w, and it cannot be set aside: %w", bad, err)
	}
	db, err := open(path, log)
	if err != nil {
		_ = os.RemoveAll(path)
		return nil, nil, fmt.Errorf("open cache: %w", errors.Join(err, os.Rename(away, path)))
	}
	for _, o := range older { // one is enough to look into; more would fill the disk
		_ = os.RemoveAll(o)
	}
	return db, &Damage{Aside: away, Err: bad}, nil
}

// open opens the database and reads all of it once, so that damage shows now. Badger panics on some damage, and a file cut
// short faults when its memory is touched; both become errors.
func open(path string, log zerolog.Logger) (db *badger.DB, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			first, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprint(p)), "\n")
			err = fmt.Errorf("read %s: %s", path, first)
		}
		if err != nil && db != nil {
			closeDamaged(db)
			db = nil
		}
	}()
	if err = errors.Join(inspect(path), dropEmpty(path)); err != nil {
		return nil, err
	}
	if db, err = badger.Open(options(path).WithLogger(logger{log})); err != nil {
		return nil, err
	}
	err = each(db, "", func(string, []byte) error { return nil })
	return db, err
}

func closeDamaged(db *badger.DB) {
	defer func() { _ = recover() }()
	_ = db.Close()
}

// Each calls f for every key that begins with prefix, in order of the keys. value is f's to keep. It ends with the error of f.
func (s *Store) Each(prefix string, f func(key string, value []byte) error) error {
	return each(s.db, prefix, f)
}

func each(db *badger.DB, prefix string, f func(key string, value []byte) error) error {
	return db.View(func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.Prefix = []byte(prefix)
		o.PrefetchSize = 16
		it := txn.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			value, err := it.Item().ValueCopy(nil)
			if err != nil {
				return fmt.Errorf("cache: read %s: %w", it.Item().Key(), err)
			}
			if err := f(string(it.Item().KeyCopy(nil)), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// Put writes a batch and returns when it is on the disk; a nil value deletes its key. A batch of up to 100 KB is written as a
// whole or not at all. It costs about 0.5 ms on a good disk and up to 50 ms on an SD card: gather changes for seconds.
func (s *Store) Put(batch map[string][]byte) error {
	if len(batch) == 0 {
		return nil
	}
	w := s.db.NewWriteBatch()
	defer w.Cancel()
	for key, value := range batch {
		var err error
		if value == nil {
			err = w.Delete([]byte(key))
		} else {
			err = w.Set([]byte(key), value)
		}
		if err != nil {
			return fmt.Errorf("cache: put %s: %w", key, err)
		}
	}
	if err := errors.Join(w.Flush(), s.db.Sync()); err != nil {
		return fmt.Errorf("cache: put %d values: %w", len(batch), err)
	}
	return nil
}

// Upkeep is how often Maintain gives space back. A value log file of 1 MB fills in hours.
const Upkeep = 10 * time.Minute

// Maintain gives space back from time to time until ctx ends, and returns nil then.
func (s *Store) Maintain(ctx context.Context) error {
	tick := time.NewTicker(Upkeep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.collect(ctx); err != nil {
			return err
		}
	}
}

// collect rewrites value log files of which half is overwritten, until there is none.
func (s *Store) collect(ctx context.Context) error {
	for ctx.Err() == nil {
		err := s.db.RunValueLogGC(0.5)
		if errors.Is(err, badger.ErrNoRewrite) || errors.Is(err, badger.ErrRejected) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("cache: collect: %w", err)
		}
	}
	return nil
}

// Close closes the cache; Maintain must have returned. It is called once.
func (s *Store) Close() error {
	if err := errors.Join(s.db.Close(), s.lock.release()); err != nil {
		return fmt.Errorf("close cache: %w", err)
	}
	return nil
}
