package link

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"solarhub/protocol"
)

func openPTY(t testing.TB) (path string) {
	t.Helper()
	master, slave, err := pty.Open()
	if err != nil {
		t.Skipf("no pty: %v", err)
	}
	t.Cleanup(func() {
		master.Close()
		slave.Close()
	})
	return slave.Name()
}

// Each reason for which a port cannot be opened is one sentence.
func TestSerialTrouble(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	held := openPTY(t)
	first, err := openSerial(held, protocol.DefaultSerial, protocol.AdapterDirection)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	by := machine{"/"}.program(os.Getpid()).String()
	for _, tt := range []struct {
		path, want string
		is         error
	}{
		{"/dev/ttyUSB_none", "there is no /dev/ttyUSB_none; th", fs.ErrNotExist},
		{file, file + " is a file, no serial port; th", unix.ENOTTY},
		{dir, dir + " is a folder, no serial port; th", unix.EISDIR},
		{"/dev/null", "/dev/null is another kind of device, no serial port; th", unix.ENOTTY},
		{held, held + " is in use by " + by + ": two programs on one port ruin", protocol.ErrPortHeld},
	} {
		_, err := openSerial(tt.path, protocol.DefaultSerial, protocol.AdapterDirection)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || !errors.Is(err, tt.is) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	// What only some machines have.
	m := newFakeMachine(t).machine
	for is, want := range map[error]string{
		unix.EIO:    "/dev/x has no hardware behind it; this machine has no serial port now",
		unix.EPERM:  "/dev/x may not be opened, whoever asks: a container has to be given the device",
		unix.EBUSY:  "/dev/x is in use by another program, which `sudo lsof /dev/x` names: two programs",
		unix.ENFILE: "/dev/x cannot be opened: too many open files in system",
	} {
		if err := m.trouble("/dev/x", is); !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// A port that this user may not open, with the group that may.
func TestSerialDenied(t *testing.T) {
	path := openPTY(t)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // as a user who may not
		const nobody = 65534
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := unix.Setfsuid(nobody); err != nil {
			t.Fatal(err)
		}
		_, err := openSerial(path, protocol.DefaultSerial, protocol.AdapterDirection)
		if err := unix.Setfsuid(0); err != nil {
			t.Fatal(err)
		}
		if !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(err.Error(), path+" ") {
			t.Errorf("opened by another user: %v", err)
		}
	}
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		t.Fatal(err)
	}
	group := int(s.Gid)
	for _, tt := range []struct {
		mode os.FileMode
		who  person
		want string
	}{
		{0o660, person{name: "pi"}, "and pi is not in it: sudo usermod -aG "},
		{0o660, person{name: "pi", listed: []int{group}}, "which pi has joined since this session began: log in again"},
		{0o600, person{name: "pi", has: []int{group}}, "may be opened by its owner only (mode 0600, group "},
	} {
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		got := machine{"/"}.denied(path, tt.who)
		if group == 0 {
			tt.want = "may be opened by its owner only (mode "
		}
		if !strings.HasPrefix(got, path+" ") || !strings.Contains(got, tt.want) {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// A port that another program has is named in the list with that program, whether it locked it or not.
func TestPortsHeld(t *testing.T) {
	for _, lock := range []bool{false, true} {
		f := newFakeMachine(t)
		f.symlink("/proc", "proc")
		path := openPTY(t)
		f.plug("ttyUSB0", path, ftdi)
		args := []string{"sh", "-c", "exec 3<>" + path + "; echo; exec sleep 1000"}
		if lock {
			args = append([]string{"flock", path}, args...)
		}
		other := exec.Command(args[0], args[1:]...)
		out, err := other.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err != nil {
			t.Skip(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Error(err)
		}
		all, err := f.ports()
		if by, ok := f.locked(path); ok != lock {
			t.Errorf("locked by %v: %v", by, ok)
		}
		_ = other.Process.Kill()
		_ = other.Wait()
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		t.Log(all[0].Trouble)
		if trouble := all[0].Trouble; !errors.Is(trouble, protocol.ErrPortHeld) ||
			!strings.Contains(trouble.Error(), "(process ") {
			t.Errorf("%v", trouble)
		}
	}
}
