package hub

import (
	"errors"
	"io/fs"
	"maps"
	"sync"

	"github.com/rs/zerolog"

	"solarhub/plugin/host"
)

// saver writes batches to the cache in a goroutine of its own, so that a slow disk never delays a reading or the answer
// to a set-value. It belongs to the Hub, which waits for it.
type saver struct {
	keeper  Keeper
	log     zerolog.Logger
	notify  func(host.Notice)
	batches chan map[string][]byte
	results chan saved
	running sync.WaitGroup
	busy    bool
	fine    bool // the last batch was written
	failed  int  // batches since the last that was written
}

// saved is the end of a batch.
type saved struct {
	batch map[string][]byte
	err   error
}

// refused is an error of a Keeper that has written everything but some keys, which it can never write.
type refused interface {
	error
	Keys() []string
}

func newSaver(k Keeper, notify func(host.Notice), log zerolog.Logger) *saver {
	s := &saver{keeper: k, notify: notify, log: log,
		batches: make(chan map[string][]byte, 1), results: make(chan saved, 1)}
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

// done takes the end of a batch. What could not be written is pending again, except what has changed since. So pending
// holds everything while the cache cannot be used, and is as large as the cache at most. What can never be written is
// dropped.
func (s *saver) done(r saved, pending map[string][]byte) {
	s.busy = false
	if never, ok := errors.AsType[refused](r.err); ok {
		s.log.Error().Err(r.err).Strs("keys", never.Keys()).
			Msg("These values cannot be kept over a restart; please report it, as SolarHub should not make them")
		r.err = nil
	}
	if r.err != nil {
		for k, v := range r.batch {
			if _, newer := pending[k]; !newer {
				pending[k] = v
			}
		}
	}
	s.tell(r.err)
}

// remindEvery is after how many failed batches the host is told again, which forgets what it was told when it restarts:
// every 5 minutes.
const remindEvery = 60

// tell tells the owner that the cache cannot be written, or with nil that it can. A change is logged once.
func (s *saver) tell(err error) {
	if err == nil {
		if s.failed > 0 {
			s.log.Info().Msg("The cache is written again")
		}
		if !s.fine { // also at first: a process before this one may have ended while it could not be written
			s.notify(host.Notice{Kind: host.NoticeCache})
		}
		s.fine, s.failed = true, 0
		return
	}
	if s.failed == 0 {
		s.log.Error().Err(err).Msg("The cache cannot be written, so old values will be shown after a restart. Make " +
			"room on the disk or make the folder writable. SolarHub goes on and tries again every few seconds")
	}
	if s.failed%remindEvery == 0 {
		s.notify(host.Notice{Kind: host.NoticeCache, Reason: plainly(err)})
	}
	s.fine, s.failed = false, s.failed+1
}

// plainly says what is wrong with which file, as far as it is one, and leaves out who tried what.
func plainly(err error) string {
	if file, ok := errors.AsType[*fs.PathError](err); ok {
		return file.Path + ": " + file.Err.Error()
	}
	return err.Error()
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
