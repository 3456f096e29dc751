package link

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// machine is a tree of files like that of Linux. The root is "/" but in tests.
type machine struct{ root string }

func (m machine) path(elem ...string) string {
	return filepath.Join(append([]string{m.root}, elem...)...)
}

// text returns what an attribute in sysfs says. Empty: there is none.
func text(elem ...string) string {
	b, _ := os.ReadFile(filepath.Join(elem...))
	return strings.TrimSpace(string(b))
}

// device is the number that the kernel gives a port. Whatever a path to it is called, this is the same.
type device uint64

// deviceOf returns the number of the character device at a path.
func deviceOf(path string) (device, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return 0, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	if s.Mode&unix.S_IFMT != unix.S_IFCHR {
		return 0, &fs.PathError{Op: "stat", Path: path, Err: unix.ENOTTY}
	}
	return device(s.Rdev), nil
}

func (d device) String() string {
	return fmt.Sprintf("%d:%d", unix.Major(uint64(d)), unix.Minor(uint64(d)))
}

// adapter is a port of a USB adapter. Two with the same identity cannot be told apart.
type adapter struct {
	usbID
	serial string // number of the chip; empty where it has none of its own
	port   string // which one of the adapter's ports
	socket string // where it is plugged in: "1-1.2" is socket 2 of the hub in socket 1 of bus 1
	says   string // of the chip, for people
}

// String tells the adapter from others: "1a86:7523 CH340 in USB socket 1-1.2".
func (a adapter) String() string {
	if a.serial != "" {
		return chipText(a.usbID, a.says) + " with serial number " + a.serial
	}
	return chipText(a.usbID, a.says) + " in USB socket " + a.socket
}

// noSerial is what many CP2102 are delivered with as their serial number.
const noSerial = "0001"

// adapterOf returns the adapter that a device is a port of; ok is false for other devices. Source: Linux,
// Documentation/ABI/stable/sysfs-bus-usb, and drivers/usb/serial/usb-serial.c for port_number.
func (m machine) adapterOf(d device) (a adapter, ok bool) {
	at, err := filepath.EvalSymlinks(m.path("sys/dev/char", d.String(), "device"))
	if err != nil {
		return adapter{}, false
	}
	a.port = text(at, "port_number")
	for ; strings.HasPrefix(at, m.root) && filepath.Base(at) != "devices"; at = filepath.Dir(at) {
		if number := text(at, "bInterfaceNumber"); number != "" {
			a.port = number + "." + a.port
		}
		if vendor := text(at, "idVendor"); vendor != "" {
			a.usbID = usbID{vendor, text(at, "idProduct")}
			a.serial, a.says, a.socket = text(at, "serial"), text(at, "product"), filepath.Base(at)
			if a.serial == noSerial {
				a.serial = ""
			}
			return a, true
		}
	}
	return adapter{}, false
}
