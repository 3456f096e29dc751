package lock

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyOneHasALock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the file is not for every user: %v %v", info.Mode(), err)
	}
	_, err = Acquire(path)
	if held, ok := errors.AsType[*HeldError](err); !ok || held.PID != os.Getpid() || held.Path != path {
		t.Errorf("the second gets %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := Acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

func TestALineIsLockedByItsEndpoint(t *testing.T) {
	before := folders
	t.Cleanup(func() { folders = before })
	folders = []string{filepath.Join(t.TempDir(), "missing"), t.TempDir()}
	one, err := Line("192.168.1.50:502")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Line("192.168.1.50:502"); err == nil {
		t.Error("two have one line")
	}
	other, err := Line("192.168.1.50_502") // another file, though both read the same
	if err != nil {
		t.Error(err)
	}
	names, _ := os.ReadDir(folders[1])
	if len(names) != 2 || !strings.HasPrefix(names[0].Name(), "solarhub-192.168.1.50_502-") {
		t.Errorf("files %v", names)
	}
	if _, err := Lines("a", "192.168.1.50:502"); err == nil || !strings.Contains(err.Error(), "line 192.168.1.50:502") {
		t.Errorf("two lines of which one is held: %v", err)
	}
	if err := errors.Join(one.Release(), other.Release()); err != nil {
		t.Error(err)
	}
	if names, _ := os.ReadDir(folders[1]); len(names) != 0 {
		t.Errorf("files are left: %v", names)
	}
	folders = nil
	none, err := Line("x")
	if err != nil || none.Release() != nil {
		t.Errorf("without a folder: %v", err)
	}
}
