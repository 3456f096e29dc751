package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Damage says that a part of a cache, or all of it, could not be read. What precedes it is kept.
type Damage struct {
	Aside string // where the old content is now, for whoever wants to look into it; "": only its last batch is left out
	Err   error  // what was wrong
}

func (d *Damage) Error() string { return d.Err.Error() }

func (d *Damage) Unwrap() error { return d.Err }

// damaged sets the content aside, unless only its end is missing: that is so after each process that was killed while
// it wrote. The next batch begins a new file. The error is *Damage, or why the content stays where it is.
func (s *Store) damaged(bad error) error {
	if errors.Is(bad, errUnfinished) {
		return &Damage{Err: bad}
	}
	older, _ := filepath.Glob(s.path(aside + "*"))
	away := s.path(aside + time.Now().UTC().Format("20060102-150405.000"))
	if err := os.Rename(s.path(content), away); err != nil {
		return fmt.Errorf("%w, and it cannot be set aside: %w", bad, err)
	}
	for _, o := range older { // one is enough to look into; more would fill the disk
		_ = os.RemoveAll(o)
	}
	return &Damage{Aside: away, Err: bad}
}
