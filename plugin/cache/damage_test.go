//go:build unix

package cache

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// damagesEnv is how many random damages TestDamages plays.
const damagesEnv = "CACHE_DAMAGES"

// history makes a cache of several batches, the first of which begins the file, and returns what it held after each.
// Every value tells its key, so that no value can pass for another.
func history(t *testing.T, dir string, random *rand.Rand) []map[string]string {
	t.Helper()
	s := opened(t, dir)
	defer closed(t, s)
	now := map[string]string{}
	held := []map[string]string{{}}
	for n := range 8 {
		batch := map[string]string{}
		for range 20 + random.IntN(100) {
			key := fmt.Sprintf("value/%d", random.IntN(300))
			batch[key] = fmt.Sprintf("%s of batch %d, %d", key, n, random.Uint64())
		}
		put(t, s, batch)
		maps.Copy(now, batch)
		held = append(held, maps.Clone(now))
	}
	return held
}

// damages are ways in which a disk or a person spoils a cache, each at a random place.
var damages = []struct {
	name  string
	spoil func(path string, random *rand.Rand) error
}{
	{"one bit turned", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte { d[random.IntN(len(d))] ^= 1 << random.IntN(8); return d })
	}},
	{"a block of noise", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte {
			at := random.IntN(len(d))
			for i := at; i < min(at+512, len(d)); i++ {
				d[i] = byte(random.Uint32())
			}
			return d
		})
	}},
	{"a block of zeros", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte {
			at := random.IntN(len(d))
			clear(d[at:min(at+4096, len(d))])
			return d
		})
	}},
	{"zeros to the end", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte { clear(d[random.IntN(len(d)):]); return d })
	}},
	{"cut", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte { return d[:random.IntN(len(d))] })
	}},
	{"a piece taken out", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte {
			at := random.IntN(len(d))
			return slices.Delete(d, at, min(at+1+random.IntN(2000), len(d)))
		})
	}},
	{"a piece put in", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte {
			return slices.Insert(d, random.IntN(len(d)+1), make([]byte, 1+random.IntN(2000))...)
		})
	}},
	{"noise at the end", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte { return append(d, byte(1+random.IntN(255)), byte(random.Uint32())) })
	}},
	{"other content", func(path string, random *rand.Rand) error {
		return change(path, func(d []byte) []byte { return []byte(strings.Repeat("x", random.IntN(9000))) })
	}},
	{"a folder in its place", func(path string, _ *rand.Rand) error {
		return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "deep"), 0o700))
	}},
	{"a pipe in its place", func(path string, _ *rand.Rand) error {
		return errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o600))
	}},
	{"a link to nowhere in its place", func(path string, _ *rand.Rand) error {
		return errors.Join(os.Remove(path), os.Symlink(path, path))
	}},
	{"far too long", func(path string, _ *rand.Rand) error { return os.Truncate(path, maxFile+1) }},
	{"a folder in the place of the next file", func(path string, _ *rand.Rand) error {
		return errors.Join(change(path, func(d []byte) []byte { d[len(d)/2]++; return d }),
			os.MkdirAll(filepath.Join(filepath.Dir(path), newContent, "deep"), 0o700))
	}},
}

func change(path string, f func([]byte) []byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, f(data), 0o600)
}

// TestDamages spoils caches in every way. Each opens, says what is wrong, holds nothing that was never written, and is
// a whole cache again with the next batch.
func TestDamages(t *testing.T) {
	count := 2 * len(damages)
	if text := os.Getenv(damagesEnv); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	silent := 0
	for n := range count {
		random := rand.New(rand.NewPCG(seed, uint64(n)))
		damage := damages[n%len(damages)]
		dir := t.TempDir()
		held := history(t, dir, random)
		if err := damage.spoil(filepath.Join(dir, content), random); err != nil {
			t.Fatal(damage.name, err)
		}
		told, left := damagedOpened(t, dir)
		if !isHeld(left, held) {
			t.Errorf("damage %d (%s): the cache holds %d values that never stood together", n, damage.name, len(left))
		}
		if told == nil {
			// Only a file that ends between two batches, or was not changed at all, looks as if it were whole.
			if silent++; damage.name != "cut" && !maps.Equal(left, held[len(held)-1]) {
				t.Errorf("damage %d (%s): not told", n, damage.name)
			}
		}
	}
	t.Logf("%d damages; %d left a file that was whole", count, silent)
}

// isHeld reports whether the values are of one moment, or of the part of the first batch before the damage.
func isHeld(left map[string]string, held []map[string]string) bool {
	for _, h := range held {
		if maps.Equal(left, h) {
			return true
		}
	}
	for key, value := range left {
		if held[1][key] != value {
			return false
		}
	}
	return true
}

// damagedOpened opens a damaged cache, and proves that it works. It returns what was told and what is left.
func damagedOpened(t *testing.T, dir string) (told *Damage, left map[string]string) {
	t.Helper()
	s, told, err := Open(dir, nobody)
	if err != nil {
		t.Fatal(err)
	}
	left = all(t, s, "")
	put(t, s, map[string]string{"new": "1"})
	put(t, s, map[string]string{"newer": "2"})
	closed(t, s)
	s = opened(t, dir)
	defer closed(t, s)
	if got := all(t, s, ""); got["new"] != "1" || got["newer"] != "2" || len(got) != len(left)+2 {
		t.Errorf("afterwards %d values of %d: new %q, newer %q", len(got), len(left)+2, got["new"], got["newer"])
	}
	return told, left
}

func TestDamageIsSetAside(t *testing.T) {
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	history(t, dir, random)
	stale := filepath.Join(dir, aside+"20200101-000000.000")
	if err := os.Mkdir(stale, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, content)
	if err := change(path, func(d []byte) []byte { d[len(magic)+20]++; return d }); err != nil {
		t.Fatal(err)
	}
	spoilt, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told, _ := damagedOpened(t, dir)
	if told == nil || !strings.Contains(told.Error(), path) {
		t.Fatalf("told: %v", told)
	}
	if kept, err := os.ReadFile(told.Aside); err != nil || string(kept) != string(spoilt) {
		t.Errorf("set aside: %d bytes of %d, %v", len(kept), len(spoilt), err)
	}
	if _, err := os.Stat(stale); err == nil {
		t.Error("an older damaged content is still there")
	}
}

// The last batch was not acknowledged if it is not complete. That is no reason to set anything aside.
func TestTheLastBatchIsCut(t *testing.T) {
	dir := t.TempDir()
	held := history(t, dir, rand.New(rand.NewPCG(3, 4)))
	path := filepath.Join(dir, content)
	if err := change(path, func(d []byte) []byte { return d[:len(d)-1] }); err != nil {
		t.Fatal(err)
	}
	told, left := damagedOpened(t, dir)
	if told == nil || told.Aside != "" || !errors.Is(told, errUnfinished) {
		t.Errorf("told: %+v", told)
	}
	if !maps.Equal(left, held[len(held)-2]) {
		t.Errorf("%d values are left, want those before the last batch", len(left))
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(magic))
	f.Add(append([]byte(magic), encode(map[string][]byte{"a": []byte("1"), "b": nil, "c": {}})...))
	f.Fuzz(func(t *testing.T, data []byte) {
		values := map[string][]byte{}
		_ = decode(data, values)
		for key, value := range values {
			if value == nil || len(key)+len(value) > len(data) {
				t.Errorf("%q: %q", key, value)
			}
		}
	})
}
