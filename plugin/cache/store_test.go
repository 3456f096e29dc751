package cache

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"go.uber.org/goleak"
)

// nobody reads what Badger logs.
var nobody = zerolog.Nop()

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
	}
	goleak.VerifyTestMain(m)
}

// opened is a cache that must be in order, and that the test closes.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, damage, err := Open(dir, nobody)
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
}

func TestTheLockOfAnother(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	_, _, err := Open(dir, nobody)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Dir != dir || locked.PID != os.Getpid() {
		t.Fatalf("second opening: %v", err)
	}
	want := fmt.Sprintf("the cache folder %s is in use by another process (id %d)", dir, os.Getpid())
	if !strings.HasPrefix(err.Error(), want) {
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

// A folder that cannot be used stops nobody: the values come to the disk as soon as it can.
func TestAFolderThatCannotBeUsedYet(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(file, "dir")
	s := opened(t, dir)
	batch := map[string][]byte{"k": []byte("v")}
	for range 2 {
		if err := s.Put(batch); err == nil || !strings.Contains(err.Error(), file) {
			t.Fatalf("a folder inside a file: %v", err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(batch); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	s = opened(t, dir)
	defer closed(t, s)
	if got := all(t, s, ""); got["k"] != "v" {
		t.Errorf("left: %v", got)
	}
}

// What the folder holds when it can be used at last is older than what is in memory, and better than nothing.
func TestAFolderThatComesLate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	s := opened(t, dir)
	put(t, s, map[string]string{"a": "old", "b": "old"})
	closed(t, s)
	away := dir + "-away"
	if err := errors.Join(os.Rename(dir, away), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s = opened(t, dir)
	batch := map[string][]byte{"a": []byte("new")}
	if err := s.Put(batch); err == nil {
		t.Fatal("written into a file")
	}
	if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(batch); err != nil {
		t.Fatal(err)
	}
	closed(t, s)
	s = opened(t, dir)
	defer closed(t, s)
	if got, want := all(t, s, ""), map[string]string{"a": "new", "b": "old"}; !maps.Equal(got, want) {
		t.Errorf("left: %v, want %v", got, want)
	}
}

// A file that is no longer in its folder would take everything, and all of it would be gone with the process.
func TestTheFolderIsRemoved(t *testing.T) {
	for _, gone := range []string{"", content, lockName} {
		t.Run("removed "+gone, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "cache")
			s := opened(t, dir)
			put(t, s, map[string]string{"a": "1"})
			put(t, s, map[string]string{"b": "2"})
			if err := os.RemoveAll(filepath.Join(dir, gone)); err != nil {
				t.Fatal(err)
			}
			put(t, s, map[string]string{"c": "3"})
			closed(t, s)
			s = opened(t, dir)
			defer closed(t, s)
			if got, want := all(t, s, ""), map[string]string{"a": "1", "b": "2", "c": "3"}; !maps.Equal(got, want) {
				t.Errorf("left: %v, want %v", got, want)
			}
		})
	}
}

// One value that can never be written must not keep the others of its batch from the disk.
func TestAValueThatIsTooLong(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	long, most := make([]byte, maxValue+1), make([]byte, maxValue)
	err := s.Put(map[string][]byte{"ledger/001": long, "a": []byte("1"), "most": most, "": {}, "!badger!x": {}})
	refused, ok := errors.AsType[*RefusedError](err)
	if want := []string{"", "!badger!x", "ledger/001"}; !ok || !slices.Equal(refused.Keys(), want) {
		t.Fatalf("refused: %v", err)
	}
	if want := "\"ledger/001\" has a value of 65537 bytes; it may have 65536"; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := s.Put(map[string][]byte{strings.Repeat("k", maxKey+1): {}}); err == nil || len(err.Error()) > 300 {
		t.Errorf("a long key: %v", err)
	}
	put(t, s, map[string]string{"b": "2"})
	closed(t, s)
	s = opened(t, dir)
	defer closed(t, s)
	got := all(t, s, "")
	if got["a"] != "1" || got["b"] != "2" || len(got["most"]) != maxValue || len(got) != 3 {
		t.Errorf("left: %d values, a %q, b %q, most %d bytes", len(got), got["a"], got["b"], len(got["most"]))
	}
}

// The file must not grow for ever, nor the memory.
func TestTheFileIsBegunAnew(t *testing.T) {
	dir := t.TempDir()
	s := opened(t, dir)
	defer closed(t, s)
	batch := map[string]string{}
	for k := range 100 {
		batch[fmt.Sprintf("key-%d", k)] = strings.Repeat("v", 100)
	}
	var most int64
	for range 100 { // a batch has 11 KB
		put(t, s, batch)
		info, err := os.Stat(filepath.Join(dir, content))
		if err != nil {
			t.Fatal(err)
		}
		most = max(most, info.Size())
	}
	if least, limit := int64(leastGrowth), int64(leastGrowth+30<<10); most < least || most > limit {
		t.Errorf("the file had up to %d bytes, want between %d and %d", most, least, limit)
	}
}

// TestMemoryTablesFitTheBuilder holds the settings to what is safe on 32-bit machines; see newMemory. The updates fill
// the table several times over.
func TestMemoryTablesFitTheBuilder(t *testing.T) {
	o := options()
	if o.MemTableSize > o.BaseTableSize {
		t.Errorf("MemTableSize %d exceeds BaseTableSize %d", o.MemTableSize, o.BaseTableSize)
	}
	if o.Compression != 0 {
		t.Errorf("compression %d", o.Compression)
	}
	if maxValue > o.MemTableSize*15/100 {
		t.Errorf("maxValue %d exceeds 15 %% of MemTableSize %d", maxValue, o.MemTableSize)
	}
	dir := t.TempDir()
	s := opened(t, dir)
	const seed = 7
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	want := map[string]string{}
	for range 100 {
		batch := map[string]string{}
		for range 250 {
			batch[fmt.Sprintf("key-%d", random.IntN(8000))] = strings.Repeat(string(rune('a'+random.IntN(26))), 200)
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
	want := `{"level":"warn","part":"badger","message":"bad 1"}` + "\n" +
		`{"level":"debug","part":"badger","message":"odd 2"}` + "\n"
	if text.String() != want {
		t.Errorf("logged %s", text.String())
	}
}
