package link

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeMachine is a tree like that of Linux. Its ports are devices that every machine has, and that need not be opened.
type fakeMachine struct {
	machine
	t testing.TB
}

func newFakeMachine(t testing.TB) fakeMachine {
	f := fakeMachine{machine{t.TempDir()}, t}
	f.mkdir("sys/class/tty")
	f.mkdir("dev")
	return f
}

func (f fakeMachine) mkdir(name string) {
	f.t.Helper()
	if err := os.MkdirAll(f.path(name), 0o755); err != nil {
		f.t.Fatal(err)
	}
}

func (f fakeMachine) write(name, content string) {
	f.t.Helper()
	f.mkdir(filepath.Dir(name))
	if err := os.WriteFile(f.path(name), []byte(content+"\n"), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f fakeMachine) symlink(target, name string) {
	f.t.Helper()
	f.mkdir(filepath.Dir(name))
	if err := os.Symlink(target, f.path(name)); err != nil {
		f.t.Fatal(err)
	}
}

// node makes a port: real is a device of this machine that stands for it, of is its folder below sys/devices.
func (f fakeMachine) node(name, real, of string) {
	f.t.Helper()
	d, err := deviceOf(real)
	if err != nil {
		f.t.Fatal(err)
	}
	at := filepath.Join("sys/devices", of, "tty", name)
	f.write(filepath.Join(at, "dev"), d.String())
	f.symlink(f.path("sys/devices", of), filepath.Join(at, "device"))
	f.symlink(f.path(at), filepath.Join("sys/class/tty", name))
	f.symlink(f.path(at), filepath.Join("sys/dev/char", d.String()))
	f.symlink(real, filepath.Join("dev", name))
}

// plug plugs an adapter in: it becomes the port name.
func (f fakeMachine) plug(name, real string, a adapter) {
	f.t.Helper()
	usb := filepath.Join("pci0000:00/usb1", a.socket)
	f.write(filepath.Join("sys/devices", usb, "idVendor"), a.vendor)
	f.write(filepath.Join("sys/devices", usb, "idProduct"), a.product)
	f.write(filepath.Join("sys/devices", usb, "product"), a.says)
	if a.serial != "" {
		f.write(filepath.Join("sys/devices", usb, "serial"), a.serial)
	}
	face := filepath.Join(usb, a.socket+":1.0")
	f.write(filepath.Join("sys/devices", face, "bInterfaceNumber"), "00")
	f.write(filepath.Join("sys/devices", face, name, "port_number"), "0")
	f.node(name, real, filepath.Join(face, name))
}

// pull pulls an adapter out.
func (f fakeMachine) pull(name, socket string) {
	f.t.Helper()
	d, err := deviceOf(f.path("dev", name))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, at := range []string{filepath.Join("sys/dev/char", d.String()), filepath.Join("sys/class/tty", name),
		filepath.Join("dev", name), filepath.Join("sys/devices/pci0000:00/usb1", socket)} {
		if err := os.RemoveAll(f.path(at)); err != nil {
			f.t.Fatal(err)
		}
	}
}

var (
	ch340 = adapter{usbID: usbID{"1a86", "7523"}, socket: "1-1.2", says: "USB Serial"}
	ftdi  = adapter{usbID: usbID{"0403", "6001"}, serial: "A1B2C3", socket: "1-1.3", says: "FT232R USB UART"}
)

// in returns the adapter in another socket.
func (a adapter) in(socket string) adapter {
	a.socket = socket
	return a
}

func listing(all []PortInfo, root string) string {
	var b strings.Builder
	for _, p := range all {
		fmt.Fprintf(&b, "%s|%s|%s|%s|%s\n", p.Name, p.Path, p.Chip, p.Serial, p.Warning)
	}
	return strings.ReplaceAll(b.String(), root, "")
}

func TestPorts(t *testing.T) {
	f := newFakeMachine(t)
	f.mkdir("sys/class/tty/tty0") // a console
	f.node("ttyAMA0", "/dev/null", "platform/fe201000.serial")
	f.node("ttyS0", "/dev/zero", "platform/serial8250") // nothing is behind it
	f.write("sys/devices/platform/serial8250/tty/ttyS0/type", "0")
	f.plug("ttyUSB10", "/dev/full", ftdi)
	f.plug("ttyUSB2", "/dev/random", ch340)
	all, err := f.ports()
	const unnamed = "ports may be numbered anew when the machine starts, and there is no udev here to name this one"
	want := "/dev/ttyUSB2|/dev/ttyUSB2|1a86:7523 CH340||" + unnamed + "\n" +
		"/dev/ttyUSB10|/dev/ttyUSB10|0403:6001 FT232R|A1B2C3|" + unnamed + "\n" +
		"/dev/ttyAMA0|/dev/ttyAMA0|||\n"
	if got := listing(all, f.root); err != nil || got != want {
		t.Errorf("without udev: %v\n%s\nwant\n%s", err, got, want)
	}

	f.symlink("../../ttyUSB10", "dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3-if00-port0")
	f.symlink("../../ttyUSB2", "dev/serial/by-id/usb-1a86_USB_Serial-if00-port0")
	f.symlink("../../ttyUSB2", "dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0")
	f.symlink("../../ttyUSB2", "dev/serial/by-path/pci-0000:00:14.0-usbv2-0:1.2:1.0-port0")
	all, err = f.ports()
	want = "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0|/dev/ttyUSB2|1a86:7523 CH340||\n" +
		"/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A1B2C3-if00-port0|/dev/ttyUSB10|0403:6001 FT232R|A1B2C3|\n" +
		"/dev/ttyAMA0|/dev/ttyAMA0|||\n"
	if got := listing(all, f.root); err != nil || got != want {
		t.Errorf("with udev: %v\n%s\nwant\n%s", err, got, want)
	}

	f.plug("ttyUSB3", "/dev/urandom", ch340.in("1-1.4")) // its link of by-id has gone to the other
	f.symlink("../../ttyUSB3", "dev/serial/by-path/pci-0000:00:14.0-usb-0:1.4:1.0-port0")
	all, err = f.ports()
	want = "/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.2:1.0-port0|/dev/ttyUSB2|1a86:7523 CH340||" +
		"ttyUSB2 and ttyUSB3 cannot be told apart but by their USB sockets: leave each in its own\n" +
		"/dev/serial/by-path/pci-0000:00:14.0-usb-0:1.4:1.0-port0|/dev/ttyUSB3|1a86:7523 CH340||" +
		"ttyUSB3 and ttyUSB2 cannot be told apart but by their USB sockets: leave each in its own\n"
	if got := listing(all, f.root); err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("two alike: %v\n%s\nwant\n%s", err, got, want)
	}
}

func TestPortsOfThisMachine(t *testing.T) {
	all, err := Ports()
	if err != nil {
		t.Skip(err)
	}
	t.Log(listing(all, ""))
}
