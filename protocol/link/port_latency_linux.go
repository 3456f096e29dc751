package link

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// latencyTimer is that of a USB adapter: how long it keeps bytes back to hand over more of them at once. FTDI chips are
// delivered with 16 ms, which costs 8 ms of each request on average (their application note AN232B-04); 1 ms is the
// least.
type latencyTimer struct {
	root string // of the file system
	path string // of the port; may be a link to it, as those of /dev/serial/by-id are
	keep bool   // leave it as it is
}

// set sets the timer to 1 ms unless it is kept, and says what it is if it is more, and why. It is empty for a port that
// has none. The flag of the port needs no rights, but not every driver has it; the file needs root.
func (t latencyTimer) set(s stream) string {
	if p, ok := s.(*port); ok && !t.keep {
		askLowLatency(p.fd)
	}
	now, err := t.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) || now == "1":
		return ""
	case err != nil:
		return fmt.Sprintf("cannot be read: %v", err)
	case t.keep:
		return now + " ms, kept as it is"
	}
	err = t.write()
	if now, _ := t.read(); now == "1" {
		return ""
	}
	if err == nil {
		err = errors.New("the driver keeps it")
	}
	return fmt.Sprintf("%s ms, cannot be set to 1: %v", now, err)
}

// file returns the name of the timer's file. Source: Linux, Documentation/ABI/testing/sysfs-bus-usb and
// drivers/usb/serial/ftdi_sio.c.
func (t latencyTimer) file() string {
	device := t.path
	if real, err := filepath.EvalSymlinks(t.path); err == nil {
		device = real
	}
	return filepath.Join(t.root, "sys/bus/usb-serial/devices", filepath.Base(device), "latency_timer")
}

func (t latencyTimer) read() (string, error) {
	b, err := os.ReadFile(t.file())
	return strings.TrimSpace(string(b)), err
}

// write does not create the file: os.WriteFile would.
func (t latencyTimer) write() error {
	f, err := os.OpenFile(t.file(), os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("1\n")
	return errors.Join(err, f.Close())
}

// askLowLatency sets the flag of a port that is meant for this. Ports that have no such thing refuse, and nothing is
// lost.
func askLowLatency(fd int) {
	const lowLatency = 1 << 13 // ASYNC_LOW_LATENCY, include/uapi/linux/tty_flags.h
	// var: struct serial_struct, include/uapi/linux/serial.h: flags is the fifth, all is under 128 bytes.
	var settings [32]int32
	at := unsafe.Pointer(&settings)
	if _, _, failure := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGSERIAL, uintptr(at)); failure != 0 {
		return
	}
	settings[4] |= lowLatency
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCSSERIAL, uintptr(at))
}
