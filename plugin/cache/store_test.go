package cache

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
	}
	goleak.VerifyTestMain(m,
		// Badger leaves these two behind when it cannot open a damaged key registry. A Store that is not closed
		// leaves others too, which are found.
		goleak.IgnoreTopFunction("github.com/dgraph-io/badger/v4.(*DB).monitorCache"),
		goleak.IgnoreTopFunction("github.com/dgraph-io/ristretto/v2/z.(*AllocatorPool).freeupAllocators"))
}

// opened is a cache that must be in order, and that the test closes.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, damage, err := Open(dir, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	if damage != nil {
		t.Fatalf("damage: %v", damage.Err)
	}
	return s
}

func closed(t *testing.T, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *Store, batch map[string]string) {
	t.Helper()
	b := map[string][]byte{}
	for k, v := range batch {
		b[k] = []byte(v)
	}
	if err := s.Put(b); err != nil {
		t.Fatal(err)
	}
}

func all(t *testing.T, s *Store, prefix string) map[string]string {
	t.Helper()
	got := map[string]string{}
	if err := s.Each(prefix, func(k string, v []byte) error { got[k] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestValuesSurviveClosing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	s := opened(t, dir)
	put(t, s, map[string]string{"a/1": "one", "a/2": "two", "b/1": "", "long": strings.Repeat("x", 5000)})
	put(t, s, map[string]string{"a/1": "uno"})
	if err := s.Put(map[string][]byte{"a/2": nil, "never": nil}); err != nil {
		t.Fatal(err)
	}
	closed(t, s)

	s = opened(t, dir)
	defer closed(t, s)
	if got, want := all(t, s, "a/"), map[string]string{"a/1": "uno"}; !maps.Equal(got, want) {
		t.Errorf("a/: %v, want %v", got, want)
	}
	if got := all(t, s, ""); len(got) != 3 || len(got["long"]) != 5000 {
		t.Errorf("%d values, long has %d bytes", len(got), len(got["long"]))
	}
	if b, ok := all(t, s, "b/")["b/1"]; !ok || b != "" {
		t.Errorf("an empty value: %q %t", b, ok)
	}
	if err := s.Put(nil); err != nil {
		t.Error(err)
	}
	stop := errors.New("enough")
	if err := s.Each("", func(string, []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("each ends with %v", err)
	}
	if err := s.Put(map[string][]byte{"": []byte("x")}); err == nil {
		t.Error("an empty key is taken")
	}
}

func TestTheLockOfAnother(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	_, _, err := Open(dir, zerolog.Nop())
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Dir != dir || locked.PID != os.Getpid() {
		t.Fatalf("second opening: %v", err)
	}
	if want := fmt.Sprintf("the cache folder %s is in use by another process (id %d)", dir, os.Getpid()); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %q", err)
	}
	put(t, s, map[string]string{"k": "v"}) // the refused one has not disturbed it
	closed(t, s)
	s = opened(t, dir)
	defer closed(t, s)
	if got := all(t, s, ""); got["k"] != "v" {
		t.Errorf("left: %v", got)
	}
	if got := (&LockedError{Dir: "d"}).Error(); !strings.Contains(got, "by another process:") {
		t.Errorf("without a process id: %q", got)
	}
}

func TestAFolderThatCannotBeUsed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(filepath.Join(file, "dir"), zerolog.Nop()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("a folder inside a file: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, content), []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, damage, err := Open(dir, zerolog.Nop()) // a file where the content belongs is damage
	if err != nil || damage == nil {
		t.Fatalf("damage %v, error %v", damage, err)
	}
	closed(t, s)
}

func TestMaintainEndsWithItsContext(t *testing.T) {
	s := opened(t, t.TempDir())
	defer closed(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Maintain(ctx) }()
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.collect(t.Context()); err != nil {
		t.Errorf("collect: %v", err)
	}
}

// TestMemoryTablesFitTheBuilder holds the settings to what is safe on 32-bit machines; see options. The updates fill the memory
// table several times over.
func TestMemoryTablesFitTheBuilder(t *testing.T) {
	o := options("")
	if o.MemTableSize > o.BaseTableSize {
		t.Errorf("MemTableSize %d exceeds BaseTableSize %d", o.MemTableSize, o.BaseTableSize)
	}
	if o.Compression != 0 {
		t.Errorf("compression %d", o.Compression)
	}
	if o.ValueThreshold > o.MemTableSize*15/100 {
		t.Errorf("ValueThreshold %d exceeds 15 %% of MemTableSize %d", o.ValueThreshold, o.MemTableSize)
	}
	dir := t.TempDir()
	s := opened(t, dir)
	const seed = 7
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	want := map[string]string{}
	for range 60 {
		batch := map[string]string{}
		for range 250 {
			batch[fmt.Sprintf("key-%d", random.IntN(2000))] = strings.Repeat(string(rune('a'+random.IntN(26))), 200)
		}
		maps.Copy(want, batch)
		put(t, s, batch)
	}
	closed(t, s)
	s = opened(t, dir)
	defer closed(t, s)
	if got := all(t, s, ""); !maps.Equal(got, want) {
		t.Errorf("%d of %d values are there", len(got), len(want))
	}
}

func TestLogging(t *testing.T) {
	var text strings.Builder
	l := logger{zerolog.New(&text).Level(zerolog.DebugLevel)}
	l.Errorf("bad %d\n", 1)
	l.Warningf("odd %d", 2)
	l.Infof("daily")
	l.Debugf("more")
	want := `{"level":"warn","part":"badger","message":"bad 1"}` + "\n" + `{"level":"debug","part":"badger","message":"odd 2"}` + "\n"
	if text.String() != want {
		t.Errorf("logged %s", text.String())
	}
}
