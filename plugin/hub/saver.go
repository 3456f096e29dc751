package hub

import (
	"maps"
	"sync"

	"github.com/rs/zerolog"
)

// saver writes batches to the cache in a goroutine of its own, so that a slow disk never delays a reading or the answer
// to a set-value. It belongs to the Hub, which waits for it.
type saver struct {
	keeper  Keeper
	log     zerolog.Logger
	batches chan map[string][]byte
	results chan saved
	running sync.WaitGroup
	busy    bool
	failing bool // so that a full disk is told once
}

// saved is the end of a batch.
type saved struct {
	batch map[string][]byte
	err   error
}

func newSaver(k Keeper, log zerolog.Logger) *saver {
	s := &saver{keeper: k, log: log, batches: make(chan map[string][]byte, 1), results: make(chan saved, 1)}
	s.running.Go(func() {
		for b := range s.batches {
			s.results <- saved{b, k.Put(b)}
		}
	})
	return s
}

// offer hands pending over, and empties it, unless the last batch is still being written.
func (s *saver) offer(pending map[string][]byte) {
	if s.busy || len(pending) == 0 {
		return
	}
	s.busy = true
	s.batches <- maps.Clone(pending) // there is room: nothing is being written
	clear(pending)
}

// done takes the end of a batch. What could not be written is pending again, except what has changed since.
func (s *saver) done(r saved, pending map[string][]byte) {
	s.busy = false
	if r.err != nil {
		for k, v := range r.batch {
			if _, newer := pending[k]; !newer {
				pending[k] = v
			}
		}
	}
	if failing := r.err != nil; failing != s.failing {
		s.failing = failing
		if failing {
			s.log.Error().Err(r.err).Msg("The cache cannot be written: after a restart older values will be shown")
		} else {
			s.log.Info().Msg("The cache is written again")
		}
	}
}

// last writes everything and waits for it.
func (s *saver) last(pending map[string][]byte) {
	if s.busy {
		s.done(<-s.results, pending)
	}
	if len(pending) > 0 {
		s.offer(pending)
		s.done(<-s.results, pending)
	}
}

// end stops the goroutine and waits for it.
func (s *saver) end() {
	close(s.batches)
	s.running.Wait()
}
