package hub

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"solarhub/plugin/host"
)

func TestAFailedBatchIsTriedAgain(t *testing.T) {
	var got []map[string][]byte
	full := true
	var logged strings.Builder
	var told []string
	notify := func(n host.Notice) { told = append(told, n.Kind+": "+n.Reason) }
	s := newSaver(fakeKeeper{put: func(b map[string][]byte) error {
		if full {
			return errors.New("disk full")
		}
		got = append(got, b)
		return nil
	}}, notify, zerolog.New(&logged))
	pending := map[string][]byte{"a": []byte("1"), "b": []byte("1")}
	s.offer(pending)
	pending["a"] = []byte("2")
	s.offer(pending) // the first is still being written, or its end was not taken
	if len(pending) != 1 {
		t.Errorf("pending %v", pending)
	}
	s.done(<-s.results, pending)
	if string(pending["a"]) != "2" || string(pending["b"]) != "1" {
		t.Errorf("pending %v", pending)
	}
	s.offer(pending)
	s.done(<-s.results, pending)
	if n := strings.Count(logged.String(), "cannot be written"); n != 1 {
		t.Errorf("told %d times", n)
	}
	for range remindEvery {
		s.offer(pending)
		s.done(<-s.results, pending)
	}
	full = false
	s.last(pending)
	s.end()
	if len(pending) != 0 || len(got) != 1 || len(got[0]) != 2 || !strings.Contains(logged.String(), "written again") {
		t.Errorf("pending %v, written %v, logged %s", pending, got, logged.String())
	}
	if want := []string{"cache: disk full", "cache: disk full", "cache: "}; !slices.Equal(told, want) {
		t.Errorf("the host is told %q, want %q", told, want)
	}
}

// neverError is what a Keeper says of a key that it can never write.
type neverError struct{ key string }

func (e neverError) Error() string  { return e.key + " is too long" }
func (e neverError) Keys() []string { return []string{e.key} }

// A value that can never be written must not be tried for ever, and the host is not told that the cache is away.
func TestARefusedValueIsDropped(t *testing.T) {
	var logged strings.Builder
	var told []host.Notice
	s := newSaver(fakeKeeper{put: func(map[string][]byte) error {
		return fmt.Errorf("cache: %w",
			neverError{"ledger/001"})
	}},
		func(n host.Notice) { told = append(told, n) }, zerolog.New(&logged))
	defer s.end()
	pending := map[string][]byte{"ledger/001": {}, "value/a": {}}
	s.last(pending)
	if len(pending) != 0 || !strings.Contains(logged.String(), `"keys":["ledger/001"]`) {
		t.Errorf("pending %v, logged %s", pending, logged.String())
	}
	if len(told) != 1 || told[0].Reason != "" {
		t.Errorf("told %v", told)
	}
}
