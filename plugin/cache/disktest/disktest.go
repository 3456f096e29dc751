//go:build linux

// Package disktest gives tests small disks that fill up and go bad. They exist in a mount namespace of the test's own,
// so that nothing is left on the machine, however the test ends.
package disktest

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	// insideEnv names the test that runs in a namespace of its own.
	insideEnv = "DISKTEST_INSIDE"

	// mustEnv, if it is set, makes a test fail that would be skipped.
	mustEnv = "DISKTEST_MUST"
)

// Inside runs the calling test once more, in a process with a mount namespace of its own, and reports whether this is
// that process. The test ends if it is not. It is skipped where the system allows no such namespace.
func Inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) == t.Name() {
		return true
	}
	c := exec.Command(os.Args[0], "-test.run=^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v")
	c.Env = append(os.Environ(), insideEnv+"="+t.Name())
	c.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 { // who is root in a user namespace may mount there
		c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := c.CombinedOutput()
	switch _, ended := errors.AsType[*exec.ExitError](err); {
	case err != nil && !ended:
		skip(t, "no mount namespace of its own", err)
	case err != nil:
		t.Errorf("in the namespace: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("in the namespace:\n%s", out)
	default:
		t.Logf("in the namespace:\n%s", out)
	}
	return false
}

func skip(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv(mustEnv) != "" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("%s: %v", what, err)
}

// Memory mounts an empty file system in memory, of size bytes, and returns its folder.
func Memory(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(size)); err != nil {
		skip(t, "mount a file system in memory", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// Ext4 mounts an empty ext4 of size bytes and returns its folder. Its blocks are those of a file in a folder under it:
// if there is no room for them, the disk is bad, and each access to a new block is an I/O error.
func Ext4(t *testing.T, under string, size int64) (dir string) {
	t.Helper()
	dir, image := t.TempDir(), filepath.Join(under, "image")
	if err := errors.Join(os.WriteFile(image, nil, 0o600), os.Truncate(image, size)); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			skip(t, strings.Join(command, " ")+": "+string(out), err)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// Fill writes a file until there is no room, and returns its name: removing it makes room again.
func Fill(t *testing.T, dir string) string {
	t.Helper()
	file, err := os.CreateTemp(dir, "fill")
	if err != nil {
		t.Fatal(err)
	}
	for block := make([]byte, 64<<10); len(block) > 0; {
		if _, err := file.Write(block); errors.Is(err, unix.ENOSPC) {
			block = block[:len(block)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	_ = file.Sync()
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// ReadOnly makes a file system that Memory or Ext4 mounted refuse writes, or take them again.
func ReadOnly(t *testing.T, dir string, is bool) {
	t.Helper()
	flags := uintptr(unix.MS_REMOUNT | unix.MS_BIND) // of the mount: files may be open for writing
	if is {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount("", dir, "", flags, ""); err != nil {
		t.Fatal(err)
	}
}
