//go:build linux

package cache

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"solarhub/plugin/cache/disktest"
)

// disks are what a cache may lie on.
var disks = map[string]func(t *testing.T) string{
	"tmpfs": func(t *testing.T) string { return disktest.Memory(t, 12<<20) },
	"ext4":  func(t *testing.T) string { return disktest.Ext4(t, t.TempDir(), 24<<20) },
}

// onEach runs f on each kind of disk.
func onEach(t *testing.T, f func(t *testing.T, disk string)) {
	for kind, mount := range disks {
		t.Run(kind, func(t *testing.T) {
			if disktest.Inside(t) {
				f(t, mount(t))
			}
		})
	}
}

// numbered is a batch of 20 KB, so that a few blocks that are free by chance do not take it.
func numbered(n int) map[string][]byte {
	batch := map[string][]byte{}
	for k := range 100 {
		batch[fmt.Sprintf("key-%d", k)] = fmt.Appendf(nil, "%d %s", n, strings.Repeat("v", 200))
	}
	return batch
}

// isNumbered fails unless the cache holds exactly one batch.
func isNumbered(t *testing.T, s *Store, n int) {
	t.Helper()
	got := all(t, s, "")
	if len(got) != 100 {
		t.Errorf("%d values", len(got))
	}
	for key, value := range numbered(n) {
		if got[key] != string(value) {
			t.Fatalf("%s is %.10q, want batch %d", key, got[key], n)
		}
	}
}

// fails has batches refused for a reason.
func fails(t *testing.T, s *Store, n int, reason error) {
	t.Helper()
	for range 3 {
		if err := s.Put(numbered(n)); !errors.Is(err, reason) {
			t.Fatalf("batch %d: %v, want %v", n, err, reason)
		}
	}
}

func succeeds(t *testing.T, s *Store, n int) {
	t.Helper()
	if err := s.Put(numbered(n)); err != nil {
		t.Fatalf("batch %d: %v", n, err)
	}
}

func TestDiskIsFullAtTheStart(t *testing.T) {
	onEach(t, func(t *testing.T, disk string) {
		dir := filepath.Join(disk, "cache")
		fill := disktest.Fill(t, disk)
		s := opened(t, dir)
		fails(t, s, 1, unix.ENOSPC)
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		succeeds(t, s, 2)
		closed(t, s)

		fill = disktest.Fill(t, disk) // what is there can be read on a full disk too
		s = opened(t, dir)
		isNumbered(t, s, 2)
		fails(t, s, 3, unix.ENOSPC)
		isNumbered(t, s, 2)
		if err := os.Remove(fill); err != nil {
			t.Fatal(err)
		}
		succeeds(t, s, 4)
		closed(t, s)
		s = opened(t, dir)
		defer closed(t, s)
		isNumbered(t, s, 4)
	})
}

func TestDiskFillsUp(t *testing.T) {
	onEach(t, func(t *testing.T, disk string) {
		dir := filepath.Join(disk, "cache")
		s := opened(t, dir)
		n := 0
		for range 3 {
			for range 30 { // over the beginning of a new file
				n++
				succeeds(t, s, n)
			}
			fill := disktest.Fill(t, disk)
			fails(t, s, n+1, unix.ENOSPC)
			again := copied(t, dir) // the process is killed here
			isNumbered(t, again, n)
			closed(t, again)
			if err := os.Remove(fill); err != nil {
				t.Fatal(err)
			}
		}
		succeeds(t, s, n+2)
		closed(t, s)
		s = opened(t, dir)
		defer closed(t, s)
		isNumbered(t, s, n+2)
	})
}

// copied opens a copy of a cache that is in use: what the next process finds if this one is killed now.
func copied(t *testing.T, dir string) *Store {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, content))
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, content), data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, told, err := Open(other, nobody)
	if err != nil || told != nil && !errors.Is(told, errUnfinished) {
		t.Fatal(told, err)
	}
	return s
}

func TestDiskBecomesReadOnly(t *testing.T) {
	onEach(t, func(t *testing.T, disk string) {
		dir := filepath.Join(disk, "cache")
		s := opened(t, dir)
		succeeds(t, s, 1)
		closed(t, s)
		disktest.ReadOnly(t, disk, true)
		s = opened(t, dir)
		isNumbered(t, s, 1)
		fails(t, s, 2, unix.EROFS)
		disktest.ReadOnly(t, disk, false)
		succeeds(t, s, 3)
		closed(t, s)
		s = opened(t, dir)
		defer closed(t, s)
		isNumbered(t, s, 3)
	})
}

// The disk is unmounted under the cache, as when somebody pulls it out, and is there again.
func TestDiskIsTakenAway(t *testing.T) {
	if !disktest.Inside(t) {
		return
	}
	disk := disktest.Memory(t, 12<<20)
	dir := filepath.Join(disk, "cache")
	s := opened(t, dir)
	succeeds(t, s, 1)
	above := t.TempDir()
	if err := unix.Mount(above, disk, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	succeeds(t, s, 2)
	closed(t, s)
	s = opened(t, filepath.Join(above, "cache"))
	defer closed(t, s)
	isNumbered(t, s, 2)
	if err := unix.Unmount(disk, 0); err != nil {
		t.Fatal(err)
	}
	left := opened(t, dir)
	defer closed(t, left)
	isNumbered(t, left, 1)
}

// The medium under the file system takes no more blocks: after a while everything fails with an I/O error.
func TestDiskGoesBad(t *testing.T) {
	if !disktest.Inside(t) {
		return
	}
	under := disktest.Memory(t, 12<<20)
	disk := disktest.Ext4(t, under, 24<<20)
	dir := filepath.Join(disk, "cache")
	s := opened(t, dir)
	succeeds(t, s, 1)
	disktest.Fill(t, under)
	var err error
	n := 1
	for n < 1000 && err == nil {
		n++
		err = s.Put(numbered(n))
	}
	if err == nil || errors.Is(err, unix.ENOSPC) {
		t.Fatalf("after %d batches on a bad disk: %v", n, err)
	}
	t.Logf("batch %d: %v", n, err)
	isNumbered(t, s, n-1)
	for range 3 {
		if err := s.Put(numbered(n)); err == nil {
			t.Error("written to a bad disk")
		}
	}
	closed(t, s)
	s, told, err := Open(dir, nobody)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	t.Logf("%d values are left, told: %v", len(all(t, s, "")), told)
}
