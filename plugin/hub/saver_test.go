package hub

import (
	"errors"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestAFailedBatchIsTriedAgain(t *testing.T) {
	var got []map[string][]byte
	full := true
	var logged strings.Builder
	s := newSaver(fakeKeeper{put: func(b map[string][]byte) error {
		if full {
			return errors.New("disk full")
		}
		got = append(got, b)
		return nil
	}}, zerolog.New(&logged))
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
	full = false
	s.last(pending)
	s.end()
	if len(pending) != 0 || len(got) != 1 || len(got[0]) != 2 || !strings.Contains(logged.String(), "written again") {
		t.Errorf("pending %v, written %v, logged %s", pending, got, logged.String())
	}
}
